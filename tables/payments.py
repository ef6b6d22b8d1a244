"""The payment service's table: `p|{payment_id}` is one payment with its refunds and the effects it was answered.

`s|{payment_id}` is one that waits for its settlement; what happened to a payment is in `tables.history`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.payment import Payment, decide
from streams.events import Envelope, Event
from streams.keys import KEYS, partition_of
from streams.rows import RowStore
from streams.working import WorkingRows
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
            payment_id = decision.state.payment_id
            remember(rows, payment_id, state, message, said, now=now, offset=offset, source="payment-service")
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
