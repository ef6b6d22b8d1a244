"""How a resource's time is cut into slots, and between local dates and instants. Time is half-open: `[start, end)`.

Nights are dates of the resource's time zone. Minutes lie on a grid counted in UTC, so that a day of 23 or 25 hours
neither skips a slot nor has one twice, and the grid never depends on a time zone's rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from streams.events.availability import Slots

#: What one line may take at most: bounds the rows one decision touches, and so the record batch it is written in.
MAX_SLOTS = 366
#: A slot of minutes is at most a day long.
MAX_MINUTES = 24 * 60

#: How far ahead anything can be booked.
HORIZON = timedelta(days=5 * 366)

#: The one slot of what is not cut in time.
STOCK = "stock"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NIGHT = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)

T = TypeVar("T")


class Unbookable(ValueError):
    """A period that cannot be cut into slots: `reason` is a refusal's reason, e.g. "too_many_slots"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name. Raises Unbookable("unknown_time_zone")."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or the name of a folder of zones
        raise Unbookable("unknown_time_zone") from None


def slots_of(slots: Slots, time_zone: str, start: datetime, end: datetime) -> tuple[str, ...]:
    """The slots that `[start, end)` touches, in order: "2026-12-24" for a night, "2026-12-24T09:15Z" for minutes.

    Raises Unbookable: invalid_period, unknown_time_zone, too_many_slots, or unsupported_slots.
    """
    if end <= start:
        raise Unbookable("invalid_period")
    match slots:
        case "nights":
            return _nights(zone(time_zone), start, end)
        case int(minutes) if 0 < minutes <= MAX_MINUTES:
            return _minutes(timedelta(minutes=minutes), start, end)
        case "none":
            return (STOCK,)
        case _:
            raise Unbookable("unsupported_slots")


def current_slot(slots: Slots, time_zone: str, now: datetime) -> str:
    """The slot that is running: those that sort before it are over. Raises Unbookable as `slots_of`."""
    return slots_of(slots, time_zone, now, now + _MOMENT)[0]


def nights_between(from_date: date, to_date: date) -> tuple[str, ...]:
    """The nights of `[from_date, to_date)`, in order. Raises Unbookable: invalid_period or too_many_slots."""
    if to_date <= from_date:
        raise Unbookable("invalid_period")
    return tuple(_bounded((to_date - from_date).days, lambda night: (from_date + night * _NIGHT).isoformat()))


def date_after(night: str) -> str | None:
    """The date on which a stay ends whose last night this is; None where the calendar ends."""
    last = date.fromisoformat(night)
    return (last + _NIGHT).isoformat() if last < date.max else None


def days_until(night: str, time_zone: str, now: datetime) -> int:
    """Days from today, by the clock of the place, to that date. Raises Unbookable."""
    return (date.fromisoformat(night) - now.astimezone(zone(time_zone)).date()).days


def night_bounds(check_in: date, check_out: date, time_zone: str) -> tuple[datetime, datetime]:
    """A stay's local dates as UTC instants: from the first local midnight to the last one, which is not part of it.

    A midnight that a change of clocks skips or repeats is where its date begins. Raises Unbookable.
    """
    local = zone(time_zone)

    def begin(day: date) -> datetime:
        return _within_years(lambda: datetime.combine(day, time.min, local).astimezone(UTC))

    return begin(check_in), begin(check_out)


def stay_of(start: datetime, end: datetime, time_zone: str) -> tuple[date, date]:
    """`[start, end)` as check-in and check-out in local dates, at least one night apart. Raises Unbookable."""
    local = zone(time_zone)

    def dates() -> tuple[date, date]:
        check_in = start.astimezone(local).date()
        return check_in, max(end.astimezone(local).date(), check_in + _NIGHT)

    return _within_years(dates)


def _nights(local: ZoneInfo, start: datetime, end: datetime) -> tuple[str, ...]:
    return nights_between(*stay_of(start, end, local.key))


def _minutes(length: timedelta, start: datetime, end: datetime) -> tuple[str, ...]:
    first = (start - _EPOCH) // length
    after = -((_EPOCH - end) // length)  # rounded up: a slot that is only touched is taken too

    def label(slot: int) -> str:
        begin = _within_years(lambda: _EPOCH + (first + slot) * length)
        return f"{begin.replace(tzinfo=None).isoformat(timespec='minutes')}Z"

    return tuple(_bounded(after - first, label))


def _bounded(count: int, label: Callable[[int], str]) -> Iterator[str]:
    if count > MAX_SLOTS:
        raise Unbookable("too_many_slots")
    return map(label, range(count))


def _within_years(compute: Callable[[], T]) -> T:
    """The calendar ends with the years 1 and 9999; what lies beyond is no period."""
    try:
        return compute()
    except OverflowError:
        raise Unbookable("invalid_period") from None
