"""The cancellation policy as the gateway quotes it (HTL-28)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec

from domain.booking import Booking
from domain.cancellation import Quote, quote_cancellation, quote_no_show
from streams.events import Event
from tests.domain.messages import (
    FREE_UNTIL,
    NOW,
    PRICE,
    cancel,
    payment_authorized,
    payment_captured,
    payment_refunded,
    request,
    reserved,
)
from tests.domain.services import given_booking

NOTHING = Decimal(0)


def confirmed(*more: Event) -> Booking:
    return given_booking(request(), reserved(), payment_authorized(), *more).service.state


def test_until_the_free_period_ends_everything_goes_back() -> None:
    last_moment = FREE_UNTIL - timedelta(microseconds=1)
    assert quote_cancellation(confirmed(), last_moment) == Quote(fee=NOTHING, refund=PRICE)


def test_from_then_on_nothing_goes_back() -> None:
    assert quote_cancellation(confirmed(), FREE_UNTIL) == Quote(fee=PRICE, refund=NOTHING)


def test_before_the_confirmation_nothing_is_owed_either_way() -> None:
    pending = given_booking(request()).service.state
    assert quote_cancellation(pending, FREE_UNTIL) == Quote(fee=NOTHING, refund=NOTHING)


def test_what_ended_cannot_be_cancelled_again() -> None:
    assert quote_cancellation(confirmed(cancel()), NOW) == Quote(fee=NOTHING, refund=NOTHING)


def test_what_was_given_back_before_is_taken_into_account() -> None:
    booking = confirmed(payment_captured(), payment_refunded(Decimal("40.00")))
    assert quote_cancellation(booking, NOW).refund == Decimal("200.00")


def test_amounts_have_the_digits_of_the_currency() -> None:
    assert str(quote_cancellation(confirmed(), NOW).fee) == "0.00"


def test_nothing_is_kept_of_a_free_booking_whose_guest_never_came() -> None:
    free = msgspec.structs.replace(confirmed(), price_amount=Decimal("0.00"))
    assert quote_no_show(free) == Quote(fee=NOTHING, refund=NOTHING)
    assert quote_no_show(confirmed()) == Quote(fee=PRICE, refund=NOTHING)
