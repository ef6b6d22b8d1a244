"""The rate service's table: what became of declared prices, and what is left of the nights they are for.

Rows: `u|{resource}` how a resource was booked; `b|{resource}|{booking_id}` the price of one booking, so that it counts
once; `o|{resource}|{slot}` what is left of a night or slot. All of a resource lie in one partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.rates import Applied, Outlook, RateBook, Usage, decide
from streams.events import Envelope, Event
from streams.events.rate import RecordRate, ReviewRate
from streams.keys import KEYS
from streams.working import WorkingRows


class Rates:
    """Keeps count of rates on the rows of their resource."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        event, resource = message.data, KEYS["resource"](message.data)
        assert isinstance(event, RecordRate | ReviewRate)
        if isinstance(event, ReviewRate):
            return _review(rows, f"o|{resource}|{event.slot}", event, now)
        return _record(rows, resource, event, now)

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """Rows of rates are small: there is no smaller way to decide one."""
        return None


def _review(rows: WorkingRows, key: str, event: ReviewRate, now: datetime) -> Sequence[Event]:
    before = RateBook(outlook=rows.get(key, Outlook))
    decision = decide(before, event, now)
    if decision.state.outlook is not None and decision.state is not before:
        rows.put(key, decision.state.outlook)
    return decision.events


def _record(rows: WorkingRows, resource: str, event: RecordRate, now: datetime) -> Sequence[Event]:
    usage_key, booking_key = f"u|{resource}", f"b|{resource}|{event.booking_id}"
    before = RateBook(usage=rows.get(usage_key, Usage), applied=rows.get(booking_key, Applied))
    decision = decide(before, event, now)
    after = decision.state
    if after.usage is not None and after.applied is not None and after is not before:
        rows.put(usage_key, after.usage)
        rows.put(booking_key, after.applied)
    return decision.events
