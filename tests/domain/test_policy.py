"""Cancellation policies: tiers by local days or elapsed hours, fees in whole minor units (HTL-28)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.booking import Booking, BookingStatus
from domain.calendar import night_bounds
from domain.cancellation import Quote, quote_cancellation, quote_no_show
from domain.policy import Sold, fee_of, instant_of, term_at, terms
from domain.pricing import minor_unit
from streams.events import Event
from streams.events.availability import Release
from streams.events.booking import MarkNoShow
from streams.events.booking_news import BookingCancelled, BookingNoShow
from streams.events.payment import Refund
from streams.events.policy import Before, CancellationPolicy, Fee, Tier
from tests.domain.messages import (
    NOW,
    booked_line,
    cancel,
    change,
    night,
    payment_authorized,
    payment_captured,
    payment_refunded,
    request,
    reserved,
)
from tests.domain.services import RowOf, Story, given_booking

#: Free until two days before at 18:00, then one night, from arrival on everything.
FLEXIBLE = CancellationPolicy(
    free_until=Before(days=2, at="18:00"), then=(Tier(fee=Fee(nights=1), until=Before(hours=0)),)
)
NON_REFUNDABLE = CancellationPolicy()
THREE_NIGHTS = booked_line(start=night(0), end=night(3), price=Decimal("100.00"))
PRICE = Decimal("100.00")


def given_stay(policy: CancellationPolicy | None, *more: Event) -> Story[RowOf[Booking]]:
    """Three nights from 24 December for 100.00 EUR, confirmed and paid."""
    asked = request(THREE_NIGHTS, price=PRICE, free_until=night(0), policy=policy)
    return given_booking(asked, reserved(), payment_authorized(), payment_captured(PRICE), *more)


def fee_at(policy: CancellationPolicy, when: datetime) -> str:
    return str(quote_cancellation(given_stay(policy).service.state, when).fee)


@pytest.mark.proves("HTL-28")
def test_free_until_two_days_before_at_six_then_one_night_then_everything() -> None:
    last_free = datetime(2026, 12, 22, 17, 59, 59, 999_999, tzinfo=UTC)
    assert fee_at(FLEXIBLE, last_free) == "0.00"
    assert fee_at(FLEXIBLE, datetime(2026, 12, 22, 18, tzinfo=UTC)) == "33.33"
    assert fee_at(FLEXIBLE, night(0) - timedelta(microseconds=1)) == "33.33"
    assert fee_at(FLEXIBLE, night(0)) == "100.00"


def test_a_cancellation_keeps_the_fee_and_gives_back_the_rest() -> None:
    story = given_stay(FLEXIBLE).when(cancel(), at=night(-1))
    (told,), (ordered,) = story.of(BookingCancelled), story.of(Refund)
    assert isinstance(told, BookingCancelled)
    assert isinstance(ordered, Refund)
    assert (told.refund_eligible, told.refund_amount, ordered.amount) == (True, Decimal("66.67"), Decimal("66.67"))
    row = story.service.state
    assert (row.cancellation_fee, row.cancellation_refund) == (Decimal("33.33"), Decimal("66.67"))


def test_of_a_non_refundable_booking_everything_is_kept_from_the_start() -> None:
    story = given_stay(NON_REFUNDABLE).when(cancel(), at=NOW)
    assert story.of(Refund) == ()
    assert story.service.state.cancellation_fee == PRICE
    assert story.service.state.policy == NON_REFUNDABLE, "and its row still says so"


def test_a_booking_that_is_not_confirmed_is_cancelled_for_nothing_whatever_its_policy() -> None:
    pending = given_booking(request(policy=NON_REFUNDABLE)).service.state
    assert quote_cancellation(pending, NOW) == Quote(fee=Decimal(0), refund=Decimal(0))


def test_what_an_operator_gave_back_is_not_given_back_again() -> None:
    booking = given_stay(FLEXIBLE, payment_refunded(Decimal("50.00"))).service.state
    assert quote_cancellation(booking, night(-1)) == Quote(fee=Decimal("33.33"), refund=Decimal("16.67"))
    generous = given_stay(FLEXIBLE, payment_refunded(Decimal("90.00"))).service.state
    assert quote_cancellation(generous, night(-1)).refund == 0


def test_a_stay_is_not_moved_out_of_reach_of_its_fee() -> None:
    later = booked_line(start=night(30), end=night(33), price=PRICE)
    moved = given_stay(FLEXIBLE).when(change(later, price=PRICE, free_until=night(30)), reserved(revision=2))
    assert moved.service.state.start == night(30)
    assert quote_cancellation(moved.service.state, night(-1)).fee == Decimal("33.33"), "as before it was moved"
    earlier = booked_line(start=night(-9), end=night(-6), price=PRICE)
    brought = given_stay(FLEXIBLE).when(change(earlier, price=PRICE, free_until=night(-9)), reserved(revision=2))
    assert quote_cancellation(brought.service.state, night(-10)).fee == Decimal("33.33"), "it arrives tomorrow"


def test_a_change_keeps_the_policy_the_booking_was_made_with() -> None:
    moved = given_stay(NON_REFUNDABLE, change(guest="sealed anew")).service.state
    assert moved.policy == NON_REFUNDABLE


@pytest.mark.proves("HTL-28")
def test_another_fee_than_was_quoted_cancels_nothing() -> None:
    stay = given_stay(FLEXIBLE)
    quoted = Decimal("0.00")
    too_late = stay.when(_expecting(quoted), at=night(-1)).then_nothing()
    assert too_late.service.state.status is BookingStatus.CONFIRMED
    agreed = too_late.when(_expecting(Decimal("33.33")), at=night(-1))
    assert agreed.service.state.status is BookingStatus.CANCELLED


def _expecting(fee: Decimal) -> Event:
    said = cancel()
    return type(said)(booking_id=said.booking_id, reason="ill", cancelled_by="guest", expected_fee=fee)


def test_of_a_guest_who_never_came_the_last_tier_is_kept() -> None:
    half = CancellationPolicy(free_until=Before(days=1), then=(Tier(fee=Fee(percent=50)),))
    story = given_stay(half).when(MarkNoShow(booking_id="b1"), at=night(1))
    (told,), (ordered,) = story.of(BookingNoShow), story.of(Refund)
    assert isinstance(told, BookingNoShow)
    assert isinstance(ordered, Refund)
    assert (told.refund_amount, ordered.amount) == (Decimal("50.00"), Decimal("50.00"))
    assert not story.of(Release), "the room was kept for them"
    assert given_stay(None).when(MarkNoShow(booking_id="b1"), at=night(1)).of(Refund) == ()


def test_what_is_kept_in_the_end_is_the_tier_that_never_ends() -> None:
    half = CancellationPolicy(free_until=Before(days=1), then=(Tier(fee=Fee(percent=50)),))
    assert quote_no_show(given_stay(half).service.state) == Quote(Decimal("50.00"), Decimal("50.00"))
    assert quote_no_show(given_stay(FLEXIBLE).service.state) == Quote(PRICE, Decimal("0.00"))
    assert quote_no_show(given_stay(None).service.state) == Quote(PRICE, Decimal("0.00"))


@pytest.mark.parametrize(
    ("fee", "price", "currency", "nights", "kept"),
    [
        (Fee(percent=50), "100.01", "EUR", 3, "50.01"),  # 50.005, half up
        (Fee(percent=33), "1000", "JPY", 3, "330"),
        (Fee(percent=50), "3", "JPY", 3, "2"),  # 1.5, half up
        (Fee(percent=1), "0.100", "KWD", 3, "0.001"),
        (Fee(nights=1), "100.00", "EUR", 3, "33.33"),
        (Fee(nights=2), "100.00", "EUR", 3, "66.67"),
        (Fee(nights=9), "100.00", "EUR", 3, "100.00"),
        (Fee(amount=Decimal("20.00")), "100.00", "EUR", 3, "20.00"),
        (Fee(amount=Decimal("200.00")), "100.00", "EUR", 3, "100.00"),
    ],
)
def test_a_fee_is_a_share_nights_or_an_amount_and_never_more_than_the_price(
    fee: Fee, price: str, currency: str, nights: int, kept: str
) -> None:
    assert str(fee_of(fee, Sold(NOW, "UTC", Decimal(price), currency, nights))) == kept


def arrival(day: date, time_zone: str) -> datetime:
    return night_bounds(day, day + timedelta(days=1), time_zone)[0]


@pytest.mark.parametrize(
    ("time_zone", "arrives", "before", "instant"),
    [
        # Clocks go forward on 28 March 2027: two days before are two dates, 46 hours of which the hours know nothing.
        ("Europe/Berlin", date(2027, 3, 29), Before(days=2, at="18:00"), "2027-03-27T17:00Z"),
        ("Europe/Berlin", date(2027, 3, 29), Before(hours=48), "2027-03-26T22:00Z"),
        ("Europe/Berlin", date(2027, 3, 29), Before(days=1, at="02:30"), "2027-03-28T01:30Z"),  # skipped: 03:30
        # Back on 31 October 2027: 02:30 is there twice, the first one counts.
        ("Europe/Berlin", date(2027, 11, 1), Before(days=2, at="18:00"), "2027-10-30T16:00Z"),
        ("Europe/Berlin", date(2027, 11, 1), Before(days=1, at="02:30"), "2027-10-31T00:30Z"),
        # Midnight itself is skipped: 5 September 2027 begins at 01:00.
        ("America/Santiago", date(2027, 9, 5), Before(days=0), "2027-09-05T04:00Z"),
        ("America/Santiago", date(2027, 9, 6), Before(days=2, at="12:00"), "2027-09-04T16:00Z"),
        # Half an hour.
        ("Australia/Lord_Howe", date(2027, 10, 4), Before(days=2, at="18:00"), "2027-10-02T07:30Z"),
        ("Australia/Lord_Howe", date(2027, 10, 4), Before(hours=24), "2027-10-02T13:00Z"),
    ],
)
def test_days_are_local_dates_and_hours_are_hours(time_zone: str, arrives: date, before: Before, instant: str) -> None:
    found = instant_of(before, arrival(arrives, time_zone), time_zone)
    assert found.isoformat(timespec="minutes").replace("+00:00", "Z") == instant


ENDS = st.one_of(
    st.builds(Before, days=st.integers(0, 40), at=st.sampled_from(["00:00", "02:30", "12:00", "18:00", "23:59"])),
    st.builds(Before, hours=st.integers(0, 1000)),
)
FEES = st.one_of(
    st.builds(Fee, percent=st.integers(0, 100)),
    st.builds(Fee, nights=st.integers(1, 20)),
    st.builds(Fee, amount=st.integers(0, 90_000).map(Decimal)),
)
TIERS = st.lists(st.builds(Tier, fee=FEES, until=ENDS), max_size=4).map(tuple)
POLICIES = st.builds(CancellationPolicy, free_until=st.none() | ENDS, then=TIERS)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia"])


@given(
    POLICIES,
    ZONES,
    st.dates(date(2027, 1, 1), date(2027, 12, 31)),
    st.integers(0, 60 * 24 * 60),
    st.integers(1, 14),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.integers(1, 10**7),
)
def test_the_fee_is_what_a_naive_reading_of_the_policy_says(
    policy: CancellationPolicy, time_zone: str, day: date, minutes: int, nights: int, currency: str, units: int
) -> None:
    """Minute by minute, in fractions, with the wall clock of the property read off and compared."""
    begins, price = arrival(day, time_zone), units * minor_unit(currency)
    now = begins + timedelta(days=5) - timedelta(minutes=minutes)
    found = term_at(policy, Sold(begins, time_zone, price, currency, nights), now)
    rules = [(policy.free_until, Fee(percent=0))] if policy.free_until else []
    rules += [(tier.until, tier.fee) for tier in policy.then if tier.until]
    fee = next((fee for end, fee in rules if end and _holds(end, begins, time_zone, now)), Fee(percent=100))
    assert found.fee == _naive_fee(fee, price, nights, minor_unit(currency))
    assert found.until is None or now < found.until
    assert 0 <= found.fee <= price


def _holds(end: Before, begins: datetime, time_zone: str, now: datetime) -> bool:
    if end.days is None:
        return (begins - now) > timedelta(hours=end.hours or 0)
    local = ZoneInfo(time_zone)
    limit = datetime.combine(begins.astimezone(local).date(), datetime.strptime(end.at, "%H:%M").time())
    limit -= timedelta(days=end.days)
    # The first minute of the day before or later whose wall clock has reached the hour, looked for one by one.
    minute = limit.replace(tzinfo=UTC) - timedelta(hours=16)
    while minute.astimezone(local).replace(tzinfo=None) < limit:
        minute += timedelta(minutes=15 if limit.minute in (0, 30) else 1)
    passed = now >= minute
    skipped = minute.astimezone(local).replace(tzinfo=None) != limit
    return not passed if not skipped else now < limit.replace(tzinfo=local).astimezone(UTC)


def _naive_fee(fee: Fee, price: Decimal, nights: int, unit: Decimal) -> Decimal:
    if fee.amount is not None:
        exact = Fraction(fee.amount)
    elif fee.nights is not None:
        exact = Fraction(price) * fee.nights / nights
    else:
        exact = Fraction(price) * (fee.percent or 0) / 100
    whole = (exact / Fraction(unit) + Fraction(1, 2)).__floor__()
    return min(whole * unit, price)


def test_every_tier_is_told_in_order_and_the_last_has_no_end() -> None:
    policy = CancellationPolicy(free_until=Before(hours=24), then=(Tier(fee=Fee(percent=50)),))
    sold = Sold(datetime(2026, 12, 24, tzinfo=UTC), "Nowhere/Land", Decimal("100.00"), "EUR", 1)
    told = list(terms(policy, sold))
    assert [term.fee for term in told] == [Decimal("0.00"), Decimal("50.00"), Decimal("100.00")]
    assert [term.until is None for term in told] == [False, True, True]
    assert fee_of(Fee(), sold) == Decimal("100.00")


def test_a_zone_that_nobody_knows_any_more_is_read_as_utc() -> None:
    end = instant_of(Before(days=1, at="18:00"), datetime(2026, 12, 24, tzinfo=UTC), "Nowhere/Land")
    assert end == datetime(2026, 12, 23, 18, tzinfo=UTC)
