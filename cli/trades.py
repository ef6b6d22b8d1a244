"""What the guests of a layout ask for: nights and pitches, goods, or a doctor's time, each in its own words.

A trade turns the demo's plan, which knows units and nights, into requests of its own, and knows what may come after.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

from cli.client import Booking, GatewayClient, Refused, Stay, Wish
from cli.traffic import CURRENCY, LAST_ONES, UNITS, Kind


class Trade(Protocol):
    """How one layout's guests book."""

    #: Whether a guest pays when booking: where not, a declined card is nobody's business.
    pays: bool

    async def declare(self, client: GatewayClient) -> None:
        """Says what there is; the same each time, so a second run changes nothing."""
        ...

    def wish(self, stay: Stay, kind: Kind = "book") -> Wish:
        """What a guest of that kind who wants this stay asks for here."""
        ...

    async def afterwards(self, kind: Kind, client: GatewayClient, stay: Stay, booking: Booking, key: str) -> Booking:
        """What a guest of that kind does once the booking is confirmed, and the booking after it."""
        ...


class Stays:
    """Nights of a property's units."""

    pays = True

    async def declare(self, client: GatewayClient) -> None:
        for unit in UNITS:
            path = f"/api/properties/{quote(unit.property_id, safe='')}/units/{quote(unit.unit_type, safe='')}"
            price = {"amount": unit.price, "currency": CURRENCY}
            await client.put(path, {"capacity": unit.capacity, "base_price": price})

    def wish(self, stay: Stay, kind: Kind = "book") -> Wish:
        stay = _tonight(stay) if kind == "stay" else stay
        body = {
            "property_id": stay.property_id,
            "unit_type": stay.unit_type,
            "check_in": stay.check_in,
            "check_out": stay.check_out,
            "quantity": stay.quantity,
            "guest": {"email": stay.email, "first_name": stay.first_name, "last_name": stay.last_name},
            "payment_method": {"token": stay.token},
        }
        return Wish("/api/reservations", body)

    async def afterwards(self, kind: Kind, client: GatewayClient, stay: Stay, booking: Booking, key: str) -> Booking:
        path = "/api/reservations"
        match kind:
            case "change":
                await _unless_refused(client, f"{path}/{booking.booking_id}", _another(stay))
                return await client.get(path, booking.booking_id)
            case "stay":
                await client.move(path, booking.booking_id, "check-in", key=f"{key}-in")
                return await client.move(path, booking.booking_id, "check-out", key=f"{key}-out")
            case _:
                return booking


class Goods:
    """Items from stock, paid first."""

    pays = True
    #: There is one of each of these; who comes later finds them sold.
    _SCARCE = 40

    async def declare(self, client: GatewayClient) -> None:
        for unit in UNITS:
            if unit not in LAST_ONES:
                await self._stock(client, f"{unit.property_id}-{unit.unit_type}", 100_000, unit.price)
        for number in range(self._SCARCE):
            await self._stock(client, f"LAST-{number}", 1, LAST_ONES[0].price)

    def wish(self, stay: Stay, kind: Kind = "book") -> Wish:
        items = [{"product_id": self._product(stay), "quantity": stay.quantity}]
        customer = {"email": stay.email, "first_name": stay.first_name, "last_name": stay.last_name}
        return Wish("/api/orders", {"customer": customer, "items": items, "payment_method": {"token": stay.token}})

    async def afterwards(self, kind: Kind, client: GatewayClient, stay: Stay, booking: Booking, key: str) -> Booking:
        return booking

    def _product(self, stay: Stay) -> str:
        if any(stay.property_id == unit.property_id for unit in LAST_ONES):
            place = f"{stay.property_id}/{stay.check_in}"
            return f"LAST-{zlib.crc32(place.encode()) % self._SCARCE}"
        return f"{stay.property_id}-{stay.unit_type}"

    async def _stock(self, client: GatewayClient, product_id: str, quantity: int, price: str) -> None:
        body = {"quantity": quantity, "price": {"amount": price, "currency": CURRENCY}}
        await client.put(f"/api/stock/{product_id}", body)


