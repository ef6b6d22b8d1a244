"""An authorization that the provider let go of by itself: nothing stays open, and a capture that comes yet fails."""

from __future__ import annotations

from domain.payment import PaymentStatus
from streams.events.booking import CaptureFailed
from streams.events.payment import AuthorizationExpired
from tests.domain.messages import PAYMENT, approved, authorize, capture, payment_voided, refused, void
from tests.domain.services import given_payment

EXPIRED = AuthorizationExpired(payment_id=PAYMENT, provider_reference="pi_1")


def test_it_is_voided_and_a_later_capture_fails_once() -> None:
    story = given_payment(authorize(), approved("authorize")).when(EXPIRED).then_nothing()
    assert (story.service.state.status, story.service.state.error) == (PaymentStatus.VOIDED, "authorization_expired")
    story = story.when(EXPIRED).then_nothing().when(capture())
    assert [type(event) for event in story.events] == [CaptureFailed]
    assert story.when(capture()).events == ()


def test_one_the_payment_does_not_stand_on_says_nothing() -> None:
    stray = AuthorizationExpired(payment_id=PAYMENT, provider_reference="pi_2")
    story = given_payment(authorize(), approved("authorize")).when(stray)
    assert story.service.state.status is PaymentStatus.AUTHORIZED
    given_payment().when(EXPIRED).then_nothing()


def test_whose_end_is_ordered_yet_is_told_to_be_voided_once() -> None:
    """A cancellation that waits for it is complete."""
    story = given_payment(authorize(), approved("authorize"), EXPIRED).when(void()).then(payment_voided())
    story.when(void(), EXPIRED).then_nothing()


def test_one_that_is_being_voided_is_voided() -> None:
    """The provider, which knows it no more, refuses to void it; whoever comes first is told of."""
    story = given_payment(authorize(), approved("authorize"), void(), refused("void")).when(EXPIRED)
    story.then(payment_voided()).when(EXPIRED, approved("void")).then_nothing()
    story = given_payment(authorize(), approved("authorize"), void()).when(EXPIRED).then(payment_voided())
    assert (story.service.state.status, story.service.state.error) == (PaymentStatus.VOIDED, None)


def test_one_that_was_captured_stays_so() -> None:
    story = given_payment(authorize(), approved("authorize"), capture(), approved("capture")).when(EXPIRED)
    assert story.service.state.status is PaymentStatus.CAPTURED
