"""A change that costs more: held and authorized before it is taken, paid by a payment of its own, given back latest
first."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from domain.booking import Booking, BookingStatus, payment_id_of
from streams.events import Event
from streams.events.availability import Release
from streams.events.booking import (
    CaptureFailed,
    MarkNoShow,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RefundCut,
)
from streams.events.booking_news import BookingCancelled, BookingUpdated
from streams.events.payment import Authorize, Capture, Refund, Void
from streams.events.policy import CancellationPolicy, Fee, Tier
from tests.domain.messages import (
    DEADLINE,
    PAYMENT,
    PRICE,
    approved,
    authorize,
    booked_line,
    cancel,
    capture,
    change,
    deadline_passed,
    hold,
    night,
    of_change,
    payment_authorized,
    payment_captured,
    provider_call,
    refund,
    rejected,
    release,
    request,
    reserved,
)
from tests.domain.services import RowOf, Story, given_booking, given_payment

#: 24 to 26 December for 240.00 becomes 24 to 27 December for 300.00.
LONGER = booked_line(end=night(3), price=Decimal("300.00"))
DEARER = change(LONGER, price=Decimal("300.00"), payment_token="sealed tok_visa")
MORE = Decimal("60.00")
SECOND = payment_id_of("b1", 2)
AUTHORIZED = of_change(PaymentAuthorized)
CAPTURED = of_change(PaymentCaptured, amount=MORE)
FAILED = of_change(CaptureFailed, reason="card_declined")


def given_stay(*more: Event) -> Story[RowOf[Booking]]:
    return given_booking(request(), reserved(), payment_authorized(), payment_captured(), *more)


def given_longer(*more: Event) -> Story[RowOf[Booking]]:
    """Changed, and the difference is captured."""
    return given_stay(DEARER, reserved(revision=2), AUTHORIZED, CAPTURED, *more)


def refunds(story: Story[RowOf[Booking]]) -> list[tuple[str, Decimal]]:
    """Of which payment how much is ordered back, in order."""
    return [(order.payment_id, order.amount) for order in story.events if isinstance(order, Refund)]


@pytest.mark.proves("HTL-02", "HTL-21")
@pytest.mark.parametrize("answers", [(reserved(revision=2), AUTHORIZED), (AUTHORIZED, reserved(revision=2))])
def test_the_difference_is_authorized_while_the_new_nights_are_held(answers: tuple[Event, Event]) -> None:
    story = given_stay().when(DEARER)
    held, asked = story.events
    assert held == hold(revision=2, end=night(3))
    assert isinstance(asked, Authorize)
    assert (asked.payment_id, asked.amount, asked.payment_token) == (SECOND, MORE, "sealed tok_visa")
    story = story.when(answers[0]).then_nothing()
    assert story.service.state.price_amount == PRICE, "nothing has changed yet"
    story = story.when(answers[1])
    assert story.of(BookingUpdated, Release, Capture)[1:] == (
        release(revision=1),
        Capture(payment_id=SECOND, booking_id="b1", revision=2),
    )
    booking = story.when(CAPTURED).service.state
    assert (booking.price_amount, booking.captured, booking.revision) == (Decimal("300.00"), Decimal("300.00"), 2)
    assert story.when(*answers, CAPTURED).then_nothing()


@pytest.mark.parametrize(
    ("answers", "reason", "kept"),
    [
        ((reserved(revision=2), of_change(PaymentDeclined, reason="card_declined")), "card_declined", "line"),
        ((AUTHORIZED, rejected("sold_out", revision=2)), "sold_out", "money"),
    ],
    ids=["declined", "sold out"],
)
def test_one_that_is_refused_leaves_everything_as_it_was(answers: tuple[Event, Event], reason: str, kept: str) -> None:
    before = given_stay().service.state
    story = given_stay(DEARER, answers[0]).when(answers[1])
    after = story.service.state
    assert after.refused_change is not None
    assert (after.refused_change.reason, after.lines, after.price_amount) == (reason, before.lines, PRICE)
    assert story.of(Release) == ((release(revision=2),) if kept == "line" else ())
    assert [void.payment_id for void in story.of(Void) if isinstance(void, Void)] == [SECOND]
    assert story.when(*answers).then_nothing()


def test_the_deadline_lets_go_of_the_nights_and_voids() -> None:
    story = given_stay(DEARER, AUTHORIZED).when(deadline_passed(), at=DEADLINE - timedelta(seconds=1)).then_nothing()
    story = story.when(deadline_passed(), at=DEADLINE)
    assert [type(event) for event in story.events] == [Release, Void]
    assert story.service.state.change is None
    late = given_stay(DEARER, reserved(revision=2)).when(AUTHORIZED, at=DEADLINE)
    assert [type(event) for event in late.events] == [Release, Void]


def test_a_cancellation_during_the_change_ends_both() -> None:
    story = given_stay(DEARER, AUTHORIZED).when(cancel())
    assert story.of(Release) == (release(revision=1, report=True), release(revision=2, report=True))
    assert [type(event) for event in story.of(Void)] == [Void]
    assert refunds(story) == [(PAYMENT, PRICE)]


def test_refunds_take_the_latest_payment_first() -> None:
    """Of 240.00 and 60.00, a change to 220.00 gives back 60.00 of the second and 20.00 of the first."""
    story = given_longer().when(change(booked_line(), price=Decimal("220.00"), revision=3), reserved(revision=3))
    assert refunds(story) == [(SECOND, MORE), (PAYMENT, Decimal("20.00"))]
    story = story.when(cancel())
    assert refunds(story) == [(PAYMENT, Decimal("220.00"))]
    assert refunds(given_longer().when(cancel())) == [(SECOND, MORE), (PAYMENT, PRICE)]


def test_what_a_payment_cannot_give_any_more_comes_from_another() -> None:
    """An operator gave 50.00 of the second payment back; the booking, which does not know yet, orders 60.00 of it."""
    order = refund("60.00")
    cut = given_payment(authorize(MORE), approved("authorize"), capture(), approved("capture"))
    cut = cut.when(refund("50.00", "goodwill", ordered_by="operator"), msgspec.structs.replace(order, tell_rest=True))
    (told,) = cut.of(RefundCut)
    assert isinstance(told, RefundCut)
    assert told.missing == Decimal("50.00")
    cancelled = given_longer().when(cancel())
    first_order = cancelled.of(Refund)[0]
    assert isinstance(first_order, Refund)
    rest = RefundCut(booking_id="b1", payment_id=SECOND, refund_id=first_order.refund_id, missing=Decimal("50.00"))
    assert refunds(cancelled.when(rest)) == [(PAYMENT, Decimal("50.00"))]
    assert cancelled.when(rest).events == ()


def test_a_difference_that_cannot_be_captured_is_owed() -> None:
    """The old nights are gone: the change stays, and 60.00 are the desk's to collect."""
    story = given_stay(DEARER, reserved(revision=2), AUTHORIZED).when(FAILED).then_nothing()
    booking = story.service.state
    assert (booking.status, booking.price_amount, booking.balance) == (BookingStatus.CONFIRMED, Decimal("300.00"), MORE)
    assert booking.paid, "nothing is under way any more: the guest may arrive"
    (told,) = story.when(cancel()).of(BookingCancelled)
    assert isinstance(told, BookingCancelled)
    assert told.refund_amount == PRICE, "what was not taken does not go back"


