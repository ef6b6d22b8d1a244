"""Alerts in the analytics service's table, and how the figures of a property come together for them.

A booking is counted in its own partition, so the figures of a property lie in all of them. The partition of the
property keeps its alerts; once there is one, it asks every partition to tell that property's figures from then on, and
looks at no alert before each has told what it had, be it nothing.

Rows: `a|{property}|` the alerts of a property; `f|{property}|{day}` the figures of a day, of each partition the latest
it told; in every partition `w|{property}`: the property is watched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import unquote

import msgspec

from domain.alerts import MOST_DAYS, Alerts, Look, heard, remove_alert, review, set_alert, watch
from domain.decision import Decision
from domain.figures import NOTHING, Figures, summed
from streams.events import Event
from streams.events.analytics import FiguresMoved, RemoveAlert, SetAlert, WatchFigures
from streams.keys import partition_of, quoted
from streams.working import WorkingRows

#: How many days one message tells of.
_TOLD = 200


class Watched(msgspec.Struct, frozen=True):
    """The figures of a property are told to its partition."""


class Part(msgspec.Struct, frozen=True):
    """What a partition told of a day, and how far it had decided."""

    offset: int
    figures: Figures = NOTHING


class Parts(msgspec.Struct, frozen=True):
    """By partition."""

    parts: dict[int, Part] = {}


def alerts_key(property_id: str) -> str:
    return f"a|{quoted(property_id)}|"


def property_of(key: str) -> str:
    """The property whose alerts a row is."""
    return unquote(key.split("|")[1])


def watch_key(property_id: str) -> str:
    return f"w|{quoted(property_id)}"


def keep_alert(rows: WorkingRows, asked: SetAlert, now: datetime, partitions: int) -> Sequence[Event]:
    """Sets an alert; the first of a property has its figures watched in all partitions."""
    before = rows.get(alerts_key(asked.entity_id), Alerts) or Alerts()
    known, watches = before, list[Event]()
    if not before.watched:
        known = watch(partitions)
        watches = [WatchFigures(entity_id=key, property_id=asked.entity_id) for key in _a_key_for_each(partitions)]
    decision = set_alert(known, asked, _look(rows, asked.entity_id), now)
    return [*_kept(rows, asked.entity_id, before, decision), *watches]


def drop_alert(rows: WorkingRows, asked: RemoveAlert, now: datetime) -> Sequence[Event]:
    before = rows.get(alerts_key(asked.entity_id), Alerts) or Alerts()
    return _kept(rows, asked.entity_id, before, remove_alert(before, asked, now))


def begin_watching(
    rows: WorkingRows, asked: WatchFigures, days: Mapping[str, Figures], now: datetime, place: tuple[int, int]
) -> Sequence[Event]:
    """Tells what there is by now, and remembers to tell what changes. `place` is (partition, offset)."""
    rows.put(watch_key(asked.property_id), Watched())
    oldest = (now.date() - timedelta(days=MOST_DAYS + 1)).isoformat()
    recent = {day: figures for day, figures in days.items() if day >= oldest}
    *messages, last = told(asked.property_id, recent, place)
    return [*messages, msgspec.structs.replace(last, complete=True)]


def told(property_id: str, days: Mapping[str, Figures], place: tuple[int, int]) -> Iterator[FiguresMoved]:
    """The figures of these days as messages to the property's partition: one at least, also of no days."""
    names = sorted(days)
    for begin in range(0, max(1, len(names)), _TOLD):
        figures = {day: msgspec.to_builtins(days[day]) for day in names[begin : begin + _TOLD]}
        yield FiguresMoved(entity_id=property_id, partition=place[0], offset=place[1], figures=figures)


def take_figures(rows: WorkingRows, moved: FiguresMoved, now: datetime) -> Sequence[Event]:
    """Keeps what a partition told, unless it told later things before, and looks at the alerts."""
    for day, figures in moved.figures.items():
        key = _day_key(moved.entity_id, day)
        parts = (rows.get(key, Parts) or Parts()).parts
        known = parts.get(moved.partition)
        if known is None or known.offset < moved.offset:
            part = Part(moved.offset, msgspec.convert(figures, Figures))
            rows.put(key, Parts({**parts, moved.partition: part}))
    before = rows.get(alerts_key(moved.entity_id), Alerts) or Alerts()
    after = heard(before, moved.partition) if moved.complete else before
    return _kept(rows, moved.entity_id, before, review(moved.entity_id, after, _look(rows, moved.entity_id), now))


def _kept(rows: WorkingRows, property_id: str, before: Alerts, decision: Decision[Alerts]) -> Sequence[Event]:
    if decision.state != before:
        rows.put(alerts_key(property_id), decision.state)
    return decision.events


def _look(rows: WorkingRows, property_id: str) -> Look:
    def look(first: date, last: date) -> Mapping[date, Figures]:
        found: dict[date, Figures] = {}
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            parts = rows.get(_day_key(property_id, day.isoformat()), Parts)
            for part in parts.parts.values() if parts is not None else ():
                found[day] = summed(found.get(day, NOTHING), part.figures)
        return found

    return look


def _day_key(property_id: str, day: str) -> str:
    return f"f|{quoted(property_id)}|{day}"


def _a_key_for_each(partitions: int) -> list[str]:
    """For every partition a key that leads there."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        found.setdefault(partition_of(f"watch-{number}", partitions), f"watch-{number}")
        number += 1
    return [found[partition] for partition in range(partitions)]
