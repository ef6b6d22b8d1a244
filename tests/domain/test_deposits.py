"""Deposits: what is paid at booking, what at check-in, and what becomes of the rest when a stay changes or ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.booking import Booking, BookingStatus
from domain.booking_state import balance_payment_of
from domain.deposits import deposit_of
from streams.events import Event
from streams.events.booking import (
    CaptureFailed,
    CheckIn,
    CheckOut,
    MarkNoShow,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
)
from streams.events.booking_news import BookingCancelled, BookingCheckedIn, BookingCompleted, BookingNoShow
from streams.events.payment import Authorize, Capture, Refund, Void
from streams.events.policy import CancellationPolicy, Deposit, Fee, Tier
from tests.domain.messages import (
    PAYMENT,
    booked_line,
    cancel,
    capture,
    capture_failed,
    change,
    night,
    payment_authorized,
    payment_captured,
    request,
    reserved,
)
from tests.domain.services import RowOf, Story, given_booking

PRICE = Decimal("400.00")
DEPOSIT, REST = Decimal("80.00"), Decimal("320.00")
BALANCE = balance_payment_of("b1")
IN, OUT = CheckIn(booking_id="b1"), CheckOut(booking_id="b1")
AUTHORIZED = PaymentAuthorized(booking_id="b1", revision=1, payment_id=BALANCE)
DECLINED = PaymentDeclined(booking_id="b1", revision=1, payment_id=BALANCE, reason="card_declined")
CAPTURED = PaymentCaptured(booking_id="b1", revision=1, payment_id=BALANCE, amount=REST)
FAILED = CaptureFailed(booking_id="b1", revision=1, payment_id=BALANCE, reason="card_declined")
LINE = booked_line(start=night(0), end=night(4), price=PRICE)


def given_stay(*more: Event, deposit: Decimal = DEPOSIT, **terms: Any) -> Story[RowOf[Booking]]:
    """Four nights at 100.00 from 24 December, a fifth of them paid."""
    asked = request(LINE, price=PRICE, deposit_amount=deposit, **{"free_until": night(0), **terms})
    return given_booking(asked, reserved(), payment_authorized(), payment_captured(deposit), *more)


def refunds(story: Story[RowOf[Booking]]) -> list[tuple[str, Decimal]]:
    return [(order.payment_id, order.amount) for order in story.events if isinstance(order, Refund)]


def dearer(price: str, revision: int = 2, **more: Any) -> tuple[Event, Event]:
    """The stay at another price, and inventory's word."""
    lines = booked_line(start=night(0), end=night(4), price=Decimal(price))
    return change(lines, price=Decimal(price), revision=revision, **more), reserved(revision=revision)


@pytest.mark.parametrize(
    ("percent", "price", "currency", "deposit"),
    [
        (20, "400.00", "EUR", "80.00"),
        (30, "99.95", "EUR", "29.99"),  # 29.985
        (50, "1001", "JPY", "501"),  # 500.5
        (1, "0.20", "EUR", "0.01"),  # 0.002
        (99, "0.01", "EUR", "0.01"),
    ],
)
def test_a_deposit_is_half_up_and_a_minor_unit_at_least(percent: int, price: str, currency: str, deposit: str) -> None:
    assert deposit_of(Deposit(percent=percent), Decimal(price), currency) == Decimal(deposit)


def test_what_asks_for_none_or_costs_nothing_has_none() -> None:
    assert deposit_of(None, PRICE, "EUR") is None
    assert deposit_of(Deposit(percent=20), Decimal(0), "EUR") is None