class Practice:
    """A quarter of an hour of a doctor's time, and what the visit leaves behind."""

    pays = False

    async def declare(self, client: GatewayClient) -> None:
        for unit in UNITS:
            await client.put(f"/api/practitioners/{_doctor(unit.property_id, unit.unit_type)}", {"capacity": 1})

    def wish(self, stay: Stay, kind: Kind = "book") -> Wish:
        slot = zlib.crc32(stay.email.encode()) % 32 if stay.unit_type != "single" else 0
        body = {
            "patientId": _patient(stay),
            "doctorId": _doctor(stay.property_id, stay.unit_type),
            "date": stay.check_in,
            "time": f"{9 + slot // 4:02}:{slot % 4 * 15:02}",
            "reason": "check-up",
            "visitType": "virtual" if slot % 3 == 0 else "in_person",
        }
        return Wish("/api/appointments", body)

    async def afterwards(self, kind: Kind, client: GatewayClient, stay: Stay, booking: Booking, key: str) -> Booking:
        if kind == "change":
            await _unless_refused(client, f"/api/appointments/{booking.booking_id}", {"reason": "headache"})
        elif kind == "stay":
            await self._visit(client, stay, key)
        return await client.get("/api/appointments", booking.booking_id)

    async def _visit(self, client: GatewayClient, stay: Stay, key: str) -> None:
        who: dict[str, Any] = {"patientId": _patient(stay), "doctorId": _doctor(stay.property_id, stay.unit_type)}
        day = str(stay.check_in)
        drug = {"medication": "Amoxicillin", "dosage": "500 mg", "frequency": "three times a day"}
        until = {"startDate": day, "endDate": str(stay.check_out)}
        await client.post("/api/prescriptions", {**who, **drug, **until}, key=f"{key}-prescription")
        finding = {"recordType": "diagnosis", "description": "otitis media", "recordDate": day}
        await client.post("/api/health-records", {**who, **finding}, key=f"{key}-record")
        await self._order(client, stay, key)

    async def _order(self, client: GatewayClient, stay: Stay, key: str) -> None:
        order_id = f"{key}-order"
        body = {
            "orderId": order_id,
            "patientId": _patient(stay),
            "pharmacyId": "PHARMACY-1",
            "totalPrice": 19.8,
            "orderDate": f"{stay.check_in}T10:00:00",
            "deliveryDate": f"{stay.check_out}T10:00:00",
            "items": [{"productId": "amoxicillin-500", "quantity": 2, "price": 9.9}],
        }
        await client.post("/api/pharmacy-orders", body, key=f"{key}-pharmacy")
        for status in ("processing", "shipped", "delivered"):
            await client.patch(f"/api/pharmacy-orders/{order_id}", {"status": status})


TRADES: dict[str, Trade] = {"orders": Goods(), "clinic": Practice()}


def trade_of(layout: str) -> Trade:
    """How the guests of a layout book; stays where it does not say otherwise."""
    return TRADES.get(layout, Stays())


def _tonight(stay: Stay) -> Stay:
    """As many nights from now on: nobody checks in before their day. The demo's properties keep UTC."""
    today = datetime.now(UTC).date()
    return replace(stay, check_in=today, check_out=today + (stay.check_out - stay.check_in))


def _another(stay: Stay) -> dict[str, Any]:
    """Dates that cost no more: a night less of several, else the night after."""
    if stay.check_out - stay.check_in > timedelta(days=1):
        return {"check_out": stay.check_out - timedelta(days=1)}
    return {"check_in": stay.check_in + timedelta(days=1), "check_out": stay.check_out + timedelta(days=1)}


async def _unless_refused(client: GatewayClient, path: str, body: object) -> None:
    """A change may find its nights taken, or its booking not paid yet: then everything stays as it was."""
    try:
        await client.patch(path, body)
    except Refused as refusal:
        if refusal.status != 409:
            raise


def _patient(stay: Stay) -> str:
    return stay.email.partition("@")[0]


def _doctor(property_id: str, unit_type: str) -> str:
    return f"DR-{property_id}-{unit_type}"
