"""A confirmed booking changes: new holds before old ones are let go; arrivals, departures, guests who never came."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from domain.booking import Booking, BookingStatus
from domain.booking_state import derived_id
from streams.events import Event
from streams.events.availability import Release
from streams.events.booking import CheckIn, CheckOut, MarkNoShow
from streams.events.booking_news import (
    BookingCancelled,
    BookingCheckedIn,
    BookingCompleted,
    BookingNoShow,
    BookingUpdated,
)
from streams.events.payment import Refund
from tests.domain.messages import (
    DEADLINE,
    FREE_UNTIL,
    NOW,
    PRICE,
    booked_line,
    cancel,
    change,
    confirm_hold,
    hold,
    night,
    payment_authorized,
    payment_captured,
    payment_refunded,
    rejected,
    release,
    request,
    reserved,
)
from tests.domain.services import RowOf, Story, given_booking

LATER = booked_line(start=night(1), end=night(2), price=Decimal("120.00"))
HALF = Decimal("120.00")
CHECK_IN, CHECK_OUT, NO_SHOW = CheckIn(booking_id="b1"), CheckOut(booking_id="b1"), MarkNoShow(booking_id="b1")


def given_stay(*more: Event) -> Story[RowOf[Booking]]:
    return given_booking(request(), reserved(), payment_authorized(), payment_captured(), *more)


def refused(story: Story[RowOf[Booking]]) -> tuple[int, str]:
    found = story.service.state.refused_change
    assert found is not None
    return found.revision, found.reason


@pytest.mark.proves("HTL-02", "HTL-08")
def test_new_nights_are_held_before_the_old_ones_are_let_go() -> None:
    story = given_stay().when(change(LATER, price=HALF)).then(hold(revision=2, start=night(1), end=night(2)))
    assert story.service.state.revision == 1, "nothing has changed yet"
    story = story.when(reserved(revision=2))
    told, confirmed, released, ordered = story.events
    assert isinstance(told, BookingUpdated)
    assert (told.start_time, told.price_amount, told.revision) == (night(1), HALF, 2)
    assert (confirmed, released) == (confirm_hold(revision=2), release(revision=1))
    assert isinstance(ordered, Refund)
    assert ordered.amount == HALF
    booking = story.service.state
    assert (booking.revision, booking.held_revision, booking.price_amount, booking.change) == (2, 2, HALF, None)


def test_a_change_that_inventory_refuses_leaves_everything_as_it_was() -> None:
    before = given_stay().service.state
    story = given_stay(change(LATER, price=HALF)).when(rejected("sold_out", revision=2)).then_nothing()
    after = story.service.state
    assert refused(story) == (2, "sold_out")
    assert (after.lines, after.price_amount, after.revision, after.change) == (before.lines, PRICE, 1, None)


def test_of_several_new_lines_all_or_none() -> None:
    suite = booked_line(2, "suite", price=Decimal("100.00"))
    lines = (booked_line(1, price=Decimal("140.00")), suite)
    for first, last in permutations([reserved(revision=2), reserved(revision=2, line=2)]):
        story = given_stay(change(*lines, price=PRICE)).when(first).then_nothing().when(last)
        assert story.of(Release) == (release(revision=1),)
        assert not story.of(Refund), "it costs as much as before"
        assert story.when(first).then_nothing()
    story = given_stay(change(*lines, price=PRICE), reserved(revision=2)).when(rejected("sold_out", revision=2, line=2))
    story.then(release(revision=2))
    given_stay(change(*lines, price=PRICE), reserved(revision=2)).when(reserved(revision=2)).then_nothing()


def test_an_agreement_after_the_deadline_comes_too_late() -> None:
    story = given_stay(change(LATER, price=HALF)).when(reserved(revision=2), at=DEADLINE).then(release(revision=2))
    assert refused(story) == (2, "deadline_passed")


@pytest.mark.parametrize(
    ("story", "asked", "reason"),
    [
        (given_stay(), change(LATER, price=PRICE + 1), "costs_more"),
        (given_booking(request(), reserved(), payment_authorized()), change(LATER, price=HALF), "not_paid_yet"),
        (given_stay(change(LATER, price=HALF)), change(LATER, price=HALF), "change_under_way"),
    ],
    ids=["dearer", "unpaid", "twice"],
)
def test_a_change_that_cannot_be_is_refused_with_its_reason(
    story: Story[RowOf[Booking]], asked: Event, reason: str
) -> None:
    assert refused(story.when(asked).then_nothing()) == (2, reason)


def test_a_change_under_way_goes_on_when_another_is_refused_because_of_it() -> None:
    story = given_stay(change(LATER, price=HALF), change(LATER, price=HALF)).when(reserved(revision=2))
    assert story.service.state.revision == 2


def test_a_change_to_another_revision_than_the_next_is_late_and_0_takes_the_next() -> None:
    given_stay().when(change(LATER, price=HALF, revision=3)).then_nothing()
    given_stay().when(change(LATER, price=HALF, revision=0)).then(hold(revision=2, start=night(1), end=night(2)))


def test_a_change_of_words_takes_effect_at_once_and_keeps_the_holds() -> None:
    story = given_stay().when(change(guest="sealed anew", details={"note": "late arrival"}, free_until=NOW))
    (told,) = story.events
    assert isinstance(told, BookingUpdated)
    booking = story.service.state
    assert (booking.guest, booking.details, booking.free_until) == ("sealed anew", {"note": "late arrival"}, NOW)
    assert (booking.revision, booking.held_revision) == (2, 1)
    assert release(revision=1, report=True) in story.when(cancel()).events
    assert given_stay(change(guest="sealed anew")).service.state.details == {}


def test_what_is_not_paid_here_may_change_to_any_price() -> None:
    story = given_booking(request(prepaid=False, confirm_on="inventory"), reserved())
    story = story.when(change(LATER, price=PRICE + 1), reserved(revision=2))
    assert story.service.state.price_amount == PRICE + 1
    assert not story.of(Refund)


def test_a_cancellation_gives_back_what_is_left_after_a_cheaper_change() -> None:
    """The difference went back with the change: it does not count as an operator's gift."""
    changed = given_stay(change(LATER, price=HALF), reserved(revision=2))
    given = changed.when(payment_refunded(HALF, derived_id("b1", "change 2")))
    (told,) = given.when(cancel()).of(BookingCancelled)
    assert isinstance(told, BookingCancelled)
    assert told.refund_amount == HALF