@given(st.integers(1, 99), st.integers(1, 10**9))
def test_a_deposit_is_the_share_of_the_price_in_cents(percent: int, cents: int) -> None:
    found = deposit_of(Deposit(percent=percent), Decimal(cents) / 100, "EUR")
    assert found is not None
    assert found * 100 == max((cents * percent + 50) // 100, 1)
    assert found <= Decimal(cents) / 100


@pytest.mark.proves("HTL-21")
def test_a_fifth_is_paid_at_booking_and_the_rest_at_check_in() -> None:
    """Of 400.00, 80.00 at booking and 320.00 at check-in."""
    asked = request(LINE, price=PRICE, deposit_amount=DEPOSIT)
    (authorize,) = given_booking(asked).of(Authorize)
    assert isinstance(authorize, Authorize)
    assert (authorize.payment_id, authorize.amount) == (PAYMENT, DEPOSIT)
    story = given_booking(asked, reserved()).when(payment_authorized())
    assert story.of(Capture) == (capture(),)
    row = given_stay().service.state
    assert (row.captured, row.balance, row.price_amount, row.paid) == (DEPOSIT, REST, PRICE, True)

    story = given_stay().when(IN)
    arrived, charge = story.events
    assert isinstance(arrived, BookingCheckedIn)
    assert isinstance(charge, Authorize)
    assert (charge.payment_id, charge.amount, charge.payment_token) == (BALANCE, REST, "sealed tok_visa")
    row = story.service.state
    assert (row.status, row.balance) == (BookingStatus.CHECKED_IN, REST), "it is owed until it is taken"
    story = story.when(AUTHORIZED).then(Capture(payment_id=BALANCE, booking_id="b1", revision=1))
    story.when(AUTHORIZED, DECLINED).then_nothing()
    row = story.when(CAPTURED).then_nothing().service.state
    assert (row.captured, row.balance) == (PRICE, Decimal(0))
    story.when(IN, AUTHORIZED, CAPTURED, DECLINED, FAILED).then_nothing()
    assert [type(event) for event in story.when(OUT, at=night(4)).events] == [BookingCompleted]


@pytest.mark.parametrize("answers", [(DECLINED,), (AUTHORIZED, FAILED)], ids=["declined", "not captured"])
def test_a_balance_that_cannot_be_had_is_the_desks_to_collect(answers: tuple[Event, ...]) -> None:
    """The guest stays checked in, 320.00 are owed, and nothing is tried again."""
    story = given_stay(IN, *answers)
    row = story.service.state
    assert (row.status, row.balance, row.captured) == (BookingStatus.CHECKED_IN, REST, DEPOSIT)
    story.when(*answers, AUTHORIZED).then_nothing()
    story = story.when(OUT, at=night(4))
    assert (story.service.state.status, story.service.state.balance) == (BookingStatus.COMPLETED, REST)


def test_one_reported_as_failed_that_went_through_is_paid() -> None:
    story = given_stay(IN, AUTHORIZED, FAILED).when(CAPTURED).then_nothing()
    assert (story.service.state.captured, story.service.state.balance) == (PRICE, Decimal(0))


@pytest.mark.parametrize(
    ("terms", "why"),
    [({"deposit": PRICE}, "covers the price"), ({"payment_token": ""}, "has nothing to charge")],
)
def test_nothing_is_charged_at_check_in_where(terms: dict[str, Any], why: str) -> None:
    token = terms.pop("payment_token", "sealed tok_visa")
    deposit = terms.get("deposit", DEPOSIT)
    asked = request(LINE, price=PRICE, deposit_amount=deposit, free_until=night(0))
    asked = msgspec.structs.replace(asked, payment_token=token)
    story = given_booking(asked, reserved(), payment_authorized(), payment_captured(deposit)).when(IN)
    assert [type(event) for event in story.events] == [BookingCheckedIn], why
    assert story.service.state.balance == PRICE - deposit


def test_a_cancellation_keeps_no_more_than_was_paid() -> None:
    """A fee of 200.00: the deposit of 80.00 is kept. One of 40.00: the other 40.00 go back. None: all 80.00."""
    half = CancellationPolicy(then=(Tier(fee=Fee(percent=50)),))
    tenth = CancellationPolicy(then=(Tier(fee=Fee(percent=10)),))
    for policy, fee, back in ((half, "80.00", "0.00"), (tenth, "40.00", "40.00"), (None, "0.00", "80.00")):
        story = given_stay(policy=policy).when(cancel())
        (told,) = story.of(BookingCancelled)
        assert isinstance(told, BookingCancelled)
        row = story.service.state
        assert (row.cancellation_fee, told.refund_amount) == (Decimal(fee), Decimal(back))
        assert refunds(story) == ([(PAYMENT, Decimal(back))] if Decimal(back) else [])
        assert row.balance == 0, "nothing is asked for any more"


@pytest.mark.parametrize(
    ("policy", "kept"), [(None, "80.00"), (CancellationPolicy(then=(Tier(fee=Fee(percent=10)),)), "40.00")]
)
def test_a_guest_who_never_came_is_charged_nothing_more(policy: CancellationPolicy | None, kept: str) -> None:
    """Without a policy the 80.00 are kept; where a tenth of 400.00 is kept, 40.00 go back."""
    story = given_stay(policy=policy).when(MarkNoShow(booking_id="b1"))
    back = DEPOSIT - Decimal(kept)
    assert story.of(Authorize) == ()
    assert refunds(story) == ([(PAYMENT, back)] if back else [])
    (told,) = story.of(BookingNoShow)
    assert isinstance(told, BookingNoShow)
    row = story.service.state
    assert (told.refund_amount, row.cancellation_fee, row.balance) == (back, Decimal(kept), Decimal(0))


def test_a_dearer_change_is_added_to_the_balance_and_a_cheaper_one_taken_off_it_first() -> None:
    """400.00 become 460.00: nothing is charged, 380.00 are owed. 100.00: 20.00. 50.00: nothing, and 30.00 go back."""
    asked, held = dearer("460.00")
    story = given_stay().when(asked)
    assert story.of(Authorize) == ()
    story = story.when(held)
    assert story.of(Authorize, Capture, Refund, Void) == ()
    assert story.service.state.balance == Decimal("380.00")
    story = story.when(*dearer("100.00", 3))
    assert (refunds(story), story.service.state.balance) == ([], Decimal("20.00"))
    story = story.when(*dearer("50.00", 4))
    assert (refunds(story), story.service.state.balance) == ([(PAYMENT, Decimal("30.00"))], Decimal(0))
    story = story.when(*dearer("65.00", 5))
    (charge,) = story.when(IN).of(Authorize)
    assert isinstance(charge, Authorize)
    assert (charge.amount, charge.revision) == (Decimal("15.00"), 5)


def test_a_payment_method_that_comes_with_a_change_pays_at_check_in() -> None:
    (charge,) = given_stay(*dearer("460.00", payment_token="sealed tok_other")).when(IN).of(Authorize)
    assert isinstance(charge, Authorize)
    assert (charge.amount, charge.payment_token) == (Decimal("380.00"), "sealed tok_other")


def test_another_program_cannot_make_it_dearer_for_check_in_either() -> None:
    story = given_stay().when(dearer("460.00", message_id="m1")[0]).then_nothing()
    found = story.service.state.refused_change
    assert found is not None
    assert found.reason == "costs_more"
    assert given_stay(*dearer("300.00", message_id="m1")).service.state.balance == Decimal("220.00")


HALF_BACK = CancellationPolicy(early_departure_refund=50)


@pytest.mark.parametrize(
    ("answers", "back", "owed"),
    [
        ((AUTHORIZED, CAPTURED), [(BALANCE, Decimal("100.00"))], "0.00"),
        ((DECLINED,), [], "220.00"),
        ((AUTHORIZED, FAILED), [], "220.00"),
    ],
    ids=["paid", "declined", "not captured"],
)
def test_what_an_early_departure_gives_back_is_taken_off_what_is_owed_first(
    answers: tuple[Event, ...], back: list[tuple[str, Decimal]], owed: str
) -> None:
    """Two of four nights are given up and half of their 200.00 goes back: of the balance, or off what is owed of it."""
    story = given_stay(IN, *answers, policy=HALF_BACK).when(OUT, at=night(2))
    row = story.service.state
    assert (refunds(story), row.balance, row.price_amount) == (back, Decimal(owed), Decimal("300.00"))


def test_who_leaves_while_the_balance_is_charged_gets_back_what_was_too_much() -> None:
    """Charged 320.00, and gone before the answer: 100.00 of it go back once it is captured, none if it is declined."""
    story = given_stay(IN, AUTHORIZED, policy=HALF_BACK).when(OUT, at=night(2))
    assert (refunds(story), story.service.state.balance) == ([], Decimal("220.00"))
    paid = story.when(CAPTURED)
    assert (refunds(paid), paid.service.state.balance) == ([(BALANCE, Decimal("100.00"))], Decimal(0))
    paid.when(CAPTURED).then_nothing()
    all_back = CancellationPolicy(early_departure_refund=100)
    early = given_stay(IN, AUTHORIZED, deposit=Decimal("300.00"), policy=all_back).when(OUT, at=night(0))
    assert refunds(early) == [(PAYMENT, Decimal("200.00"))], "300.00 of 400.00: 100.00 are not owed, 200.00 were paid"
    early = early.when(msgspec.structs.replace(CAPTURED, amount=Decimal("100.00")))
    assert refunds(early) == [(BALANCE, Decimal("100.00"))]
    declined = given_stay(IN, OUT, DECLINED, policy=HALF_BACK).service.state
    assert (declined.status, declined.price_amount) == (BookingStatus.COMPLETED, Decimal("250.00"))
    assert declined.balance == Decimal("170.00")


def test_what_an_operator_gives_of_the_balance_counts() -> None:
    goodwill = PaymentRefunded(booking_id="b1", payment_id=BALANCE, refund_id="goodwill", amount=Decimal("300.00"))
    story = given_stay(IN, AUTHORIZED, CAPTURED, goodwill, policy=HALF_BACK).when(OUT, at=night(2))
    assert refunds(story) == [(BALANCE, Decimal("20.00")), (PAYMENT, Decimal("80.00"))]


def test_a_deposit_that_cannot_be_captured_undoes_the_booking() -> None:
    asked = request(LINE, price=PRICE, deposit_amount=DEPOSIT)
    row = given_booking(asked, reserved(), payment_authorized(), capture_failed()).service.state
    assert (row.status, row.balance) == (BookingStatus.CANCELLED, Decimal(0))


def test_what_is_not_paid_here_has_no_deposit() -> None:
    row = given_booking(request(LINE, price=PRICE, deposit_amount=DEPOSIT, prepaid=False)).service.state
    assert (row.deposit, row.balance) == (None, Decimal(0))
