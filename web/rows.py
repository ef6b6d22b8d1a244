"""The gateway's reads: rows as their owners have them, decoded. Waiting is cut into short questions, so that a moved or
paused owner delays an answer and never falsifies it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from domain.booking_state import Booking, BookingStatus
from domain.payment_state import Payment
from streams.keys import resource_key
from streams.services import AVAILABILITY, BOOKING, PAYMENT
from tables.reservations import Entry
from web.owners import LONGEST_ASK_S, Asks
from web.wire import SlotCounts

_booking = msgspec.json.Decoder(Booking)
_payment = msgspec.json.Decoder(Payment)
_timeline = msgspec.json.Decoder(list[Entry])
_slots = msgspec.json.Decoder(SlotCounts)
#: How long one owner may take to decide what was appended, before it is looked up again; in seconds.
_DECIDED_S = 1.5


class Rows:
    """Every method raises `OwnerUnavailable`; None means the owner says that there is no such row."""

    def __init__(self, owners: Asks) -> None:
        self._owners = owners

    async def booking(self, booking_id: str, *, after: int | None = None) -> Booking | None:
        """The booking; with `after`, once its inbox is decided through that offset."""
        path = f"/rows/booking/{booking_id}"
        answer = await self._owners.ask(BOOKING.name, booking_id, path, _after(after), wait=_wait(after))
        return _booking.decode(answer.body) if answer.found else None

    async def settled_booking(self, booking_id: str, wait: float) -> Booking | None:
        """The booking as soon as it is not PENDING, or as it stands after `wait` seconds."""
        end = time.monotonic() + wait
        while True:
            left = min(max(end - time.monotonic(), 0.0), LONGEST_ASK_S)
            query = {"until": "settled", "wait": f"{left:.3f}"}
            answer = await self._owners.ask(BOOKING.name, booking_id, f"/rows/booking/{booking_id}", query, wait=left)
            if not answer.found:
                return None
            booking = _booking.decode(answer.body)
            if booking.status is not BookingStatus.PENDING or time.monotonic() >= end:
                return booking

    async def timeline(self, booking_id: str) -> list[Entry] | None:
        answer = await self._owners.ask(BOOKING.name, booking_id, f"/rows/booking/{booking_id}/timeline")
        return _timeline.decode(answer.body) if answer.found else None

    async def payment(self, payment_id: str, *, after: int | None = None) -> Payment | None:
        """The payment; with `after`, once its inbox is decided through that offset."""
        path = f"/rows/payment/{quote(payment_id, safe='')}"
        answer = await self._owners.ask(PAYMENT.name, payment_id, path, _after(after), wait=_wait(after))
        return _payment.decode(answer.body) if answer.found else None

    async def slots(
        self, provider_id: str, product_id: str, slots: Iterable[str], *, after: int | None = None
    ) -> SlotCounts | None:
        """What is held of a resource's slots, those without a hold left out; `after` as for a booking."""
        query = {"provider_id": provider_id, "product_id": product_id, "slots": ",".join(slots), **_after(after)}
        key = resource_key(provider_id, product_id)
        answer = await self._owners.ask(AVAILABILITY.name, key, "/rows/availability", query, wait=_wait(after))
        return _slots.decode(answer.body) if answer.found else None


def _after(offset: int | None) -> dict[str, str]:
    return {} if offset is None else {"after": str(offset), "wait": str(_DECIDED_S)}


def _wait(offset: int | None) -> float:
    return 0.0 if offset is None else _DECIDED_S
