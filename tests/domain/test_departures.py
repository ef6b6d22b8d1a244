"""Guests who leave before the last day: their nights can be sold again, and policy says what goes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.booking import Booking, BookingStatus
from domain.calendar import night_bounds
from domain.cancellation import nights_of
from streams.events import Event
from streams.events.availability import Shorten
from streams.events.booking import CheckIn, CheckOut
from streams.events.booking_news import BookingCompleted, BookingUpdated
from streams.events.payment import Refund
from streams.events.policy import CancellationPolicy
from tests.domain.messages import (
    booked_line,
    confirm_hold,
    declare,
    hold,
    night,
    payment_authorized,
    payment_captured,
    payment_refunded,
    release,
    request,
    reserved,
)
from tests.domain.services import RowOf, Story, given_booking, given_shelf

PRICE = Decimal("400.00")
OUT = CheckOut(booking_id="b1")
HALF_BACK = CancellationPolicy(early_departure_refund=50)


def staying(policy: CancellationPolicy | None, *more: Event, nights: int = 4) -> Story[RowOf[Booking]]:
    """In the house since 24 December, for four nights at 100.00."""
    line = booked_line(start=night(0), end=night(nights), price=PRICE)
    asked = request(line, price=PRICE, free_until=night(0), policy=policy)
    return given_booking(
        asked, reserved(), payment_authorized(), payment_captured(PRICE), *more, CheckIn(booking_id="b1")
    )


@pytest.mark.proves("HTL-02")
def test_who_leaves_two_days_early_gives_two_nights_back_and_half_of_their_price_returns() -> None:
    story = staying(HALF_BACK).when(OUT, at=night(2) + timedelta(hours=9))
    changed, left, shortened, ordered = story.events
    assert isinstance(changed, BookingUpdated)
    assert (changed.end_time, changed.price_amount, changed.revision) == (night(2), Decimal("300.00"), 2)
    assert isinstance(left, BookingCompleted)
    assert isinstance(shortened, Shorten)
    assert (shortened.first, shortened.revision) == ("2026-12-26", 1)
    assert isinstance(ordered, Refund)
    assert (ordered.amount, ordered.ordered_by) == (Decimal("100.00"), "policy")
    row = story.service.state
    assert (row.status, row.end, row.price_amount) == (BookingStatus.COMPLETED, night(2), Decimal("300.00"))
    story.when(OUT, at=night(3)).then_nothing()


def test_without_a_policy_the_nights_are_free_again_and_nothing_goes_back() -> None:
    story = staying(None).when(OUT, at=night(1))
    assert story.of(Refund) == ()
    assert len(story.of(Shorten)) == 1
    assert story.service.state.price_amount == PRICE


def test_who_leaves_on_the_last_day_or_later_leaves_as_ever() -> None:
    for at in (night(4), night(4) + timedelta(hours=11), night(9), night(3) + timedelta(hours=23)):
        if at.date() < night(4).date():
            assert staying(HALF_BACK).when(OUT, at=at).service.state.end == night(3)
        else:
            assert [type(event) for event in staying(HALF_BACK).when(OUT, at=at).events] == [BookingCompleted]


def test_who_leaves_on_the_first_day_pays_for_a_night() -> None:
    story = staying(CancellationPolicy(early_departure_refund=100)).when(OUT, at=night(0) + timedelta(hours=20))
    assert (story.service.state.end, story.service.state.price_amount) == (night(1), Decimal("100.00"))


def test_what_an_operator_gave_back_is_not_given_back_again() -> None:
    story = staying(HALF_BACK, payment_refunded(Decimal("350.00"))).when(OUT, at=night(1))
    (ordered,) = story.of(Refund)
    assert isinstance(ordered, Refund)
    assert ordered.amount == Decimal("50.00")


def test_what_was_booked_before_there_were_such_rules_ends_as_it_did() -> None:
    asked = request(booked_line(start=night(0), end=night(4), price=PRICE), price=PRICE, rules=1)
    story = given_booking(asked, reserved(), payment_authorized(), payment_captured(PRICE), CheckIn(booking_id="b1"))
    assert [type(event) for event in story.when(OUT, at=night(1)).events] == [BookingCompleted]
    assert story.service.state.end == night(4)


def test_days_are_those_of_the_property() -> None:
    """At half past eleven at night in New York, it is tomorrow in UTC."""
    start, end = night_bounds(night(0).date(), night(4).date(), "America/New_York")
    asked = request(booked_line(start=start, end=end, price=PRICE), price=PRICE, time_zone="America/New_York")
    story = given_booking(asked, reserved(), payment_authorized(), payment_captured(PRICE), CheckIn(booking_id="b1"))
    (shortened,) = story.when(OUT, at=datetime(2026, 12, 26, 4, 30, tzinfo=UTC)).of(Shorten)
    assert isinstance(shortened, Shorten)
    assert shortened.first == "2026-12-25"


def test_inventory_lets_go_of_the_nights_from_one_on_once_and_keeps_the_others() -> None:
    shorten = Shorten(provider_id="hotel", product_id="double", booking_id="b1", revision=1, line=1, first="2026-12-26")
    story = given_shelf(declare(), hold(end=night(4)), confirm_hold()).when(shorten)
    assert set(story.service.nights()) == {"2026-12-24", "2026-12-25"}
    assert len(story.events) == 2, "two nights are told to be free"
    story.when(shorten).then_nothing()
    story.when(hold("b2", start=night(2), end=night(4)))
    assert set(story.service.nights()) == {"2026-12-24", "2026-12-25", "2026-12-26", "2026-12-27"}
    story.when(release())
    assert set(story.service.nights()) == {"2026-12-26", "2026-12-27"}, "what is left of the first goes, not the second"
    given_shelf(declare()).when(shorten).then_nothing()
    given_shelf(declare(), hold(), release()).when(shorten).then_nothing()


@given(st.integers(1, 30), st.integers(-3, 35), st.integers(0, 23), st.integers(0, 100))
def test_nights_stayed_and_given_up_are_all_there_were(nights: int, day: int, hour: int, percent: int) -> None:
    """Counted night by night: kept is what was slept or is the first, and each other one gives back its percent."""
    policy = CancellationPolicy(early_departure_refund=percent)
    at = night(day) + timedelta(hours=hour)
    row = staying(policy, nights=nights).when(OUT, at=at).service.state
    kept = [each for each in range(nights) if each == 0 or night(each).date() < at.date()]
    assert (row.end - row.start).days == len(kept)
    each = PRICE / nights * percent / 100
    assert abs(PRICE - row.price_amount - each * (nights - len(kept))) <= Decimal("0.005")
    assert row.status is BookingStatus.COMPLETED


def test_where_time_cannot_be_cut_a_stay_ends_whole() -> None:
    """A zone that nobody knows any more: the guest leaves, and no night is told from another."""
    asked = request(booked_line(end=night(4), price=PRICE), price=PRICE, time_zone="Nowhere/Land")
    story = given_booking(asked, reserved(), payment_authorized(), payment_captured(PRICE), CheckIn(booking_id="b1"))
    assert nights_of(story.service.state) == 1
    assert [type(event) for event in story.when(OUT).events] == [BookingCompleted]
