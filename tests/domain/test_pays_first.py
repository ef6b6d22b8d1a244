"""The order saga: money first, then stock, and whatever ends the order gives the money back (ORD)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.booking import Booking, BookingStatus
from streams.events import Event
from streams.events.booking_news import BookingCancelled, BookingConfirmed, BookingRejected, InventoryUpdated
from streams.events.payment import Capture, Refund, Void
from tests.domain.messages import (
    DEADLINE,
    PRICE,
    booked_line,
    cancel,
    capture,
    capture_failed,
    confirm_hold,
    deadline_passed,
    hold,
    night,
    payment_authorized,
    payment_captured,
    payment_declined,
    payment_refunded,
    rejected,
    release,
    request,
    reserved,
    void,
)
from tests.domain.services import RowOf, Story, bare, given_booking

TWO = (booked_line(1, price=Decimal("140.00")), booked_line(2, "suite", price=Decimal("100.00")))


def given_order(*more: Event) -> Story[RowOf[Booking]]:
    return given_booking(request(*TWO, confirm_on="payment.captured"), *more)


def given_paid(*more: Event) -> Story[RowOf[Booking]]:
    return given_order(payment_authorized(), payment_captured(), *more)


def refunded(story: Story[RowOf[Booking]]) -> list[Decimal]:
    return [event.amount for event in story.of(Refund) if isinstance(event, Refund)]


def stock(story: Story[RowOf[Booking]]) -> list[tuple[str, str | None]]:
    return [(event.status, event.reason) for event in story.events if isinstance(event, InventoryUpdated)]


@pytest.mark.proves("ORD-02", "ORD-03")
def test_an_order_asks_for_its_money_only() -> None:
    asked = given_booking().when(request(*TWO, confirm_on="payment.captured")).events
    assert [event.event_type for event in asked] == ["booking.booking.created", "payment.payment.authorize"]


@pytest.mark.proves("ORD-03", "ORD-04")
def test_an_authorized_order_is_captured_then_stock_is_asked_then_it_is_confirmed() -> None:
    story = given_order().when(payment_authorized()).then(capture())
    story = story.when(payment_captured()).then(hold(end=night(2)), hold(line=2, end=night(2), product="suite"))
    story = story.when(reserved(line=2)).then_nothing().when(reserved(line=1))
    assert [type(event) for event in story.events[:2]] == [BookingConfirmed, InventoryUpdated]
    assert story.events[2:] == (confirm_hold(), confirm_hold(line=2, product="suite"))
    assert stock(story) == [("reserved", None)]
    assert story.service.state.status is BookingStatus.CONFIRMED


@pytest.mark.proves("ORD-13", "ORD-04")
def test_out_of_stock_after_payment_gives_the_money_back_and_tells_so() -> None:
    story = given_paid(reserved(line=1)).when(rejected("sold_out", line=2))
    assert isinstance(story.events[0], BookingRejected)
    assert stock(story) == [("out_of_stock", "sold_out")]
    assert story.of(type(release())) == (release(),)
    assert refunded(story) == [PRICE]


@pytest.mark.parametrize("failure", [payment_declined(), capture_failed()])
def test_a_payment_that_fails_ends_the_order_and_asks_nothing_of_stock(failure: Event) -> None:
    before = () if failure == payment_declined() else (payment_authorized(),)
    story = given_order(*before).when(failure)
    assert [type(event) for event in story.events] == [BookingRejected]
    assert story.service.state.reason == "card_declined"


def test_a_deadline_before_the_payment_voids_and_after_it_gives_back() -> None:
    early = given_order().when(deadline_passed(), at=DEADLINE)
    assert (early.of(Void), early.of(Refund)) == ((void("deadline_passed"),), ())
    assert not early.of(type(release()))
    late = given_paid().when(deadline_passed(), at=DEADLINE)
    assert (late.of(Void), refunded(late)) == ((), [PRICE])
    assert late.of(type(release())) == (release(), release(line=2, product="suite"))


def test_a_cancellation_before_the_confirmation_gives_everything_back_and_says_so() -> None:
    story = given_paid().when(cancel())
    (told,) = story.of(BookingCancelled)
    assert isinstance(told, BookingCancelled)
    assert (told.refund_eligible, told.refund_amount) == (True, PRICE)
    assert refunded(story) == [PRICE]


def test_money_that_arrives_after_the_end_goes_back() -> None:
    """The capture was under way when the deadline passed: it could not be voided any more."""
    story = given_order(payment_authorized()).when(deadline_passed(), at=DEADLINE)
    assert story.of(Void) == (void("deadline_passed"),)
    story = story.when(payment_captured())
    assert refunded(story) == [PRICE]
    story.when(payment_captured()).then_nothing()


def test_what_comes_twice_changes_nothing() -> None:
    story = given_order(payment_authorized()).when(payment_authorized()).then_nothing()
    story = story.when(payment_captured()).when(payment_captured()).then_nothing()
    story.when(payment_authorized()).then_nothing()


def test_a_confirmed_order_is_cancelled_like_any_booking() -> None:
    story = given_paid(reserved(line=1), reserved(line=2)).when(cancel())
    assert refunded(story) == [PRICE]
    assert not story.of(Capture)


def test_a_free_order_has_nothing_to_take_first() -> None:
    free = request(booked_line(price=Decimal(0)), price=Decimal(0), confirm_on="payment.captured")
    story = given_booking().when(free)
    assert story.events[1:] == (hold(end=night(2)),)
    assert stock(story.when(reserved())) == [("reserved", None)]


# --- what is not paid here, what was refused at entry, what others announced ---


@pytest.mark.proves("CLN-05")
def test_what_is_paid_at_the_desk_waits_for_inventory_alone_and_takes_no_money() -> None:
    story = given_booking().when(request(confirm_on="inventory", prepaid=False))
    assert story.events[1:] == (hold(end=night(2)),)
    story = story.when(reserved())
    assert [type(event) for event in story.events] == [BookingConfirmed, type(confirm_hold())]
    cancelled = story.when(cancel())
    assert not cancelled.of(Refund, Void)
    (told,) = cancelled.of(BookingCancelled)
    assert isinstance(told, BookingCancelled)
    assert told.refund_eligible is False


def test_a_request_refused_at_entry_is_opened_and_rejected_and_asks_nobody() -> None:
    story = given_booking().when(request(refusal="price_changed"))
    assert [event.event_type for event in story.events] == ["booking.booking.created", "booking.booking.rejected"]
    booking = story.service.state
    assert (booking.status, booking.reason) == (BookingStatus.REJECTED, "price_changed")
    story.when(request()).then_nothing()


def test_what_another_program_announced_is_not_announced_again() -> None:
    story = given_booking().when(request(announced=True))
    assert [event.event_type for event in story.events] == ["availability.line.hold", "payment.payment.authorize"]


def test_news_says_what_the_booking_is_about() -> None:
    asked = request(time_zone="Europe/Vienna", details={"visit_type": "virtual"})
    (told, *_) = given_booking().when(asked).events
    about = getattr(told, "about")  # noqa: B009
    assert (about.kind, about.confirmation_number, about.guest) == ("stay", "RSV-2026-000123", "sealed guest")
    assert (about.time_zone, about.details, about.lines) == ("Europe/Vienna", {"visit_type": "virtual"}, asked.lines)
    assert bare(told) != told


def test_what_an_operator_gives_back_before_the_end_is_noted() -> None:
    story = given_paid().when(payment_refunded(Decimal("40.00"), "goodwill"))
    assert story.service.state.refunded == Decimal("40.00")
    (told,) = story.when(cancel()).of(BookingCancelled)
    assert isinstance(told, BookingCancelled)
    assert told.refund_amount == PRICE - Decimal("40.00")