def test_a_cheaper_change_is_taken_off_what_is_owed_first() -> None:
    """60.00 are owed of 300.00: for 260.00 nothing goes back and 20.00 are owed, for 200.00 it is 40.00."""
    story = given_stay(DEARER, reserved(revision=2), AUTHORIZED, FAILED)
    story = story.when(change(booked_line(), price=Decimal("260.00"), revision=3), reserved(revision=3))
    assert (refunds(story), story.service.state.balance) == ([], Decimal("20.00"))
    story = story.when(change(LONGER, price=Decimal("200.00"), revision=4), reserved(revision=4))
    assert (refunds(story), story.service.state.balance) == ([(PAYMENT, Decimal("40.00"))], Decimal("0.00"))


def test_a_capture_that_went_through_after_all_pays_what_is_owed() -> None:
    story = given_stay(DEARER, reserved(revision=2), AUTHORIZED, FAILED)
    paid = story.when(CAPTURED).then_nothing().service.state
    assert (paid.balance, paid.captured) == (PRICE * 0, Decimal("300.00"))
    late = given_stay(DEARER, reserved(revision=2), AUTHORIZED, FAILED, cancel()).when(CAPTURED)
    assert refunds(late) == [(SECOND, MORE)]


def test_what_a_cancellation_ordered_of_such_a_capture_is_ordered_again_as_the_same() -> None:
    """30.00 of the second payment were to go back, and dropped: or the order came after the capture, and is given."""
    policy = CancellationPolicy(then=(Tier(fee=Fee(amount=Decimal("270.00"))),))
    story = given_booking(request(policy=policy), reserved(), payment_authorized(), payment_captured())
    story = story.when(DEARER, reserved(revision=2), AUTHORIZED).when(cancel())
    (ordered,) = story.of(Refund)
    (again,) = story.when(FAILED, CAPTURED).of(Refund)
    assert isinstance(ordered, Refund)
    assert isinstance(again, Refund)
    assert (again.payment_id, again.refund_id, again.amount) == (SECOND, ordered.refund_id, Decimal("30.00"))


def test_a_capture_that_went_through_after_a_no_show_is_given_back() -> None:
    """Half of what was paid by then was kept, 60.00 of which nobody knew any more are not kept on top of it."""
    half = CancellationPolicy(then=(Tier(fee=Fee(percent=50)),))
    story = given_booking(request(policy=half), reserved(), payment_authorized(), payment_captured())
    story = story.when(DEARER, reserved(revision=2), AUTHORIZED, FAILED).when(MarkNoShow(booking_id="b1"))
    assert refunds(story) == [(PAYMENT, Decimal("90.00"))]
    assert refunds(story.when(CAPTURED)) == [(SECOND, MORE)]


def test_what_an_operator_gave_of_a_later_payment_counts() -> None:
    given = PaymentRefunded(booking_id="b1", payment_id=SECOND, refund_id="goodwill", amount=Decimal("25.00"))
    story = given_longer(given, given).when(cancel())
    assert refunds(story) == [(SECOND, Decimal("35.00")), (PAYMENT, PRICE)]


def test_the_next_change_waits_for_the_capture() -> None:
    story = given_stay(DEARER, reserved(revision=2), AUTHORIZED)
    story = story.when(change(booked_line(), price=PRICE, revision=3)).then_nothing()
    found = story.service.state.refused_change
    assert found is not None
    assert found.reason == "not_paid_yet"


def test_the_call_of_the_second_payment_is_for_the_difference() -> None:
    (call,) = given_payment(authorize(MORE)).events[1:]
    assert call == provider_call("authorize", amount="60.00", reference=None, token="sealed tok_visa")
