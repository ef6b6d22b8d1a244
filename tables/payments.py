"""The payment service's table: `p|{payment_id}` is one payment with its refunds and the effects it was answered.

`s|{payment_id}` is one that waits for its settlement, `d|{due}|{payment_id}` one whose parked call is made again, in
the order of these times; what happened to a payment is in `tables.history`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.payment import Payment, decide
from streams.events import Envelope, Event
from streams.events.payment import CallDue, CallParked
from streams.keys import KEYS, partition_of
from streams.rows import RowStore
from streams.working import WorkingRows
from tables import due_index
from tables.history import remember


class Payments:
    """Decides payments on their rows."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        key = row_key(KEYS["payment_id"](message.data))
        before = rows.get(key, Payment)
        decision = decide(before, message.data, now)
        if decision.state is not None and decision.state is not before:
            state, said = rows.put(key, decision.state), decision.events
            _keep_unsettled(rows, before, decision.state)
            # An outage is no part of a payment's history, which it would make longer by the minute.
            if not isinstance(message.data, CallParked | CallDue):
                payment_id = decision.state.payment_id
                remember(rows, payment_id, state, message, said, now=now, offset=offset, source="payment-service")
        _keep_due(rows, before, decision.state, message.data)
        return decision.events

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """A payment's row is small: there is no smaller way to decide one."""
        return None


class Unsettled(msgspec.Struct, frozen=True):
    """A payment that was taken and that no settlement run has booked."""

    payment_id: str
    amount: Decimal
    currency: str


def _keep_unsettled(rows: WorkingRows, before: Payment | None, after: Payment) -> None:
    key = f"s|{after.payment_id}"
    if after.unsettled:
        rows.put(key, Unsettled(after.payment_id, after.captured - after.refunded, after.currency), keep=False)
    elif before is not None and before.unsettled:
        rows.delete(key)


class Due(msgspec.Struct, frozen=True):
    """A payment whose parked call is to be made again at a time."""

    payment_id: str
    due: datetime


def _keep_due(rows: WorkingRows, before: Payment | None, after: Payment | None, message: Event) -> None:
    payment_id = KEYS["payment_id"](message)
    due_index.move(
        rows,
        lambda due: f"d|{due_index.instant(due)}|{payment_id}",
        lambda due: Due(payment_id, due),
        before.call_due if before is not None else None,
        after.call_due if after is not None else None,
        ticked=(message.due,) if isinstance(message, CallDue) else (),
    )


def due_calls(store: RowStore, partition: int, now: datetime, most: int) -> Iterator[Due]:
    """The payments of a partition whose parked call is to be made again, the longest due first, at most `most`."""
    for raw in due_index.over(store, partition, "d|", now, most):
        yield msgspec.json.decode(raw, type=Due)


def row_key(payment_id: str) -> str:
    """The key of a payment's row, for readers that wait for its change."""
    return f"p|{payment_id}"


def read(store: RowStore, payment_id: str) -> Payment | None:
    """The payment as it is durable in this worker.

    Raises:
        NotOwner: another worker has it.
    """
    raw = store.get(partition_of(payment_id, store.partitions), row_key(payment_id))
    return msgspec.json.decode(raw, type=Payment) if raw is not None else None