def test_a_cancellation_during_a_change_lets_go_of_both() -> None:
    story = given_stay(change(LATER, price=HALF)).when(cancel())
    assert story.of(Release) == (release(revision=1, report=True), release(revision=2, report=True))
    story.when(reserved(revision=2)).then_nothing()


# --- arrivals and departures ---


@pytest.mark.proves("HTL-08", "CAMP-02")
def test_a_guest_arrives_and_leaves() -> None:
    story = given_stay().when(CHECK_IN)
    assert [type(event) for event in story.events] == [BookingCheckedIn]
    assert story.service.state.status is BookingStatus.CHECKED_IN
    assert not story.service.state.status.terminal
    story = story.when(CHECK_OUT, at=night(2))
    assert [type(event) for event in story.events] == [BookingCompleted]
    assert story.service.state.status is BookingStatus.COMPLETED
    for late in (CHECK_IN, CHECK_OUT, NO_SHOW, cancel(), change(LATER, price=HALF)):
        story.when(late).then_nothing()


def test_a_guest_who_never_came() -> None:
    story = given_stay().when(NO_SHOW)
    assert [type(event) for event in story.events] == [BookingNoShow]
    assert story.service.state.status is BookingStatus.NO_SHOW


@pytest.mark.parametrize("asked", [CHECK_IN, NO_SHOW])
def test_nobody_moves_before_it_is_paid_or_while_a_change_is_under_way(asked: Event) -> None:
    given_booking(request(), reserved(), payment_authorized()).when(asked).then_nothing()
    given_stay(change(LATER, price=HALF)).when(asked).then_nothing()


def test_who_is_not_there_cannot_leave_and_who_is_cannot_be_missing() -> None:
    given_stay().when(CHECK_OUT).then_nothing()
    given_stay(CHECK_IN).when(NO_SHOW, CHECK_IN, cancel()).then_nothing()
    given_booking(request()).when(CHECK_IN).then_nothing()


def test_an_operator_may_give_back_after_check_out() -> None:
    story = given_stay(CHECK_IN, CHECK_OUT).when(payment_refunded(Decimal("20.00"), "goodwill"))
    assert story.service.state.refunded == Decimal("20.00")


def test_a_change_that_was_refused_may_be_asked_for_again_under_a_new_revision() -> None:
    """Inventory remembers what it decided of a revision, and would not answer for it twice."""
    story = given_stay(change(LATER, price=HALF), rejected("sold_out", revision=2))
    assert story.service.state.next_revision == 3
    story.when(change(LATER, price=HALF, revision=2)).then_nothing()
    story = story.when(change(LATER, price=HALF, revision=3)).then(hold(revision=3, start=night(1), end=night(2)))
    assert story.when(reserved(revision=3)).service.state.revision == 3


def test_nobody_is_charged_more_without_a_token_that_comes_with_the_change() -> None:
    """Another program, which has none, does not charge a guest of ours; nor does what was free begin to cost."""
    story = given_booking(request(booked_line(price=PRICE * 0), price=PRICE * 0), reserved())
    assert refused(story.when(change(LATER, price=HALF)).then_nothing()) == (2, "costs_more")


def test_data_sealed_under_another_users_key_is_not_taken() -> None:
    story = given_stay().when(change(guest="sealed for somebody else", user_id="u2"))
    assert story.service.state.guest == "sealed guest"


@pytest.mark.proves("CAT-23")
def test_another_programs_change_is_taken_once() -> None:
    """It may be let in again after a crash of the gate, under a fresh id and the next revision."""
    asked = change(LATER, price=HALF, revision=0, message_id="m1")
    story = given_stay(asked, reserved(revision=2)).when(asked).then_nothing()
    assert story.service.state.revision == 2
    again = story.when(change(booked_line(), price=HALF, revision=0, message_id="m2"))
    assert again.events == (hold(revision=3, end=night(2)),)


def test_a_stay_is_not_moved_out_of_reach_of_its_fee() -> None:
    later = change(LATER, price=HALF, free_until=FREE_UNTIL + timedelta(days=300))
    story = given_stay(later, reserved(revision=2)).when(cancel(), at=FREE_UNTIL)
    (told,) = story.of(BookingCancelled)
    assert isinstance(told, BookingCancelled)
    assert told.refund_amount == 0
