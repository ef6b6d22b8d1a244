"""The record service's table: `r|{record_id}` is one record. What happened to it is in `tables.history`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.records import Record, decide
from streams.events import Envelope, Event
from streams.keys import KEYS
from streams.working import WorkingRows
from tables.history import remember


class Records:
    """Decides prescriptions, pharmacy orders and health records on their rows."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        record_id = KEYS["record_id"](message.data)
        before = rows.get(row_key(record_id), Record)
        decision = decide(before, message.data, now)
        after, said = decision.state, decision.events
        if after is not None and after is not before:
            state = rows.put(row_key(record_id), after)
            remember(rows, record_id, state, message, said, now=now, offset=offset, source="record-service")
        return said

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """A record's row is bounded by its request's size: there is no smaller way to decide one."""
        return None


def row_key(record_id: str) -> str:
    """The key of a record's row."""
    return f"r|{record_id}"
