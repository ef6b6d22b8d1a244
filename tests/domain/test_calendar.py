"""How time is cut: nights in a resource's zone, minutes on a UTC grid, days of 23 and 25 hours included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import MAX_SLOTS, Unbookable, current_slot, night_bounds, slots_of, stay_of
from streams.events.availability import Slots

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"]
DATES = st.dates(min_value=date(2015, 1, 1), max_value=date(2035, 12, 31))
INSTANTS = st.datetimes(min_value=datetime(2015, 1, 1), max_value=datetime(2035, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def refusal(slots: Slots, time_zone: str, start: datetime, end: datetime) -> str:
    with pytest.raises(Unbookable) as refused:
        slots_of(slots, time_zone, start, end)
    return refused.value.reason


def test_nights_are_the_local_dates_from_check_in_until_before_check_out() -> None:
    taken = slots_of("nights", "Europe/Berlin", at("2026-12-24T15:00+01:00"), at("2026-12-26T11:00+01:00"))
    assert taken == ("2026-12-24", "2026-12-25")


def test_a_stay_within_one_day_is_one_night() -> None:
    taken = slots_of("nights", "UTC", at("2026-12-24T10:00Z"), at("2026-12-24T18:00Z"))
    assert taken == ("2026-12-24",)


def test_the_zone_decides_which_night_an_instant_belongs_to() -> None:
    start, end = at("2026-12-24T23:30Z"), at("2026-12-25T23:30Z")
    assert slots_of("nights", "UTC", start, end) == ("2026-12-24",)
    assert slots_of("nights", "Europe/Berlin", start, end) == ("2026-12-25",)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-12-24", 24)], ids=["spring", "autumn", "usual"]
)
def test_a_night_of_changing_clocks_is_one_night_however_long(day: str, hours: int) -> None:
    check_in = date.fromisoformat(day)
    start, end = night_bounds(check_in, check_in + timedelta(days=1), "Europe/Berlin")
    assert end - start == timedelta(hours=hours)
    assert slots_of("nights", "Europe/Berlin", start, end) == (day,)


def test_a_midnight_that_the_clocks_skip_is_where_its_date_begins() -> None:
    start, _ = night_bounds(date(2018, 11, 4), date(2018, 11, 5), "America/Sao_Paulo")
    assert start == at("2018-11-04T03:00Z")
    assert stay_of(start, at("2018-11-05T12:00Z"), "America/Sao_Paulo") == (date(2018, 11, 4), date(2018, 11, 5))


@given(DATES, st.integers(1, 40), st.sampled_from(ZONES))
def test_the_dates_of_a_stay_come_back_from_its_instants(check_in: date, nights: int, zone: str) -> None:
    check_out = check_in + timedelta(days=nights)
    start, end = night_bounds(check_in, check_out, zone)
    assert stay_of(start, end, zone) == (check_in, check_out)
    assert slots_of("nights", zone, start, end) == tuple(
        (check_in + timedelta(days=night)).isoformat() for night in range(nights)
    )


def test_minutes_take_every_slot_they_touch() -> None:
    taken = slots_of(15, "UTC", at("2026-12-24T09:20Z"), at("2026-12-24T09:46Z"))
    assert taken == ("2026-12-24T09:15Z", "2026-12-24T09:30Z", "2026-12-24T09:45Z")


def test_an_appointment_that_ends_where_the_next_begins_does_not_touch_it() -> None:
    assert slots_of(15, "UTC", at("2026-12-24T09:15Z"), at("2026-12-24T09:30Z")) == ("2026-12-24T09:15Z",)


def test_an_hour_that_the_clocks_repeat_is_two_hours_of_slots() -> None:
    """02:30 local comes twice on 25 October 2026: two different slots, each sold by itself."""
    first, second = at("2026-10-25T02:30+02:00"), at("2026-10-25T02:30+01:00")
    half_hour = timedelta(minutes=30)
    assert slots_of(30, "Europe/Berlin", first, first + half_hour) == ("2026-10-25T00:30Z",)
    assert slots_of(30, "Europe/Berlin", second, second + half_hour) == ("2026-10-25T01:30Z",)


@given(
    INSTANTS,
    st.integers(1, 1500),
    st.integers(-1500, 1500),
    st.integers(1, 1500),
    st.sampled_from([5, 15, 50, 60, 1440]),
)
def test_what_overlaps_shares_a_slot(start: datetime, minutes: int, later: int, more: int, cut: int) -> None:
    end, other = start + timedelta(minutes=minutes), start + timedelta(minutes=later)
    other_end = other + timedelta(minutes=more)
    mine, theirs = slots_of(cut, "UTC", start, end), slots_of(cut, "UTC", other, other_end)
    if start < other_end and other < end:
        assert set(mine) & set(theirs)
    assert minutes / cut <= len(mine) < minutes / cut + 2
    assert list(mine) == sorted(set(mine))


def test_stock_has_one_slot_whenever_it_is_taken() -> None:
    assert slots_of("none", "UTC", at("2026-12-24T00:00Z"), at("2029-12-25T00:00Z")) == ("stock",)
    assert current_slot("none", "UTC", at("2026-12-24T00:00Z")) == "stock"


@pytest.mark.parametrize("slots", [0, -15, 1441])
def test_what_is_not_cut_into_nights_or_minutes_is_refused(slots: Slots) -> None:
    assert refusal(slots, "UTC", at("2026-12-24T00:00Z"), at("2026-12-25T00:00Z")) == "unsupported_slots"


def test_a_line_is_bounded() -> None:
    start = at("2027-01-01T00:00Z")
    assert len(slots_of("nights", "UTC", start, start + timedelta(days=MAX_SLOTS))) == MAX_SLOTS
    assert refusal("nights", "UTC", start, start + timedelta(days=MAX_SLOTS + 1)) == "too_many_slots"
    assert refusal(1, "UTC", start, start + timedelta(days=3650)) == "too_many_slots"


@pytest.mark.parametrize("zone", ["Nowhere/Atlantis", "", "../etc/passwd", "Europe", "x" * 300])
def test_an_unknown_time_zone_is_refused_however_it_is_spelled(zone: str) -> None:
    assert refusal("nights", zone, at("2026-12-24T00:00Z"), at("2026-12-25T00:00Z")) == "unknown_time_zone"


@pytest.mark.parametrize(
    ("slots", "start", "end"),
    [
        ("nights", "2026-12-25T00:00+00:00", "2026-12-24T00:00+00:00"),
        (15, "2026-12-24T00:00+00:00", "2026-12-24T00:00+00:00"),
        ("nights", "9999-12-31T12:00+00:00", "9999-12-31T23:00+00:00"),
        (50, "0001-01-01T00:00+00:00", "0001-01-01T00:01+00:00"),
    ],
    ids=["backwards", "empty", "beyond the last year", "before the first year"],
)
def test_what_is_no_period_is_refused(slots: Slots, start: str, end: str) -> None:
    assert refusal(slots, "Asia/Tokyo", datetime.fromisoformat(start), datetime.fromisoformat(end)) == "invalid_period"


def test_what_sorts_before_the_current_slot_is_over() -> None:
    assert current_slot("nights", "Pacific/Auckland", at("2026-12-24T12:00Z")) == "2026-12-25"
    assert current_slot(15, "UTC", at("2026-12-24T12:14:59Z")) == "2026-12-24T12:00Z"
