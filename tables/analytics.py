"""The analytics service's table: figures of each property by day, and what they were counted from.

Rows: `k|{property}|{day}` the figures of a property on a local date (`prefixes`); `n|{day}` how many news of each type
there were; `e|{entity}|{day}` which of an entity's news were counted; `b|{booking_id}` what is known of a booking.
They lie in the partition of the entity, so the figures of a property are the sum over all partitions. Those of alerts:
`tables.alerts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

import msgspec

from domain.counting import Known, Seen, day_of, decide
from domain.figures import NOTHING, Figures, Place, Tracked, changes, summed
from streams.events import Envelope, Event
from streams.events.analytics import FiguresMoved, Observe, RemoveAlert, SetAlert, WatchFigures
from streams.keys import partition_of, quoted
from streams.working import WorkingRows
from tables.alerts import Watched, begin_watching, drop_alert, keep_alert, take_figures, told, watch_key

_figures = msgspec.json.Decoder(Figures)


class News(msgspec.Struct, frozen=True):
    """How many news there were on a day, by canonical type."""

    counts: dict[str, int] = {}


class Analytics:
    """Counts what was observed on the rows of its entity. `partitions` is how many the inbox has."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        asked = message.data
        if isinstance(asked, Observe):
            return self._count(rows, asked, now, offset)
        if isinstance(asked, FiguresMoved):
            return take_figures(rows, asked, now)
        if isinstance(asked, SetAlert):
            return keep_alert(rows, asked, now, self._partitions)
        if isinstance(asked, RemoveAlert):
            return drop_alert(rows, asked, now)
        assert isinstance(asked, WatchFigures)
        prefix = _property_prefix(asked.property_id)
        days = {key.removeprefix(prefix): figures for key, figures in rows.scan(prefix, Figures)}
        return begin_watching(rows, asked, days, now, (partition_of(asked.entity_id, self._partitions), offset))

    def _count(self, rows: WorkingRows, observed: Observe, now: datetime, offset: int) -> Sequence[Event]:
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
            moved: dict[str, dict[str, Figures]] = {}
            for place, change in changes(before.booking, after.booking).items():
                moved.setdefault(place[0], {})[str(place[1])] = _add(rows, place, change)
            return [*decision.events, *self._told(rows, observed, moved, offset)]
        return decision.events

    def _told(
        self, rows: WorkingRows, observed: Observe, moved: Mapping[str, Mapping[str, Figures]], offset: int
    ) -> Iterator[Event]:
        """The figures that changed of properties that are watched."""
        place = partition_of(observed.entity_id, self._partitions), offset
        for property_id, days in moved.items():
            if rows.get(watch_key(property_id), Watched) is not None:
                yield from told(property_id, days, place)

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """A booking's nights are bounded, and a night's row is small: there is no smaller way to count one."""
        return None


def _count(rows: WorkingRows, observed: Observe) -> None:
    key = f"n|{day_of(observed)}"
    counts = (rows.get(key, News) or News()).counts
    rows.put(key, News({**counts, observed.name: counts.get(observed.name, 0) + 1}))


def _add(rows: WorkingRows, place: Place, change: Figures) -> Figures:
    key = f"{_property_prefix(place[0])}{place[1]}"
    total = summed(rows.get(key, Figures) or NOTHING, change)
    if total != NOTHING:
        rows.put(key, total)
    else:
        rows.delete(key)
    return total


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
