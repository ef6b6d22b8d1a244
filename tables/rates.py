"""The rate service's table: what became of declared prices, and what is left of the nights they are for.

Rows: `u|{resource}` how a resource was booked; `b|{resource}|{booking_id}` the price of one booking, so that it counts
once; `o|{resource}|{slot}` what is left of a night or slot; those of `tables.rate_prices`. All of a resource lie in one
partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.rates import Applied, Outlook, RateBook, Usage, decide
from streams.events import Envelope, Event
from streams.events.rate import KeepRates, RecordRate, ReviewPlan, ReviewRate
from streams.keys import KEYS
from streams.working import WorkingRows
from tables import rate_prices


class Rates:
    """Keeps count of rates on the rows of their resource."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        event, resource = message.data, KEYS["resource"](message.data)
        at = rate_prices.At(rows, now, offset)
        match event:
            case ReviewRate():
                return _review(at, f"o|{resource}|{event.slot}", event)
            case RecordRate():
                return _record(rows, resource, event, now)
            case KeepRates():
                return rate_prices.keep(at, event)
            case ReviewPlan():
                return rate_prices.review_plan(at, event)
        raise AssertionError(f"{message.event_type} is none of the rate service's")

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """Rows of rates are small: there is no smaller way to decide one."""
        return None


def _review(at: rate_prices.At, key: str, event: ReviewRate) -> Sequence[Event]:
    before = RateBook(outlook=at.rows.get(key, Outlook))
    decision = decide(before, event, at.now)
    outlook = decision.state.outlook
    if outlook is None or decision.state is before:
        return ()
    at.rows.put(key, outlook)
    return rate_prices.review_night(at, event, outlook)


def _record(rows: WorkingRows, resource: str, event: RecordRate, now: datetime) -> Sequence[Event]:
    usage_key, booking_key = f"u|{resource}", f"b|{resource}|{event.booking_id}"
    before = RateBook(usage=rows.get(usage_key, Usage), applied=rows.get(booking_key, Applied))
    decision = decide(before, event, now)
    after = decision.state
    if after.usage is not None and after.applied is not None and after is not before:
        rows.put(usage_key, after.usage)
        rows.put(booking_key, after.applied)
    return decision.events
