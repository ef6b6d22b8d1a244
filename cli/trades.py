"""What the guests of a layout ask for: nights and pitches, goods, or a doctor's time, each in its own words.

A trade turns the demo's plan, which knows units and nights, into requests of its own, and knows what may come after.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Protocol

from cli.client import GatewayClient, Stay, Wish
from cli.houses import CURRENCY, LAST_ONES, PLENTY, UNITS, sayings
from cli.practice import Practice
from cli.stays import STAYS, tonight
from cli.traffic import Kind
from cli.visit import COMMON, Travels


class Trade(Protocol):
    """How one layout's guests book."""

    #: Whether a guest pays when booking: where not, a declined card is nobody's business.
    pays: bool
    #: What each kind of guest does that there is here.
    travels: Travels

    async def declare(self, client: GatewayClient) -> None:
        """Says what there is; the same each time, so a second run changes nothing."""
        ...

    def wish(self, stay: Stay, kind: Kind = "book") -> Wish:
        """What a guest of that kind who wants this stay asks for here."""
        ...


class Stays:
    """Nights of a property's units."""

    pays = True
    travels = STAYS

    async def declare(self, client: GatewayClient) -> None:
        today = datetime.now(UTC).date()
        for unit in UNITS:
            for path, body in sayings(unit, today):
                await client.put(path, body)

    def wish(self, stay: Stay, kind: Kind = "book") -> Wish:
        stay = tonight(stay) if kind in ("stay", "early", "no_show") else stay
        body = {
            "property_id": stay.property_id,
            "unit_type": stay.unit_type,
            "check_in": stay.check_in,
            "check_out": stay.check_out,
            "quantity": stay.quantity,
            "guest": _guest(stay),
            "payment_method": {"token": stay.token},
        }
        return Wish("/api/reservations", body if stay.rate_plan is None else {**body, "rate_plan": stay.rate_plan})


class Goods:
    """Items from stock, paid first."""

    pays = True
    travels = COMMON
    #: There is one of each of these; who comes later finds them sold.
    _SCARCE = 40

    async def declare(self, client: GatewayClient) -> None:
        for unit in PLENTY:
            await self._stock(client, f"{unit.property_id}-{unit.unit_type}", 100_000, unit.price)
        for number in range(self._SCARCE):
            await self._stock(client, f"LAST-{number}", 1, LAST_ONES[0].price)

    def wish(self, stay: Stay, kind: Kind = "book") -> Wish:
        items = [{"product_id": self._product(stay), "quantity": stay.quantity}]
        customer = {"email": stay.email, "first_name": stay.first_name, "last_name": stay.last_name}
        return Wish("/api/orders", {"customer": customer, "items": items, "payment_method": {"token": stay.token}})

    def _product(self, stay: Stay) -> str:
        if any(stay.property_id == unit.property_id for unit in LAST_ONES):
            place = f"{stay.property_id}/{stay.check_in}"
            return f"LAST-{zlib.crc32(place.encode()) % self._SCARCE}"
        return f"{stay.property_id}-{stay.unit_type}"

    async def _stock(self, client: GatewayClient, product_id: str, quantity: int, price: str) -> None:
        body = {"quantity": quantity, "price": {"amount": price, "currency": CURRENCY}}
        await client.put(f"/api/stock/{product_id}", body)


def _guest(stay: Stay) -> dict[str, str]:
    guest = {"email": stay.email, "first_name": stay.first_name, "last_name": stay.last_name}
    return guest if stay.phone is None else {**guest, "phone": stay.phone}


TRADES: dict[str, Trade] = {"orders": Goods(), "clinic": Practice()}


def trade_of(layout: str) -> Trade:
    """How the guests of a layout book; stays where it does not say otherwise."""
    return TRADES.get(layout, Stays())
