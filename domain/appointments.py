"""An appointment's time: one slot of a practitioner, named by a local date and hour in the practitioner's zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from domain.calendar import MAX_MINUTES, Unbookable, zone
from streams.events.availability import Slots

#: Whose resources all practitioners are.
CLINIC = "clinic"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{2}:\d{2}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def appointment_period(slots: Slots, time_zone: str, day: str, hour: str) -> tuple[datetime, datetime]:
    """The slot that begins at the hour `HH:MM` of the ISO date `day`, in UTC. An hour that clocks show twice is the
    first one.

    Raises:
        Unbookable: unsupported_slots (no minutes), unknown_time_zone, invalid_period (no such date or hour there), or
            off_the_grid (no slot begins then).
    """
    if not isinstance(slots, int) or not 0 < slots <= MAX_MINUTES:
        raise Unbookable("unsupported_slots")
    start, length = _instant(day, hour, time_zone), timedelta(minutes=slots)
    if (start - _EPOCH) % length:
        raise Unbookable("off_the_grid")
    return start, start + length


def local_time(instant: datetime, time_zone: str) -> tuple[str, str]:
    """The ISO date and `HH:MM` that the clocks of a zone show. Raises Unbookable("unknown_time_zone")."""
    shown = instant.astimezone(zone(time_zone))
    return shown.date().isoformat(), f"{shown:%H:%M}"


def _instant(day: str, hour: str, time_zone: str) -> datetime:
    local = zone(time_zone)
    if not (_DATE.fullmatch(day) and _TIME.fullmatch(hour)):
        raise Unbookable("invalid_period")
    try:
        shown = datetime.combine(date.fromisoformat(day), time.fromisoformat(hour), local)
        found = shown.astimezone(UTC)
        exists = found.astimezone(local).replace(tzinfo=None) == shown.replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise Unbookable("invalid_period") from None
    if not exists:  # the clocks skip it
        raise Unbookable("invalid_period")
    return found
