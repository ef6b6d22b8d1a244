"""The fake gateway's payments and waitlist, beside its bookings."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.cli.fake_house import FakeHouse

Opening = Callable[[str, dict[str, Any]], None]


class FakeDesk:
    """Payments are captured at once; who waits is offered what is cancelled. `open_booking` is the gateway's."""

    def __init__(self, house: FakeHouse, open_booking: Opening) -> None:
        self._house = house
        self._open = open_booking
        self.payments: dict[str, dict[str, Any]] = {}
        self.entries: dict[str, dict[str, Any]] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/payments/{payment_id}", self._get_payment),
            web.post("/api/payments/{payment_id}/refunds", self._refund),
            web.post("/api/waitlist", self._join),
            web.get("/api/waitlist/{entry_id}", self._entry),
            web.post("/api/waitlist/{entry_id}/withdraw", self._withdraw),
            web.post("/api/waitlist/{entry_id}/accept", self._accept),
        ]

    def pay(self, booking: dict[str, Any], amount: Decimal) -> None:
        """Another payment of a booking."""
        payment_id = f"{booking['booking_id']}-{len(booking['payments']) + 1}"
        currency = booking["price"]["currency"]
        sums = {"captured": _money(amount, currency), "refunded": _money(Decimal(0), currency)}
        self.payments[payment_id] = {"status": "CAPTURED", **sums, "refunds": []}
        booking["payments"] = [*booking["payments"], payment_id]
        booking.setdefault("payment_id", payment_id)

    def freed(self, asked: dict[str, Any]) -> None:
        """Nights that came back, offered to who waits for them."""
        for entry in self.entries.values():
            if entry["status"] == "WAITING" and _place(entry["asked"]) == _place(asked):
                entry["status"] = "EXPIRED" if "waitlist" in self._house.broken else "OFFERED"

    async def _get_payment(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.payments[request.match_info["payment_id"]])

    async def _refund(self, request: web.Request) -> web.StreamResponse:
        payment = self.payments[request.match_info["payment_id"]]
        amount = (await request.json())["amount"]
        refund = {
            "refund_id": request.headers["Idempotency-Key"],
            "status": "failed" if "refund" in self._house.broken else "refunded",
        }
        payment["refunds"].append(refund)
        payment["refunded"]["amount"] = amount
        return web.json_response(refund, status=201)

    async def _join(self, request: web.Request) -> web.StreamResponse:
        entry_id = request.headers["Idempotency-Key"]
        entry = {"entry_id": entry_id, "status": "WAITING", "asked": await request.json()}
        self.entries[entry_id] = entry
        return web.json_response(entry, status=201)

    async def _entry(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.entries[request.match_info["entry_id"]])

    async def _withdraw(self, request: web.Request) -> web.StreamResponse:
        entry = self.entries[request.match_info["entry_id"]]
        entry["status"] = "WITHDRAWN"
        return web.json_response(entry)

    async def _accept(self, request: web.Request) -> web.StreamResponse:
        entry = self.entries[request.match_info["entry_id"]]
        entry["status"] = "ACCEPTED"
        self._open(entry["entry_id"], {**entry["asked"], **await request.json()})
        price = self._house.price(entry["asked"])
        answer = {"booking_id": entry["entry_id"], "confirmation_number": "RSV-2026-999999", "price": price}
        return web.json_response(answer, status=201)


def _place(asked: dict[str, Any]) -> tuple[Any, ...]:
    return asked["property_id"], asked["unit_type"], asked["check_in"]


def _money(amount: Decimal, currency: str) -> dict[str, str]:
    return {"amount": str(amount), "currency": currency}
