"""Between instants and the local dates and hours that documents show. Never fails for a message of ours."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from streams.codec import Undecodable


def local(instant: datetime, time_zone: str) -> datetime:
    """The time the clocks of a zone show; UTC where there is no such zone, or the calendar ends before it."""
    found = _zone(time_zone)
    try:
        return instant.astimezone(found) if found is not None else instant.astimezone(UTC)
    except OverflowError:
        return instant.astimezone(UTC)


def instant(day: str, hour: str, time_zone: str) -> datetime:
    """When a zone's clocks show an ISO date and hour, in UTC; an hour that clocks skip is read as before the change.

    Raises:
        Undecodable: no such date, hour or zone, or beyond the calendar.
    """
    found = _zone(time_zone)
    if found is None:
        raise Undecodable(f"{time_zone!r} is no time zone")
    try:
        shown = datetime.combine(datetime.fromisoformat(day).date(), time.fromisoformat(hour))
        return shown.replace(tzinfo=found).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Undecodable(f"{day!r} {hour!r} is no local date and time") from None


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or the name of a folder of zones
        return None
