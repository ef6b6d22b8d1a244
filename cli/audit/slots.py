"""The nights and slots a period takes, by the auditor's own calendar.

Nights are the local dates of the half-open `[start, end)`, at least one. Slots of minutes lie on a grid counted in UTC
from 1970; every slot that is touched is taken.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

STOCK = "stock"

_GRID = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=100_000)
def taken(slots: str | int, time_zone: str, start: str, end: str) -> tuple[str, ...]:
    """The labels of the slots `[start, end)` takes; none where time is not cut so. Raises ValueError on nonsense.

    What is not cut in time at all, stock, has one slot.
    """
    begin, after = datetime.fromisoformat(start), datetime.fromisoformat(end)
    if after <= begin:
        return ()
    if slots == "none":
        return (STOCK,)
    if slots == "nights":
        return _nights(time_zone, begin, after)
    return _minutes(slots, begin, after) if isinstance(slots, int) and slots > 0 else ()


def running(slots: str | int, time_zone: str, at: int) -> str:
    """The label of the slot that runs at that time (in milliseconds); what sorts before it is over."""
    now = datetime.fromtimestamp(at / 1000, UTC)
    labels = taken(slots, time_zone, now.isoformat(), (now + timedelta(microseconds=1)).isoformat())
    return labels[0] if labels else ""


def _nights(time_zone: str, start: datetime, end: datetime) -> tuple[str, ...]:
    zone = ZoneInfo(time_zone)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    nights = [day.isoformat()]
    while (day := day + timedelta(days=1)) < last:
        nights.append(day.isoformat())
    return tuple(nights)


def _minutes(length: int, start: datetime, end: datetime) -> tuple[str, ...]:
    step = timedelta(minutes=length)
    slot = _GRID + (start - _GRID) // step * step
    labels = []
    while slot < end:
        labels.append(slot.strftime("%Y-%m-%dT%H:%MZ"))
        slot += step
    return tuple(labels)
