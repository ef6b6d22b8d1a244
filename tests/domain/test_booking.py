"""A booking's one outcome: which answers lead to which, and what every part is told then (HTL-16, 24, 28, 29)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import msgspec
import pytest

from domain.booking import Booking, BookingStatus, payment_id_of
from streams.events import Event
from streams.events.about import Location
from streams.events.booking_news import (
    BookingCancelled,
    BookingConfirmed,
    BookingCreated,
    BookingExpired,
    BookingRejected,
)
from streams.events.payment import Authorize, Capture, Refund, Void
from tests.domain.messages import (
    DEADLINE,
    FREE_UNTIL,
    NOW,
    PAYMENT,
    PRICE,
    booked_line,
    cancel,
    capture,
    capture_failed,
    confirm_hold,
    deadline_passed,
    declare,
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

FREE = Decimal(0)
TWO_LINES = (booked_line(1, price=Decimal("140.00")), booked_line(2, "suite", price=Decimal("100.00")))


def confirmed(price: Decimal = PRICE) -> BookingConfirmed:
    return BookingConfirmed(
        booking_id="b1",
        user_id="u1",
        product_id="double",
        payment_id=PAYMENT,
        confirmed_at=NOW,
        price_amount=price,
        price_currency="EUR",
    )


def rejection(reason: str) -> BookingRejected:
    return BookingRejected(booking_id="b1", user_id="u1", product_id="double", rejected_at=NOW, reason=reason)


def cancellation(
    reason: str = "plans changed", refund: Decimal = FREE, by: str = "guest", late: bool = False
) -> BookingCancelled:
    return BookingCancelled(
        booking_id="b1",
        user_id="u1",
        product_id="double",
        payment_id=PAYMENT,
        cancelled_at=FREE_UNTIL if late else NOW,
        cancellation_reason=reason,
        refund_eligible=refund > 0,
        refund_amount=refund,
        refund_currency="EUR",
        cancelled_by=by,
    )


def given_confirmed(*more: Event, price: Decimal = PRICE) -> Story[RowOf[Booking]]:
    return given_booking(request(price=price), reserved(), payment_authorized(), *more)


def only_refund(story: Story[RowOf[Booking]]) -> Refund:
    (ordered,) = story.of(Refund)
    assert isinstance(ordered, Refund)
    return ordered


# --- opening ---


def test_a_request_opens_the_booking_and_asks_inventory_and_payment_at_the_same_time() -> None:
    """HTL-16, HTL-19: saved as PENDING, told to the world, both questions asked without waiting for each other."""
    story = given_booking().when(request())
    told, held, asked = story.events
    assert isinstance(told, BookingCreated)
    assert held == hold(end=night(2))
    assert bare(asked) == Authorize(
        payment_id=PAYMENT,
        booking_id="b1",
        revision=1,
        user_id="u1",
        amount=PRICE,
        currency="EUR",
        payment_token="sealed tok_visa",
    )
    booking = story.service.state
    assert booking.status is BookingStatus.PENDING
    assert not booking.status.terminal
    assert (booking.created_at, booking.deadline, booking.payment_id) == (NOW, DEADLINE, PAYMENT)


def test_created_says_what_the_document_shows() -> None:
    """CAT-16, HTL-18: all fields of the document; number and kind travel in its metadata."""
    place = Location(lat=52.5, lon=13.4, address="Alexanderplatz")
    (told, *_) = given_booking().when(request(location=place, metadata={"channel": "web", "kind": "spoofed"})).events
    assert bare(told) == BookingCreated(
        booking_id="b1",
        user_id="u1",
        product_id="double",
        provider_id="hotel",
        start_time=night(0),
        end_time=night(2),
        quantity=1,
        price_amount=PRICE,
        price_currency="EUR",
        status="PENDING",
        location=place,
        metadata={"channel": "web", "confirmation_number": "RSV-2026-000123", "kind": "stay"},
    )


def test_the_row_has_what_the_interface_shows() -> None:
    """HTL-17: the confirmation number and everything else a reader is shown come from the row."""
    place = Location(lat=52.5, lon=13.4)
    booking = given_booking(request(*TWO_LINES, location=place, metadata={"note": [1, 2.5, None]})).service.state
    assert booking.confirmation_number == "RSV-2026-000123"
    assert booking.location is not None
    assert (booking.location.lat, booking.location.address) == (52.5, None)
    assert booking.metadata == {"note": [1, 2.5, None]}
    assert (booking.fingerprint, booking.guest, booking.kind) == ("f" * 64, "sealed guest", "stay")


def test_of_several_lines_created_names_the_first_product_and_the_whole_time_and_quantity() -> None:
    lines = (booked_line(1, start=night(1), quantity=2), booked_line(2, "suite", start=night(0), end=night(5)))
    told, first, second, _ = given_booking().when(request(*lines)).events
    assert isinstance(told, BookingCreated)
    assert (told.product_id, told.quantity) == ("double", 3)
    assert (told.start_time, told.end_time) == (night(0), night(5))
    assert first == hold(line=1, start=night(1), end=night(2), quantity=2)
    assert second == hold(line=2, end=night(5), product="suite")


def test_a_retried_request_opens_nothing() -> None:
    given_booking(request()).when(request()).then_nothing()
    given_confirmed().when(request()).then_nothing()


@pytest.mark.parametrize("early", [reserved(), payment_authorized(), cancel(), deadline_passed(), declare()])
def test_nothing_begins_but_by_a_request(early: Event) -> None:
    story = given_booking().when(early).then_nothing()
    assert story.service.found is None


def test_the_payment_id_follows_from_booking_and_revision() -> None:
    assert payment_id_of("b1", 1) == payment_id_of("b1", 1)
    assert len({payment_id_of("b1", 1), payment_id_of("b1", 2), payment_id_of("b2", 1)}) == 3


# --- confirming ---


@pytest.mark.parametrize("answers", list(permutations([reserved(line=1), reserved(line=2), payment_authorized()])))
def test_the_last_answer_confirms_whichever_it_is(answers: tuple[Event, ...]) -> None:
    """HTL-24, CAT-17: nothing is confirmed before inventory agreed to every line and the money is there."""
    *first, last = answers
    story = given_booking(request(*TWO_LINES)).when(*first).then_nothing()
    story.when(last).then(confirmed(), confirm_hold(line=1), confirm_hold(line=2, product="suite"), capture())
    booking = story.service.state
    assert (booking.status, booking.confirmed_at) == (BookingStatus.CONFIRMED, NOW)


def test_the_same_answer_twice_is_one_answer() -> None:
    story = given_booking(request(*TWO_LINES), reserved(), payment_authorized())
    story.when(reserved(), payment_authorized(), payment_declined(), rejected("sold_out")).then_nothing()


def test_an_answer_to_something_else_does_not_count() -> None:
    story = given_booking(request(), reserved())
    story.when(
        reserved(line=7), reserved(revision=2), payment_authorized(revision=2), payment_authorized(payment="other")
    ).then_nothing()
    assert story.service.state.answered == (1,)


def test_a_free_booking_is_confirmed_by_inventory_alone_and_asks_for_no_money() -> None:
    story = given_booking().when(request(price=FREE))
    assert story.of(Authorize) == ()
    story.when(reserved()).then(confirmed(price=FREE), confirm_hold())
    story.when(cancel()).then(cancellation(), release(report=True))


@pytest.mark.parametrize("end", [rejected("sold_out"), cancel()], ids=["rejected", "withdrawn"])
def test_a_free_booking_that_ends_has_nothing_to_void(end: Event) -> None:
    assert given_booking(request(price=FREE)).when(end).of(Void) == ()


# --- ending while pending ---


def test_a_line_that_inventory_refuses_ends_the_booking_with_its_reason() -> None:
    """The other lines are released, answered or not; the authorization is voided, given or not."""
    story = given_booking(request(*TWO_LINES)).when(rejected("sold_out", line=1))
    story.then(rejection("sold_out"), release(line=2, product="suite"), void("sold_out"))
    booking = story.service.state
    assert (booking.status, booking.reason, booking.status.terminal) == (BookingStatus.REJECTED, "sold_out", True)


def test_a_declined_payment_ends_the_booking_with_the_providers_code() -> None:
    """CAT-08: and leaves nothing to void."""
    given_booking(request(*TWO_LINES), reserved(line=2)).when(payment_declined("insufficient_funds")).then(
        rejection("insufficient_funds"), release(line=1), release(line=2, product="suite")
    )


def test_a_booking_still_pending_at_its_deadline_expires() -> None:
    story = given_booking(request(), reserved()).when(deadline_passed(), at=DEADLINE)
    story.then(
        BookingExpired(booking_id="b1", user_id="u1", product_id="double", expired_at=DEADLINE),
        release(),
        void("deadline_passed"),
    )
    assert (story.service.state.status, story.service.state.reason) == (BookingStatus.EXPIRED, "deadline_passed")


def test_a_clock_that_runs_ahead_expires_nothing() -> None:
    given_booking(request()).when(deadline_passed(), at=DEADLINE - timedelta(microseconds=1)).then_nothing()


def test_a_booking_can_be_withdrawn_before_it_is_confirmed() -> None:
    """HTL-28: nothing was taken, so nothing is owed; even after the free period."""
    story = given_booking(request(), payment_authorized())
    story.when(cancel("double booking"), at=FREE_UNTIL).then(
        cancellation("double booking", late=True), release(report=True), void("double booking")
    )
    booking = story.service.state
    assert (booking.status, booking.reason) == (BookingStatus.CANCELLED, "double booking")
    assert (booking.cancellation_fee, booking.cancellation_refund) == (FREE, FREE)


ENDS = {
    "rejected": (rejected("sold_out"),),
    "declined": (payment_declined(),),
    "withdrawn": (cancel(),),
    "cancelled": (reserved(), payment_authorized(), cancel()),
    "undone": (reserved(), payment_authorized(), capture_failed()),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_end_is_the_end(end: tuple[Event, ...]) -> None:
    """One outcome per booking: what comes after it, late or twice, changes nothing (CAT-23)."""
    story = given_booking(request(), *end)
    status = story.service.state.status
    late = (reserved(), rejected("late"), payment_authorized(), payment_declined(), cancel(), request())
    story.when(*late).then_nothing()
    story.when(deadline_passed(), at=DEADLINE).then_nothing()
    assert story.service.state.status is status


def test_a_confirmed_booking_does_not_expire() -> None:
    given_confirmed().when(deadline_passed(), at=DEADLINE).then_nothing()


# --- cancelling what was confirmed ---


def test_a_cancellation_within_the_free_period_gives_everything_back() -> None:
    """HTL-28, HTL-29, CAT-18: inventory restored, refund ordered, the world told what goes back."""
    story = given_confirmed(payment_captured()).when(cancel())
    told, released, _ = story.events
    assert (bare(told), released) == (cancellation(refund=PRICE), release(report=True))
    ordered = only_refund(story)
    assert (ordered.payment_id, ordered.amount, ordered.ordered_by) == (PAYMENT, PRICE, "policy")
    booking = story.service.state
    assert (booking.status, booking.cancelled_at, booking.cancelled_by) == (BookingStatus.CANCELLED, NOW, "guest")
    assert (booking.cancellation_fee, booking.cancellation_refund) == (FREE, PRICE)


def test_a_refund_is_ordered_even_before_the_capture_is_known() -> None:
    """The payment waits with it."""
    assert only_refund(given_confirmed().when(cancel())).amount == PRICE


def test_a_cancellation_after_the_free_period_keeps_the_price_as_the_fee() -> None:
    story = given_confirmed(payment_captured()).when(cancel(), at=FREE_UNTIL)
    story.then(cancellation(late=True), release(report=True))
    assert story.service.state.cancellation_fee == PRICE


def test_what_an_operator_gave_back_is_not_given_back_again() -> None:
    story = given_confirmed(payment_captured(), payment_refunded(Decimal("40.00"))).when(cancel())
    assert only_refund(story).amount == Decimal("200.00")


# --- money after the outcome ---


def test_a_capture_that_fails_for_good_undoes_the_confirmation() -> None:
    story = given_confirmed().when(capture_failed("card_declined"))
    story.then(cancellation("payment_capture_failed: card_declined", by="system"), release(report=True))
    booking = story.service.state
    assert (booking.status, booking.reason) == (BookingStatus.CANCELLED, "payment_capture_failed: card_declined")
    assert booking.captured == 0


def test_captured_and_refunded_amounts_are_recorded_once() -> None:
    story = given_confirmed(payment_captured(), cancel())
    story.when(payment_captured(), payment_refunded(), payment_refunded()).then_nothing()
    story.when(payment_refunded(Decimal("1.00"), "r2")).then_nothing()
    assert (story.service.state.captured, story.service.state.refunded) == (PRICE, Decimal("241.00"))


def test_a_capture_that_fails_after_a_cancellation_is_recorded() -> None:
    story = given_confirmed(cancel()).when(capture_failed("expired_card"), capture_failed("again")).then_nothing()
    assert story.service.state.capture_error == "expired_card"


def test_a_failure_reported_after_the_money_arrived_does_not_undo_the_confirmation() -> None:
    story = given_confirmed(payment_captured()).when(capture_failed()).then_nothing()
    assert story.service.state.status is BookingStatus.CONFIRMED


def test_a_capture_that_went_through_after_all_is_given_back() -> None:
    """A late contrary result is compensated: the booking was undone, so nothing is owed."""
    late = given_confirmed(capture_failed()).when(payment_captured())
    assert only_refund(late).amount == PRICE
    assert late.service.state.status is BookingStatus.CANCELLED


@pytest.mark.parametrize(
    ("first", "second"), [(capture_failed(), payment_captured()), (payment_captured(), capture_failed())]
)
def test_the_refund_that_such_a_capture_lost_is_ordered_again(first: Event, second: Event) -> None:
    """As the same refund: the payment dropped the first order, or it came after the capture and is given already."""
    ordered = only_refund(given_confirmed().when(cancel()))
    again = only_refund(given_confirmed(cancel(), first).when(second))
    assert again.amount == ordered.amount
    assert again.refund_id == ordered.refund_id


def test_a_capture_that_went_through_after_all_pays_the_fee() -> None:
    story = given_confirmed().when(cancel(), at=FREE_UNTIL)
    story.when(capture_failed(), payment_captured()).then_nothing()
    assert story.service.state.captured == PRICE


@pytest.mark.parametrize("other", [Capture(payment_id="p", booking_id="b1", revision=1), declare(), hold()])
def test_what_does_not_concern_bookings_changes_nothing(other: Event) -> None:
    given_booking(request()).when(other).then_nothing()
    given_confirmed().when(other).then_nothing()


def test_a_capture_failure_of_another_payment_changes_nothing() -> None:
    given_confirmed().when(msgspec.structs.replace(capture_failed(), payment_id="other")).then_nothing()
