"""What a letter of a stay or an appointment brings for the guest's calendar (RFC 5545).

The entry is the booking's: a change of it puts the new dates in the place of the old ones, a cancellation takes it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icalendar import Calendar, Event, Timezone

FILE_NAME = "booking.ics"
#: The letters with an entry, and what each does to the calendar.
_METHODS = {
    "booking_confirmed": "PUBLISH",
    "booking_changed": "PUBLISH",
    "appointment_confirmed": "PUBLISH",
    "booking_cancelled": "CANCEL",
    "appointment_cancelled": "CANCEL",
}
#: Of the state after which there is no other.
_LAST = 999_999


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """The file's content, and its method, which its media type names, too."""

    text: str
    method: str


def calendar_of(template: str, facts: Mapping[str, Any], booking_id: str | None, at: datetime) -> CalendarFile | None:
    """The file for a letter of that template, None for one without an entry. `at` is when the news was told.

    What is not confirmed has none, nor has what names no time that a calendar can show.
    """
    try:
        return _written(template, facts, booking_id, at)
    except (ValueError, OverflowError):
        return None  # the first and the last years that there are: a letter without the file is better than none


def _written(template: str, facts: Mapping[str, Any], booking_id: str | None, at: datetime) -> CalendarFile | None:
    method = _METHODS.get(template)
    if method is None or booking_id is None or facts.get("status") == "PENDING":
        return None
    times = _times(facts)
    if times is None:
        return None
    entry = Event()
    entry.add("uid", f"{booking_id}@vacancy")
    entry.add("sequence", _LAST if method == "CANCEL" else int(facts.get("revision", 1)))
    entry.add("dtstamp", at.astimezone(UTC).replace(microsecond=0))
    entry.add("dtstart", times[0])
    entry.add("dtend", times[1])
    entry.add("summary", _summary(facts))
    if facts.get("confirmation_number"):
        entry.add("description", f"Confirmation number: {facts['confirmation_number']}")
    if facts.get("kind") == "stay" and facts.get("provider"):
        entry.add("location", str(facts["provider"]))
    entry.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    # The days of a stay are not days without time for anything else.
    entry.add("transp", "TRANSPARENT" if facts.get("check_in") else "OPAQUE")
    calendar = Calendar()
    calendar.add("prodid", "-//Vacancy//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(entry)
    if not facts.get("check_in"):
        calendar.add_component(_rules(str(facts["time_zone"]), times[0].year))
    return CalendarFile(calendar.to_ical().decode(), method)


def _times(facts: Mapping[str, Any]) -> tuple[date, date] | None:
    """From when until when: whole days of a stay, hours with their zone of anything else; both are datetimes then."""
    try:
        if facts.get("check_in"):
            return date.fromisoformat(str(facts["check_in"])), date.fromisoformat(str(facts["check_out"]))
        local = ZoneInfo(str(facts["time_zone"]))
        start, end = (datetime.fromisoformat(str(facts[name])).replace(tzinfo=local) for name in ("start", "end"))
    except (KeyError, ValueError, ZoneInfoNotFoundError, OSError):
        return None
    return start, end


@lru_cache(maxsize=1_000)
def _rules(time_zone: str, year: int) -> Timezone:
    """The rules of a zone around a year: calendars do not look them up by its name."""
    return Timezone.from_tzid(time_zone, first_date=date(year - 1, 1, 1), last_date=date(year + 2, 1, 1))


def _summary(facts: Mapping[str, Any]) -> str:
    product = facts.get("product")
    match facts.get("kind"):
        case "stay":
            return f"Stay at {facts['provider']}" if facts.get("provider") else "Stay"
        case "appointment":
            return f"Appointment with {product}" if product else "Appointment"
        case _:
            return str(product or "Booking")
