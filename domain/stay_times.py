"""When a stay may begin, be given up and end, by its property's clock; and which step is due by itself.

The dates are a rule: nobody checks in before the day of arrival, nobody is a no-show before the day after. The hours
of check-in and check-out are what the guest is promised, no bar: a front desk hands out a unit that is ready early.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.booking_state import Booking, BookingStatus
from domain.calendar import night_bounds, stay_of, zone
from streams.events import Event
from streams.events.about import Line
from streams.events.availability import ResourceDeclared
from streams.events.booking import CheckIn, MarkNoShow, StayDue
from streams.events.stay import StayRules, StayTimes

_DAY = timedelta(days=1)


def stay_times(resource: ResourceDeclared | None, lines: tuple[Line, ...]) -> StayTimes | None:
    """What these lines are held to by the rules of the resource, the first line's. None for what is not taken by the
    night, and where the resource names no hours. Raises Unbookable.
    """
    if resource is None or resource.stay is None or resource.slots != "nights":
        return None
    start, end = min(line.start for line in lines), max(line.end for line in lines)
    return times_of(resource.stay, resource.time_zone, *stay_of(start, end, resource.time_zone))


def times_of(rules: StayRules, time_zone: str, check_in: date, check_out: date) -> StayTimes:
    """The instants of a stay of these local dates. Raises Unbookable."""
    local = zone(time_zone)
    arrival, next_day = night_bounds(check_in, check_in + _DAY, time_zone)
    _, departed = night_bounds(check_out, check_out + _DAY, time_zone)
    return StayTimes(
        arrival=arrival,
        check_in_from=_at(check_in, rules.check_in_from, local),
        no_show_from=max(next_day, _at(check_in + _DAY, rules.no_show_from, local)),
        check_out_until=_at(check_out, rules.check_out_until, local),
        departed=departed,
        no_show=rules.no_show,
        check_out=rules.check_out,
    )


def possible_from(booking: Booking, step: Event) -> datetime | None:
    """From when a step may be taken; None for one that no date holds back, and for a booking made before there were
    any.
    """
    match step:
        case CheckIn() if booking.times is not None:
            return booking.times.arrival
        case MarkNoShow() if booking.times is not None:
            return booking.times.no_show_from
        case _:
            return None


def due_of(booking: Booking) -> datetime | None:
    """When the next step of a stay is taken without anybody's asking. None while there is none, or it has to wait for
    money or for a change, whose answer makes the row look again.
    """
    times = booking.times
    if times is None or booking.change is not None or not booking.paid:
        return None
    if booking.status is BookingStatus.CONFIRMED and times.no_show == "auto":
        return times.no_show_from
    if booking.status is BookingStatus.CHECKED_IN and times.check_out == "auto":
        return times.departed
    return None


def is_time(booking: Booking, step: Event, now: datetime) -> bool:
    """Whether a step may be taken at `now`. A tick is a belief: the row says what is due, and when."""
    if isinstance(step, StayDue):
        due = due_of(booking)
        return due is not None and now >= due
    first = possible_from(booking, step)
    return first is None or now >= first


def _at(day: date, hour: str, local: ZoneInfo) -> datetime:
    """A local hour in UTC: of one that the clocks repeat the first, of one they skip as much later as they skip."""
    return datetime.combine(day, time.fromisoformat(hour), local).astimezone(UTC)
