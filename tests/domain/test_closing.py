"""HTL-29, "all updates complete": a cancellation is followed until inventory, money and figures are done, and that is
said once.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from domain.booking import Booking
from domain.booking_parts import Closing
from domain.booking_state import derived_id
from streams.events import Event
from streams.events.booking import CancellationCounted, PaymentDeclined, RefundCut
from streams.events.booking_news import BookingCancellationCompleted
from tests.domain.messages import (
    CHECK_OUT,
    NEXT_DAY,
    NOW,
    PAYMENT,
    PRICE,
    booked_line,
    cancel,
    capture_failed,
    change,
    declare,
    hold,
    night,
    payment_authorized,
    payment_captured,
    payment_refunded,
    payment_voided,
    rejected,
    release,
    released,
    request,
    reserved,
)
from tests.domain.services import RowOf, Story, given_booking, given_shelf

CONFIRMED = (request(), reserved(), payment_authorized(), payment_captured())
COUNTED = CancellationCounted(booking_id="b1")
REFUND = derived_id("b1", "cancel")
LATER = NOW + timedelta(minutes=1)


def completions(story: Story[RowOf[Booking]]) -> list[BookingCancellationCompleted]:
    return [event for event in story.events if isinstance(event, BookingCancellationCompleted)]


def closing(story: Story[RowOf[Booking]]) -> Closing:
    found = story.service.state.closing
    assert found is not None
    return found


@pytest.mark.proves("HTL-29")
@pytest.mark.parametrize("answers", list(permutations([released(), payment_refunded(PRICE, REFUND), COUNTED])))
def test_the_last_of_three_answers_completes_it_whichever_it_is(answers: tuple[Event, ...]) -> None:
    story = given_booking(*CONFIRMED, cancel())
    for answer in answers[:-1]:
        story = story.when(answer).then_nothing().when(answer).then_nothing()
    story = story.when(answers[-1], at=LATER)
    (told,) = completions(story)
    assert (told.cancelled_at, told.completed_at, told.refunded_amount) == (NOW, LATER, PRICE)
    assert closing(story) == Closing(counted=True, completed_at=LATER)
    story.when(*answers).then_nothing()


def test_every_line_is_waited_for_and_those_of_a_change_under_way_too() -> None:
    lines = booked_line(1, price=PRICE), booked_line(2, "suite", price=Decimal(0))
    story = given_booking(request(*lines), reserved(), reserved(line=2), payment_authorized(), payment_captured())
    story = story.when(change(booked_line(start=NEXT_DAY, end=CHECK_OUT), price=PRICE), cancel())
    assert closing(story).lines == ("1/1", "1/2", "2/1")
    story = story.when(COUNTED, payment_refunded(PRICE, REFUND), released(), released(line=2)).then_nothing()
    assert len(completions(story.when(released(revision=2)))) == 1


def test_where_nothing_goes_back_no_money_is_waited_for() -> None:
    story = given_booking(*CONFIRMED).when(cancel(), at=night(5))
    assert closing(story).money == ()
    assert len(completions(story.when(released(), COUNTED))) == 1


@pytest.mark.parametrize(
    "end",
    [payment_voided(), PaymentDeclined(booking_id="b1", revision=1, payment_id=PAYMENT, reason="voided")],
    ids=["voided", "never authorized"],
)
def test_of_a_booking_that_was_pending_the_authorization_is_to_end(end: Event) -> None:
    story = given_booking(request(), cancel(), released(), COUNTED)
    assert closing(story).money == (PAYMENT,)
    assert len(completions(story.when(end))) == 1


def test_a_refund_that_waits_for_a_capture_which_fails_is_not_waited_for() -> None:
    story = given_booking(request(), reserved(), payment_authorized(), cancel(), released(), COUNTED)
    assert closing(story).money == (REFUND,)
    assert len(completions(story.when(capture_failed()))) == 1


def test_a_refund_of_everything_by_an_operator_leaves_none_to_wait_for() -> None:
    story = given_booking(*CONFIRMED, cancel(), released(), COUNTED)
    assert len(completions(story.when(payment_refunded(PRICE, "by an operator")))) == 1


def test_what_was_cancelled_before_this_was_followed_is_never_completed() -> None:
    story = given_booking(request(rules=1), *CONFIRMED[1:]).when(cancel())
    assert release() in story.events, "nobody is asked to report"
    story.when(released(), COUNTED).then_nothing()
    assert story.service.state.closing is None


def test_inventory_says_once_that_nothing_is_held_any_more_and_only_if_asked() -> None:
    story = given_shelf(declare(), hold()).when(release(report=True))
    assert story.of(type(released())) == (released(),)
    story.when(release(report=True)).then_nothing()
    given_shelf(declare()).when(release(report=True)).then(released()).when(release(report=True)).then_nothing()
    refused = given_shelf(declare(capacity=0)).when(hold()).then(rejected("sold_out"))
    refused.when(release()).then_nothing().when(release(report=True)).then(released())
    refused.when(release(report=True)).then_nothing().when(hold()).then_nothing()
    assert not given_shelf(declare(), hold()).when(release()).of(type(released()))


def test_a_refund_that_another_payment_has_to_give_is_waited_for_no_more() -> None:
    """An operator gave it all before: nothing of what the cancellation ordered goes back by this payment."""
    refused = RefundCut(booking_id="b1", payment_id=PAYMENT, refund_id=REFUND, missing=PRICE, refused=True)
    story = given_booking(*CONFIRMED, cancel()).when(refused)
    assert closing(story).money == ()
