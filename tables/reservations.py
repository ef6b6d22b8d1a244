"""The booking service's table: bookings, the indexes of what time does to them, and the history of each.

Rows: `b|{booking_id}` a booking; `d|{deadline}|{booking_id}` one whose deadline is still open; `t|{due}|{booking_id}` a
stay whose next step is taken by itself; what happened to it is in `tables.history`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from domain.booking import Booking, decide
from domain.booking_state import BookingStatus
from domain.stay_times import due_of
from streams.events import Envelope, Event
from streams.events.booking import DeadlinePassed, StayDue
from streams.keys import KEYS, partition_of
from streams.rows import RowStore
from streams.working import WorkingRows
from tables import due_index
from tables.history import remember


class Due(msgspec.Struct, frozen=True):
    """A booking that waits for an answer until its deadline."""

    booking_id: str


class NextStep(msgspec.Struct, frozen=True):
    """A stay that is marked a no-show, or checked out, by itself from `due` on."""

    booking_id: str
    due: datetime


class Reservations:
    """Decides bookings on their rows."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        booking_id = KEYS["booking_id"](message.data)
        before = rows.get(_key(booking_id), Booking)
        decision = decide(before, message.data, now)
        after = decision.state
        if after is not None and after is not before:
            state, said = rows.put(_key(booking_id), after), decision.events
            remember(rows, booking_id, state, message, said, now=now, offset=offset, source="booking-service")
        if after is not None:
            _keep_due(rows, before, after, message.data)
            _keep_next_step(rows, before, after, message.data)
        return decision.events

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """A booking's row is bounded by its request's size: there is no smaller way to decide one."""
        return None


def _key(booking_id: str) -> str:
    return f"b|{booking_id}"


def _open_until(booking: Booking | None) -> datetime | None:
    """Until when it waits for answers, as a whole or for a change; None where it waits for nothing."""
    if booking is None:
        return None
    if booking.status is BookingStatus.PENDING:
        return booking.deadline
    return booking.change.deadline if booking.change is not None else None


def _keep_due(rows: WorkingRows, before: Booking | None, after: Booking, message: Event) -> None:
    ticked = (after.deadline, after.change_deadline) if isinstance(message, DeadlinePassed) else ()
    due_index.move(
        rows,
        lambda deadline: f"d|{due_index.instant(deadline)}|{after.booking_id}",
        lambda deadline: Due(after.booking_id),
        _open_until(before),
        _open_until(after),
        ticked=ticked,
    )


def _keep_next_step(rows: WorkingRows, before: Booking | None, after: Booking, message: Event) -> None:
    due_index.move(
        rows,
        lambda due: f"t|{due_index.instant(due)}|{after.booking_id}",
        lambda due: NextStep(after.booking_id, due),
        due_of(before) if before is not None else None,
        due_of(after),
        ticked=(message.due,) if isinstance(message, StayDue) else (),
    )


def read(store: RowStore, booking_id: str) -> Booking | None:
    """The booking as it is durable in this worker.

    Raises:
        NotOwner: another worker has it.
    """
    raw = store.get(partition_of(booking_id, store.partitions), _key(booking_id))
    return msgspec.json.decode(raw, type=Booking) if raw is not None else None


def row_key(booking_id: str) -> str:
    """The key of a booking's row, for readers that wait for its change."""
    return _key(booking_id)


def due(store: RowStore, partition: int, now: datetime, most: int) -> Iterator[str]:
    """The bookings of a partition whose deadline is over, the longest over first, at most `most`."""
    for raw in due_index.over(store, partition, "d|", now, most):
        yield msgspec.json.decode(raw, type=Due).booking_id


def due_stays(store: RowStore, partition: int, now: datetime, most: int) -> Iterator[NextStep]:
    """The stays of a partition whose next step is due, the longest due first, at most `most`."""
    for raw in due_index.over(store, partition, "t|", now, most):
        yield msgspec.json.decode(raw, type=NextStep)
