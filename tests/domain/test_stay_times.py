"""When a stay may begin, be given up and end, by the property's clock, on days when clocks are set, too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.booking import Booking, BookingStatus
from domain.stay_times import due_of, stay_times, times_of
from streams.events import Event
from streams.events.availability import ResourceDeclared
from streams.events.booking import CheckIn, CheckOut, MarkNoShow, StayDue
from streams.events.booking_news import BookingCheckedIn, BookingCompleted, BookingNoShow
from streams.events.payment import Refund
from streams.events.stay import StayRules, StayTimes
from tests.domain.messages import (
    CHECK_IN,
    booked_line,
    cancel,
    change,
    night,
    payment_authorized,
    payment_captured,
    request,
    reserved,
)
from tests.domain.services import RowOf, Story, given_booking

AMSTERDAM = "Europe/Amsterdam"
ARRIVAL, DEPARTURE = date(2026, 12, 24), date(2026, 12, 26)
TIMES = times_of(StayRules(), AMSTERDAM, ARRIVAL, DEPARTURE)
AUTO = msgspec.structs.replace(TIMES, no_show="auto", check_out="auto")
SECOND = timedelta(seconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stay(times: StayTimes | None, *messages: Event) -> Story[RowOf[Booking]]:
    """A stay in Amsterdam from 24 to 26 December, confirmed and paid."""
    asked = request(time_zone=AMSTERDAM, times=times)
    return given_booking(asked, payment_authorized(), reserved(), payment_captured(), *messages)


def status(story: Story[RowOf[Booking]]) -> BookingStatus:
    return story.service.state.status


def check_in() -> CheckIn:
    return CheckIn(booking_id="b1")


def check_out() -> CheckOut:
    return CheckOut(booking_id="b1")


def no_show() -> MarkNoShow:
    return MarkNoShow(booking_id="b1")


def tick(due: datetime) -> StayDue:
    return StayDue(booking_id="b1", due=due)


@pytest.mark.proves("HTL-02")
def test_a_stay_has_the_hours_of_its_property() -> None:
    """The 24th of December in Amsterdam begins an hour before it does in UTC; the hours are the usual ones."""
    assert (
        StayTimes(
            arrival=utc("2026-12-23T23:00"),
            check_in_from=utc("2026-12-24T14:00"),
            no_show_from=utc("2026-12-24T23:00"),
            check_out_until=utc("2026-12-26T10:00"),
            departed=utc("2026-12-26T23:00"),
        )
        == TIMES
    )


def test_a_guest_checks_in_from_the_day_of_arrival_on_whatever_the_hour() -> None:
    stay(TIMES).when(check_in(), at=TIMES.arrival - SECOND).then_nothing()
    assert len(stay(TIMES).when(check_in(), at=TIMES.arrival).of(BookingCheckedIn)) == 1
    late = stay(TIMES).when(check_in(), at=utc("2026-12-25T21:00"))
    assert status(late) is BookingStatus.CHECKED_IN


def test_a_guest_is_no_no_show_before_the_night_is_over() -> None:
    stay(TIMES).when(no_show(), at=TIMES.no_show_from - SECOND).then_nothing()
    assert len(stay(TIMES).when(no_show(), at=TIMES.no_show_from).of(BookingNoShow)) == 1


def test_a_no_show_hour_gives_late_guests_time() -> None:
    times = times_of(StayRules(no_show_from="04:30"), AMSTERDAM, ARRIVAL, DEPARTURE)
    assert times.no_show_from == utc("2026-12-25T03:30")


def test_a_guest_leaves_whenever_they_want() -> None:
    """Check-out has no calendar: the same evening, or days after the last night."""
    for at in (TIMES.arrival, TIMES.departed + timedelta(days=3)):
        story = stay(TIMES).when(check_in(), at=TIMES.arrival).when(check_out(), at=at)
        assert status(story) is BookingStatus.COMPLETED


def test_a_booking_from_before_there_were_times_moves_on_at_any_time() -> None:
    assert status(stay(None).when(check_in(), at=CHECK_IN - timedelta(days=20))) is BookingStatus.CHECKED_IN
    assert status(stay(None).when(no_show(), at=CHECK_IN - timedelta(days=20))) is BookingStatus.NO_SHOW


def test_other_dates_have_other_times() -> None:
    later = times_of(StayRules(), AMSTERDAM, date(2026, 12, 25), date(2026, 12, 27))
    lines = booked_line(start=night(1), end=night(3))
    story = stay(AUTO, change(lines, times=later), reserved(revision=2))
    assert story.service.state.times == later
    story.when(check_in(), at=TIMES.arrival).then_nothing()
    words = stay(AUTO, change(guest="sealed other"))
    assert (words.service.state.revision, words.service.state.times) == (2, AUTO)


# --- by itself ---


def test_a_guest_who_never_came_is_a_no_show_by_itself() -> None:
    due = AUTO.no_show_from
    stay(AUTO).when(tick(due), at=due - SECOND).then_nothing()
    story = stay(AUTO).when(tick(due), at=due + timedelta(days=9))
    assert len(story.of(BookingNoShow)) == 1
    story.when(tick(due), at=due + timedelta(days=9)).then_nothing()


def test_a_guest_who_left_without_a_word_is_checked_out_by_itself() -> None:
    due = AUTO.departed
    arrived = stay(AUTO).when(check_in(), at=AUTO.arrival)
    arrived.when(tick(due), at=due - SECOND).then_nothing()
    left = arrived.when(tick(due), at=due)
    assert len(left.of(BookingCompleted)) == 1
    assert left.of(Refund) == ()
    left.when(tick(due), at=due).then_nothing()


def test_nothing_happens_by_itself_where_nobody_asked_for_it() -> None:
    stay(TIMES).when(tick(TIMES.no_show_from), at=TIMES.departed).then_nothing()
    stay(None).when(tick(TIMES.no_show_from), at=TIMES.departed).then_nothing()
    arrived = stay(TIMES).when(check_in(), at=TIMES.arrival)
    arrived.when(tick(TIMES.departed), at=TIMES.departed).then_nothing()


def test_a_tick_for_a_guest_who_came_or_cancelled_is_late() -> None:
    """The tick and the arrival cross: whichever is first on the inbox counts."""
    stay(AUTO).when(check_in(), at=AUTO.arrival).when(tick(AUTO.no_show_from), at=AUTO.no_show_from).then_nothing()
    stay(AUTO, cancel()).when(tick(AUTO.no_show_from), at=AUTO.no_show_from).then_nothing()


def test_what_waits_for_money_or_a_change_is_not_due() -> None:
    unpaid = given_booking(request(times=AUTO), payment_authorized(), reserved())
    assert due_of(unpaid.service.state) is None
    assert due_of(unpaid.when(payment_captured()).service.state) == AUTO.no_show_from
    changing = stay(AUTO, change(booked_line(start=night(1), end=night(3)), times=AUTO))
    assert due_of(changing.service.state) is None


# --- the clocks ---


@dataclass(frozen=True)
class Clocks:
    """A stay of one night over a day when the clocks are set, and the instants it has."""

    zone: str
    check_in: date
    rules: StayRules
    arrival: str
    check_in_from: str
    no_show_from: str
    check_out_until: str
    departed: str


CLOCKS = [
    # The night that is an hour shorter: the no-show hour 02:30 does not exist, and comes as 03:30.
    Clocks(
        *("Europe/Berlin", date(2027, 3, 27), StayRules(no_show_from="02:30"), "2027-03-26T23:00"),
        *("2027-03-27T14:00", "2027-03-28T01:30", "2027-03-28T09:00", "2027-03-28T22:00"),
    ),
    # And the longer one: 02:30 comes twice, and counts the first time.
    Clocks(
        *("Europe/Berlin", date(2027, 10, 30), StayRules(no_show_from="02:30"), "2027-10-29T22:00"),
        *("2027-10-30T13:00", "2027-10-31T00:30", "2027-10-31T10:00", "2027-10-31T23:00"),
    ),
    # 5 September 2027 begins at 01:00 in Santiago.
    Clocks(
        *("America/Santiago", date(2027, 9, 4), StayRules(), "2027-09-04T04:00"),
        *("2027-09-04T19:00", "2027-09-05T04:00", "2027-09-05T14:00", "2027-09-06T03:00"),
    ),
    Clocks(
        *("America/Santiago", date(2027, 9, 5), StayRules(check_in_from="00:30"), "2027-09-05T04:00"),
        *("2027-09-05T04:30", "2027-09-06T03:00", "2027-09-06T14:00", "2027-09-07T03:00"),
    ),
]


@pytest.mark.parametrize("clocks", CLOCKS, ids=lambda clocks: f"{clocks.zone}-{clocks.check_in}")
def test_the_hours_hold_on_days_when_clocks_are_set(clocks: Clocks) -> None:
    times = times_of(clocks.rules, clocks.zone, clocks.check_in, clocks.check_in + timedelta(days=1))
    names = ("arrival", "check_in_from", "no_show_from", "check_out_until", "departed")
    assert {name: getattr(times, name) for name in names} == {name: utc(getattr(clocks, name)) for name in names}


def first_instant_of(day: date, zone: ZoneInfo) -> datetime:
    """By counting minutes: the first one that the wall calendar shows this day at."""
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while instant.astimezone(zone).date() < day:
        instant += timedelta(minutes=15)
    return instant


zones = st.sampled_from(
    ["Europe/Berlin", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Beirut"]
)
days = st.dates(date(2026, 1, 1), date(2029, 12, 31))


@given(zones, days, st.integers(1, 30))
def test_dates_begin_where_a_calendar_on_the_wall_turns(zone: str, check_in: date, nights: int) -> None:
    local, check_out = ZoneInfo(zone), check_in + timedelta(days=nights)
    times = times_of(StayRules(), zone, check_in, check_out)
    assert times.arrival == first_instant_of(check_in, local)
    assert times.no_show_from == first_instant_of(check_in + timedelta(days=1), local)
    assert times.departed == first_instant_of(check_out + timedelta(days=1), local)
    assert times.arrival <= times.check_in_from <= times.no_show_from
    assert times.no_show_from <= times.check_out_until <= times.departed or nights == 1


def test_what_is_not_taken_by_the_night_has_no_times() -> None:
    declared = ResourceDeclared(
        provider_id="hotel",
        product_id="double",
        capacity=1,
        overbooking_limit=0,
        slots=60,
        time_zone="UTC",
        price_amount=booked_line().price_amount,
        price_currency="EUR",
        min_stay=1,
    )
    assert stay_times(declared, (booked_line(),)) is None
    assert stay_times(None, (booked_line(),)) is None
    nights = msgspec.structs.replace(declared, slots="nights", stay=StayRules(no_show="auto"))
    found = stay_times(nights, (booked_line(), booked_line(2, start=night(1), end=night(3))))
    assert found is not None
    assert (found.arrival, found.departed, found.no_show) == (night(0), night(4), "auto")
