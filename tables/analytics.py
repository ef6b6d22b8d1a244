"""The analytics service's table: figures of each property by day, and what they were counted from.

Rows: `k|{property}|{day}` the figures of a property on a local date (`prefixes`); `n|{day}` how many news of each type
there were; `e|{entity}|{day}` which of an entity's news were counted; `b|{booking_id}` what is known of a booking.
They lie in the partition of the entity, so the figures of a property are the sum over all partitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import msgspec

from domain.counting import Known, Seen, day_of, decide
from domain.figures import NOTHING, Figures, Place, Tracked, changes, summed
from streams.events import Envelope, Event
from streams.events.analytics import Observe
from streams.keys import quoted
from streams.working import WorkingRows

_figures = msgspec.json.Decoder(Figures)


class News(msgspec.Struct, frozen=True):
    """How many news there were on a day, by canonical type."""

    counts: dict[str, int] = {}


class Analytics:
    """Counts what was observed on the rows of its entity."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        observed = message.data
        assert isinstance(observed, Observe)
        seen_key, booking_key = f"e|{observed.entity_id}|{day_of(observed)}", f"b|{observed.entity_id}"
        before = Known(rows.get(seen_key, Seen), rows.get(booking_key, Tracked))
        decision = decide(before, observed, now)
        after = decision.state
        if after.seen is None or after is before:
            return decision.events
        rows.put(seen_key, after.seen)
        _count(rows, observed)
        if after.booking is not None and after.booking != before.booking:
            rows.put(booking_key, after.booking)
            for place, change in changes(before.booking, after.booking).items():
                _add(rows, place, change)
        return decision.events

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """A booking's nights are bounded, and a night's row is small: there is no smaller way to count one."""
        return None


def _count(rows: WorkingRows, observed: Observe) -> None:
    key = f"n|{day_of(observed)}"
    counts = (rows.get(key, News) or News()).counts
    rows.put(key, News({**counts, observed.name: counts.get(observed.name, 0) + 1}))


def _add(rows: WorkingRows, place: Place, change: Figures) -> None:
    key = f"{_property_prefix(place[0])}{place[1]}"
    total = summed(rows.get(key, Figures) or NOTHING, change)
    if total != NOTHING:
        rows.put(key, total)
    else:
        rows.delete(key)


def _property_prefix(property_id: str) -> str:
    return f"k|{quoted(property_id)}|"


def prefixes(property_id: str, first: date, last: date) -> list[str]:
    """What the keys of a property's figures of these days begin with: one for each year, of at most 366 rows each."""
    return [f"{_property_prefix(property_id)}{year}" for year in _years(first, last)]


def news_prefixes(first: date, last: date) -> list[str]:
    """The same for the rows of news."""
    return [f"n|{year}" for year in _years(first, last)]


def _years(first: date, last: date) -> list[str]:
    return [f"{year:04}-" for year in range(first.year, last.year + 1)]


def figures_of(rows: Iterable[tuple[str, bytes]], first: date, last: date) -> dict[date, Figures]:
    """The figures of each day from `first` to `last`, summed over the rows of all partitions."""
    found: dict[date, Figures] = {}
    for key, raw in rows:
        day = date.fromisoformat(key.rpartition("|")[2])
        if first <= day <= last:
            found[day] = summed(found.get(day, NOTHING), _figures.decode(raw))
    return found
