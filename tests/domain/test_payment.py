"""A payment from its authorization to its last refund, in every order its messages may come (HTL-05, HTL-21)."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from domain.payment import Method, Payment, PaymentStatus, RefundRecord
from streams.events import Event
from streams.events.about import About
from streams.events.booking import PaymentDeclined
from streams.events.payment import Operation, PaymentMethod, ProviderCall
from streams.events.payment_news import (
    PaymentAuthorizedNews,
    PaymentCreated,
    PaymentFailed,
    PaymentRefundedEvent,
    PaymentSettled,
    PaymentSucceeded,
)
from tests.domain.messages import (
    NOW,
    PAYMENT,
    PRICE,
    approved,
    authorize,
    cancel,
    capture,
    capture_failed,
    payment_authorized,
    payment_captured,
    payment_declined,
    payment_refunded,
    payment_voided,
    provider_call,
    refund,
    refused,
    settle,
    void,
)
from tests.domain.services import RowOf, Story, given_payment

VISA = PaymentMethod(type="card", brand="visa", last4="4242")
AUTHORIZED = (authorize(), approved("authorize", method=VISA))
CAPTURED = (*AUTHORIZED, capture(), approved("capture"))
VOIDED = (*AUTHORIZED, void(), approved("void"))


def failed(code: str = "card_declined", message: str | None = None) -> PaymentFailed:
    return PaymentFailed(
        payment_id=PAYMENT,
        booking_id="b1",
        user_id="u1",
        amount=PRICE,
        currency="EUR",
        provider="sandbox",
        error_code=code,
        error_message=message or code,
        failed_at=NOW,
    )


def succeeded(reference: str = "pi_1", method: PaymentMethod = VISA) -> PaymentSucceeded:
    return PaymentSucceeded(
        payment_id=PAYMENT,
        booking_id="b1",
        user_id="u1",
        amount=PRICE,
        currency="EUR",
        provider="sandbox",
        provider_payment_id=reference,
        payment_method=method,
        succeeded_at=NOW,
    )


def refund_told(amount: str = "240.00", reference: str = "re_1") -> PaymentRefundedEvent:
    return PaymentRefundedEvent(
        payment_id=PAYMENT,
        booking_id="b1",
        user_id="u1",
        refund_id="r1",
        amount=Decimal(amount),
        currency="EUR",
        provider="sandbox",
        provider_refund_id=reference,
        reason="plans changed",
        refunded_at=NOW,
    )


def status(story: Story[RowOf[Payment]]) -> PaymentStatus:
    return story.service.state.status


def record(story: Story[RowOf[Payment]], refund_id: str = "r1") -> RefundRecord:
    return story.service.state.refunds[refund_id]


# --- authorizing ---


def test_an_authorization_is_told_and_asked_of_the_provider() -> None:
    """HTL-21, CAT-06: the record comes first, the call after it and outside."""
    story = given_payment().when(authorize())
    story.then(
        PaymentCreated(
            payment_id=PAYMENT,
            booking_id="b1",
            user_id="u1",
            amount=PRICE,
            currency="EUR",
            provider="sandbox",
            created_at=NOW,
        ),
        provider_call("authorize", reference=None, token="sealed tok_visa"),
    )
    assert status(story) is PaymentStatus.AUTHORIZING


def test_an_approval_authorizes_and_is_told_to_the_booking() -> None:
    story = given_payment(authorize()).when(approved("authorize", "effect-1", method=VISA))
    news = PaymentAuthorizedNews(
        payment_id=PAYMENT,
        booking_id="b1",
        user_id="u1",
        amount=PRICE,
        currency="EUR",
        provider="sandbox",
        provider_payment_id="pi_1",
        payment_method=PaymentMethod(type="card", brand="visa", last4="4242"),
        authorized_at=NOW,
    )
    story.then(payment_authorized(), news)
    payment = story.service.state
    assert (payment.status, payment.provider_payment_id) == (PaymentStatus.AUTHORIZED, "pi_1")
    assert payment.method == Method("card", "visa", "4242")
    assert payment.answered == ("effect-1",)


def test_a_refusal_declines_with_the_providers_code() -> None:
    """CAT-20."""
    story = given_payment(authorize()).when(refused("authorize", "insufficient_funds", message="Not enough money."))
    story.then(failed("insufficient_funds", "Not enough money."), payment_declined("insufficient_funds"))
    assert status(story) is PaymentStatus.DECLINED
    assert story.service.state.error == "insufficient_funds"


def test_a_refusal_without_a_code_is_still_a_refusal() -> None:
    given_payment(authorize()).when(refused("authorize", None)).then(failed("declined"), payment_declined("declined"))
    given_payment(*AUTHORIZED, capture()).when(refused("capture", None)).then(
        failed("capture_failed"), capture_failed("capture_failed"), provider_call("void")
    )


# --- capturing ---


def test_a_capture_takes_the_whole_amount() -> None:
    """CAT-07, CAT-19: and only what was authorized can be captured."""
    story = given_payment(*AUTHORIZED).when(capture()).then(provider_call("capture"))
    assert status(story) is PaymentStatus.CAPTURING
    story.when(approved("capture")).then(succeeded(), payment_captured())
    assert (status(story), story.service.state.captured) == (PaymentStatus.CAPTURED, PRICE)


def test_a_payment_that_the_provider_did_not_name_is_known_by_our_reference() -> None:
    story = given_payment(authorize(), approved("authorize", reference=None), capture()).when(approved("capture"))
    story.then(succeeded(PAYMENT, PaymentMethod()), payment_captured())


def test_a_capture_that_fails_is_told_and_frees_the_guests_money() -> None:
    story = given_payment(*AUTHORIZED, capture()).when(refused("capture"))
    story.then(failed(), capture_failed(), provider_call("void"))
    story.when(approved("void")).then_nothing()
    assert status(story) is PaymentStatus.CAPTURE_FAILED


@pytest.mark.parametrize("history", [(), (authorize(),), (authorize(), refused("authorize")), VOIDED])
def test_nothing_is_captured_that_is_not_authorized(history: tuple[Event, ...]) -> None:
    given_payment(*history).when(capture()).then_nothing()


# --- voiding ---


def test_a_void_ends_an_authorization() -> None:
    story = given_payment(*AUTHORIZED).when(void()).then(provider_call("void"))
    assert status(story) is PaymentStatus.VOIDING
    story.when(approved("void")).then(payment_voided())
    assert (status(story), story.service.state.void_reason) == (PaymentStatus.VOIDED, "sold_out")


def test_a_void_before_its_authorization_refuses_it_without_asking_the_provider() -> None:
    story = given_payment(void()).when(authorize())
    story.then(PaymentDeclined(booking_id="b1", revision=1, payment_id=PAYMENT, reason="voided"))
    story.when(authorize(), void()).then_nothing()
    payment = story.service.state
    assert (payment.status, payment.amount, payment.void_reason) == (PaymentStatus.REFUSED, PRICE, "sold_out")


def test_a_void_while_authorizing_waits_for_the_answer() -> None:
    story = given_payment(authorize()).when(void(), void("again")).then_nothing()
    story.when(approved("authorize")).then(provider_call("void"))
    assert (status(story), story.service.state.void_reason) == (PaymentStatus.VOIDING, "sold_out")


def test_a_void_while_authorizing_has_nothing_to_do_if_the_provider_declines() -> None:
    story = given_payment(authorize(), void()).when(refused("authorize")).then(failed(), payment_declined())
    assert status(story) is PaymentStatus.DECLINED


def test_a_void_that_the_provider_refuses_is_remembered_with_its_reason() -> None:
    story = given_payment(*AUTHORIZED, void()).when(refused("void", "already_captured")).then_nothing()
    assert (status(story), story.service.state.error) == (PaymentStatus.VOIDING, "already_captured")
    story.when(refused("void", None)).then_nothing()
    assert story.service.state.error == "void_failed"
    story.when(approved("void")).then(payment_voided())
    assert status(story) is PaymentStatus.VOIDED
    assert story.service.state.error is None


@pytest.mark.parametrize("history", [(*AUTHORIZED, capture()), CAPTURED, VOIDED, (authorize(), refused("authorize"))])
def test_what_is_taken_or_over_is_not_voided(history: tuple[Event, ...]) -> None:
    given_payment(*history).when(void("again")).then_nothing()


# --- refunding ---


def test_a_refund_is_called_and_told_once_it_is_given() -> None:
    """CAT-09, HTL-29."""
    story = given_payment(*CAPTURED).when(refund()).then(provider_call("refund", refund_id="r1"))
    assert record(story).status == "calling"
    story.when(approved("refund", reference="re_1", refund_id="r1")).then(refund_told(), payment_refunded())
    assert (record(story).status, story.service.state.refunded) == ("refunded", PRICE)


def test_a_refund_without_a_provider_reference_is_known_by_ours() -> None:
    story = given_payment(*CAPTURED, refund()).when(approved("refund", reference=None, refund_id="r1"))
    story.then(refund_told(reference="r1"), payment_refunded())


@pytest.mark.parametrize("before", [(), (capture(),)], ids=["overtook the capture", "while capturing"])
def test_a_refund_waits_for_the_capture(before: tuple[Event, ...]) -> None:
    story = given_payment(*AUTHORIZED, *before).when(refund()).then_nothing()
    assert record(story).status == "waiting"
    rest = (capture(), approved("capture"))[len(before) :]
    story.when(*rest)
    assert record(story).status == "calling"


def test_refunds_that_waited_are_called_once_captured() -> None:
    story = given_payment(*AUTHORIZED, capture(), refund("100.00", "r1"), refund("100.00", "r2"))
    story.when(approved("capture")).then(
        succeeded(),
        payment_captured(),
        provider_call("refund", "100.00", refund_id="r1"),
        provider_call("refund", "100.00", refund_id="r2"),
    )


@pytest.mark.parametrize("end", [(capture(), refused("capture")), (void(),)], ids=["capture failed", "voided"])
def test_a_refund_that_waited_in_vain_is_refused(end: tuple[Event, ...]) -> None:
    story = given_payment(*AUTHORIZED, refund(), *end)
    assert (record(story).status, record(story).error) == ("refused", "not_captured")
    assert all(call.operation != "refund" for call in story.events if isinstance(call, ProviderCall))


def test_a_refund_of_a_capture_that_went_through_after_all_is_given_once() -> None:
    """Whether the cancellation's order came before the right answer, which dropped it, or after it: the booking orders
    the same refund again, and nothing of the fee goes back with it.
    """
    order = refund("237.60")
    failed = (*AUTHORIZED, capture(), refused("capture"))
    before = given_payment(*failed, order, approved("capture", "effect-capture"))
    before.when(order).then(provider_call("refund", "237.60", refund_id="r1")).when(order).then_nothing()
    after = given_payment(*failed, approved("capture", "effect-capture"))
    after.when(order).then(provider_call("refund", "237.60", refund_id="r1")).when(order).then_nothing()


@pytest.mark.parametrize("history", [(authorize(),), VOIDED, (void(),), (authorize(), refused("authorize"))])
def test_a_refund_of_what_was_never_taken_is_refused_and_remembered(history: tuple[Event, ...]) -> None:
    story = given_payment(*history).when(refund()).then_nothing()
    assert (record(story).status, record(story).error) == ("refused", "not_captured")


def test_a_refund_of_an_unknown_payment_is_dropped() -> None:
    assert given_payment().when(refund()).then_nothing().service.found is None


def test_no_more_is_refunded_than_was_captured() -> None:
    """P4: what is given, under way and waiting counts."""
    story = given_payment(*CAPTURED, refund("200.00", "r1", "operator"))
    story.when(refund("40.01", "r2", "operator")).then_nothing()
    assert (record(story, "r2").status, record(story, "r2").error) == ("refused", "exceeds_captured")
    story.when(refund("40.00", "r3", "operator")).then(provider_call("refund", "40.00", refund_id="r3"))


def test_what_policy_says_is_due_is_cut_to_what_an_operator_left() -> None:
    story = given_payment(*CAPTURED, refund("200.00", "r1", "operator"))
    story.when(refund("240.00", "r2")).then(provider_call("refund", "40.00", refund_id="r2"))
    story.when(refund("240.00", "r3")).then_nothing()
    assert record(story, "r3") == RefundRecord(
        Decimal("240.00"), "refused", "plans changed", "policy", error="exceeds_captured"
    )


def test_a_refund_that_the_provider_refuses_is_recorded_and_leaves_its_amount() -> None:
    story = given_payment(*CAPTURED, refund()).when(refused("refund", "account_closed", refund_id="r1")).then_nothing()
    assert (record(story).status, record(story).error) == ("failed", "account_closed")
    story.when(refund(refund_id="r2")).then(provider_call("refund", refund_id="r2"))
    story.when(refused("refund", None, "other", refund_id="r2")).then_nothing()
    assert record(story, "r2").error == "refused"


def test_the_same_refund_is_given_once() -> None:
    given_payment(*CAPTURED, refund()).when(refund()).then_nothing()


# --- answers that come twice, late, or say otherwise ---


@pytest.mark.parametrize(
    "history",
    [
        (authorize(),),
        AUTHORIZED,
        (authorize(), refused("authorize")),
        (*AUTHORIZED, capture()),
        CAPTURED,
        (*AUTHORIZED, capture(), refused("capture")),
        (*AUTHORIZED, void()),
        VOIDED,
        (*CAPTURED, refund(), approved("refund", refund_id="r1")),
        (void(), authorize()),
        (void(),),
    ],
)
def test_whatever_comes_twice_changes_nothing(history: tuple[Event, ...]) -> None:
    """CAT-23: in whatever order the whole history comes again."""
    story = given_payment(*history)
    before = story.service.state
    story.when(*reversed(history)).then_nothing()
    story.when(*history).then_nothing()
    assert story.service.state.status is before.status


@pytest.mark.parametrize("operation", ["authorize", "capture", "void"])
@pytest.mark.parametrize("history", [AUTHORIZED, CAPTURED, VOIDED], ids=["authorized", "captured", "voided"])
def test_a_refusal_after_an_approval_changes_nothing(history: tuple[Event, ...], operation: Operation) -> None:
    story = given_payment(*history)
    before = status(story)
    story.when(refused(operation, effect="late")).then_nothing()
    assert status(story) is before
    assert story.service.state.answered[-1] == "late"


@pytest.mark.parametrize(
    ("history", "ends_as"),
    [
        ((authorize(), refused("authorize")), PaymentStatus.DECLINED),
        ((void(), authorize()), PaymentStatus.REFUSED),
        (VOIDED, PaymentStatus.VOIDED),
        (CAPTURED, PaymentStatus.CAPTURED),
    ],
    ids=["declined", "refused", "voided", "captured"],
)
def test_an_authorization_nobody_counts_on_is_voided(history: tuple[Event, ...], ends_as: PaymentStatus) -> None:
    """A late contrary answer, or a second authorization: nothing stays open at the provider."""
    story = given_payment(*history)
    story.when(approved("authorize", reference="pi_2")).then(provider_call("void", reference="pi_2"))
    story.when(approved("authorize", reference="pi_2"), approved("void", "v2", reference="pi_2")).then_nothing()
    assert status(story) is ends_as


def test_the_void_of_a_stray_authorization_is_not_taken_for_the_payments_own() -> None:
    story = given_payment(*AUTHORIZED, void(), approved("authorize", reference="pi_2"))
    story.when(approved("void", reference="pi_2")).then_nothing()
    assert status(story) is PaymentStatus.VOIDING


def test_a_capture_that_went_through_after_all_is_told() -> None:
    """The booking decides what it means; see there."""
    story = given_payment(*AUTHORIZED, capture(), refused("capture")).when(approved("capture"))
    story.then(succeeded(), payment_captured())
    assert status(story) is PaymentStatus.CAPTURED


def test_a_refund_that_went_through_after_all_is_told() -> None:
    story = given_payment(*CAPTURED, refund(), refused("refund", refund_id="r1"))
    story.when(approved("refund", reference="re_1", refund_id="r1")).then(refund_told(), payment_refunded())
    story.when(refused("refund", refund_id="r1")).then_nothing()
    assert record(story).error is None


def test_an_answer_to_a_refund_nobody_ordered_changes_nothing() -> None:
    given_payment(*CAPTURED).when(approved("refund", refund_id="r9"), approved("refund")).then_nothing()


@pytest.mark.parametrize("history", [(), (void(),)], ids=["unknown", "only its void seen"])
def test_an_answer_without_a_question_is_dropped(history: tuple[Event, ...]) -> None:
    given_payment(*history).when(approved("authorize")).then_nothing()


def test_what_does_not_concern_payments_changes_nothing() -> None:
    given_payment(authorize()).when(cancel()).then_nothing()


# --- settlement ---


@pytest.mark.proves("HTL-09", "HTL-05")
def test_a_settlement_books_what_is_left_of_a_captured_payment_once() -> None:
    story = given_payment(authorize(), approved("authorize"), capture(), approved("capture"))
    assert story.service.state.unsettled
    refunded = story.when(refund("40.00"), approved("refund", refund_id="r1"))
    settled = PaymentSettled(
        payment_id=PAYMENT,
        booking_id="b1",
        user_id="u1",
        amount=Decimal("200.00"),
        currency="EUR",
        provider="sandbox",
        settlement_id="run-1",
        settled_at=NOW,
    )
    booked = refunded.when(settle()).then(settled)
    assert not booked.service.state.unsettled
    booked.when(settle("run-2")).then_nothing()


def test_nothing_is_settled_before_it_is_captured() -> None:
    given_payment(authorize(), approved("authorize")).when(settle()).then_nothing()


@pytest.mark.proves("HTL-09")
def test_news_of_a_payment_says_what_booking_it_is_for() -> None:
    about = About(kind="stay", confirmation_number="RSV-2026-000001", price_amount=PRICE, price_currency="EUR")
    asked = msgspec.structs.replace(authorize(), about=about)
    (told, *_) = given_payment().when(asked).events
    assert isinstance(told, PaymentCreated)
    assert told.about == about


def test_a_row_that_version_0_2_wrote_is_read() -> None:
    """It holds what is paid for as the news had it: its sums are JSON numbers, where rows of today have texts."""
    asked = About(kind="stay", price_amount=Decimal("129.00"), price_currency="EUR")
    row = msgspec.structs.replace(given_payment(authorize()).service.state, about=asked)
    stored = msgspec.json.encode(row).replace(b'"price_amount":"129.00"', b'"price_amount":129.0')
    assert b'"price_amount":129.0,' in stored
    assert msgspec.json.decode(stored, type=Payment) == row
