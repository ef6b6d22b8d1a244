"""The gateway's reads: rows as their owners have them. Waiting is cut into short questions, so that a moved or paused
owner delays an answer and never falsifies it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from urllib.parse import quote

import msgspec

from domain.booking_state import Booking
from domain.payment_state import Payment
from streams.keys import resource_key
from streams.services import AVAILABILITY, BOOKING, PAYMENT
from tables import payments, reservations
from tables.history import Entry
from web.owners import LONGEST_ASK_S, Answer, Asks
from web.wire import Found, SlotCounts, at_rest, settled

_booking = msgspec.json.Decoder(Booking)
_payment = msgspec.json.Decoder(Payment)
_timeline = msgspec.json.Decoder(list[Entry])
_slots = msgspec.json.Decoder(SlotCounts)
_found = msgspec.json.Decoder(list[Found])
#: Inside of `Rows` the name `list` is its method.
Texts = list[bytes]
Named = list[tuple[str, bytes]]
Entries = list[Entry]

#: How long one owner may take to decide what was appended, before it is looked up again; in seconds.
_DECIDED_S = 1.5


class Rows:
    """Every method raises `OwnerUnavailable`; None means the owner says that there is no such row.

    With `after`, a row is read once its inbox is decided through that offset; with `at`, as it stood at that time.
    """

    def __init__(self, owners: Asks) -> None:
        self._owners = owners

    async def row(
        self, service: str, key: str, name: str, *, after: int | None = None, at: datetime | None = None
    ) -> bytes | None:
        """The JSON of the row `name` in the partition of `key`. With `at`, `key` is whose history is asked."""
        query = {"name": name, **({"at": at.isoformat()} if at is not None else {}), **_after(after)}
        answer = await self._owners.ask(service, key, _path(service, key), query, wait=_wait(after))
        return answer.body if answer.found else None

    async def list(
        self,
        service: str,
        key: str,
        prefix: str,
        limit: int = 200,
        *,
        before: str | None = None,
        after: int | None = None,
    ) -> Texts:
        """The rows in the partition of `key` whose names begin with `prefix`, in their order: of more than `limit`
        (at most 1000) the last ones, of those that come before the name `before`."""
        query = {"prefix": prefix, "limit": str(limit), **({"before": before} if before else {}), **_after(after)}
        answer = await self._owners.ask(service, key, f"{_path(service, key)}/list", query, wait=_wait(after))
        return [row for _, row in _rows(answer)]

    async def scan(self, service: str, partition: int, prefix: str, limit: int = 500, *, beyond: str = "") -> Named:
        """Name and JSON of the first `limit` (at most 1000) rows of a partition whose names begin with `prefix`, of
        those that come after the name `beyond`."""
        query = {"prefix": prefix, "limit": str(limit), **({"beyond": beyond} if beyond else {})}
        return _rows(await self._owners.ask(service, partition, f"/rows/{service}/partition/{partition}", query))

    async def timeline(self, service: str, key: str) -> Entries | None:
        answer = await self._owners.ask(service, key, f"{_path(service, key)}/timeline")
        return _timeline.decode(answer.body) if answer.found else None

    async def booking(self, booking_id: str, *, after: int | None = None, at: datetime | None = None) -> Booking | None:
        row = await self.row(BOOKING.name, booking_id, reservations.row_key(booking_id), after=after, at=at)
        return _booking.decode(row) if row is not None else None

    async def settled_booking(self, booking_id: str, wait: float) -> Booking | None:
        """The booking as soon as it is not PENDING, or as it stands after `wait` seconds."""
        return await self._until("settled", settled, booking_id, wait)

    async def booking_at_rest(self, booking_id: str, wait: float) -> Booking | None:
        """The booking once it is paid, if it is confirmed, and no change of it is under way; or as it stands after
        `wait` seconds."""
        return await self._until("at-rest", at_rest, booking_id, wait)

    async def _until(self, what: str, done: Callable[[Booking], bool], booking_id: str, wait: float) -> Booking | None:
        end = time.monotonic() + wait
        path = f"{_path(BOOKING.name, booking_id)}/{what}"
        while True:
            left = min(max(end - time.monotonic(), 0.0), LONGEST_ASK_S)
            answer = await self._owners.ask(BOOKING.name, booking_id, path, {"wait": f"{left:.3f}"}, wait=left)
            if not answer.found:
                return None
            booking = _booking.decode(answer.body)
            if done(booking) or time.monotonic() >= end:
                return booking

    async def payment(self, payment_id: str, *, after: int | None = None, at: datetime | None = None) -> Payment | None:
        row = await self.row(PAYMENT.name, payment_id, payments.row_key(payment_id), after=after, at=at)
        return _payment.decode(row) if row is not None else None

    async def slots(
        self, provider_id: str, product_id: str, slots: Iterable[str], *, after: int | None = None
    ) -> SlotCounts | None:
        """What is held of a resource's slots, those without a hold left out."""
        query = {"provider_id": provider_id, "product_id": product_id, "slots": ",".join(slots), **_after(after)}
        key = resource_key(provider_id, product_id)
        answer = await self._owners.ask(AVAILABILITY.name, key, "/rows/availability", query, wait=_wait(after))
        return _slots.decode(answer.body) if answer.found else None


def _path(service: str, key: str) -> str:
    return f"/rows/{service}/{quote(key, safe='')}"


def _rows(answer: Answer) -> Named:
    return [(name, bytes(row)) for name, row in _found.decode(answer.body)] if answer.found else []


def _after(offset: int | None) -> dict[str, str]:
    return {} if offset is None else {"after": str(offset), "wait": str(_DECIDED_S)}


def _wait(offset: int | None) -> float:
    return 0.0 if offset is None else _DECIDED_S
