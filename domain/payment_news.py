"""What a payment says: the calls it wants made to the provider, and what the booking and the world hear of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.payment_state import Method, Payment, RefundRecord
from streams.events.booking import (
    CaptureFailed,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentVoided,
)
from streams.events.payment import Operation, PaymentMethod, ProviderAnswered, ProviderCall
from streams.events.payment_news import (
    PaymentAuthorizedNews,
    PaymentCreated,
    PaymentFailed,
    PaymentRefundedEvent,
    PaymentSettled,
    PaymentSucceeded,
)


def call(
    payment: Payment, operation: Operation, *, payment_token: str | None = None, reference: str | None = None
) -> ProviderCall:
    """A call about the whole payment, or about another authorization of it that the provider knows as `reference`."""
    return ProviderCall(
        payment_id=payment.payment_id,
        operation=operation,
        user_id=payment.user_id,
        amount=payment.amount,
        currency=payment.currency,
        payment_token=payment_token,
        provider_payment_id=reference or payment.provider_payment_id,
    )


def call_refund(payment: Payment, refund_id: str, record: RefundRecord) -> ProviderCall:
    return ProviderCall(
        payment_id=payment.payment_id,
        operation="refund",
        user_id=payment.user_id,
        amount=record.amount,
        currency=payment.currency,
        provider_payment_id=payment.provider_payment_id,
        refund_id=refund_id,
    )


def created(payment: Payment, now: datetime) -> PaymentCreated:
    return PaymentCreated(
        **_news(payment),
        amount=payment.amount,
        currency=payment.currency,
        provider=payment.provider,
        created_at=now,
    )


def authorization_news(payment: Payment, now: datetime) -> PaymentAuthorizedNews:
    """HTL-09: the money is blocked for us."""
    return PaymentAuthorizedNews(
        **_news(payment),
        amount=payment.amount,
        currency=payment.currency,
        provider=payment.provider,
        provider_payment_id=payment.provider_payment_id or payment.payment_id,
        payment_method=_method(payment),
        authorized_at=now,
    )


def settled(payment: Payment, settlement_id: str, now: datetime) -> PaymentSettled:
    """HTL-09: the provider's payout is booked, less what went back by then."""
    return PaymentSettled(
        **_news(payment),
        amount=payment.captured - payment.refunded,
        currency=payment.currency,
        provider=payment.provider,
        settlement_id=settlement_id,
        settled_at=now,
    )


def authorized(payment: Payment) -> PaymentAuthorized:
    return PaymentAuthorized(booking_id=payment.booking_id, revision=payment.revision, payment_id=payment.payment_id)


def declined(payment: Payment, reason: str) -> PaymentDeclined:
    return PaymentDeclined(
        booking_id=payment.booking_id, revision=payment.revision, payment_id=payment.payment_id, reason=reason
    )


def failed(payment: Payment, code: str, answer: ProviderAnswered, now: datetime) -> PaymentFailed:
    """CAT-20: an authorization or a capture that the provider refused."""
    return PaymentFailed(
        **_news(payment),
        amount=payment.amount,
        currency=payment.currency,
        provider=answer.provider,
        error_code=code,
        error_message=answer.error_message or code,
        failed_at=now,
    )


def succeeded(payment: Payment, now: datetime) -> PaymentSucceeded:
    """CAT-19: the money is taken."""
    return PaymentSucceeded(
        **_news(payment),
        amount=payment.captured,
        currency=payment.currency,
        provider=payment.provider,
        provider_payment_id=payment.provider_payment_id or payment.payment_id,
        payment_method=_method(payment),
        succeeded_at=now,
    )


def captured(payment: Payment) -> PaymentCaptured:
    return PaymentCaptured(
        booking_id=payment.booking_id,
        revision=payment.revision,
        payment_id=payment.payment_id,
        amount=payment.captured,
    )


def capture_failed(payment: Payment, reason: str) -> CaptureFailed:
    return CaptureFailed(
        booking_id=payment.booking_id, revision=payment.revision, payment_id=payment.payment_id, reason=reason
    )


def voided(payment: Payment) -> PaymentVoided:
    return PaymentVoided(booking_id=payment.booking_id, payment_id=payment.payment_id)


def refunded(
    payment: Payment, refund_id: str, record: RefundRecord, now: datetime
) -> tuple[PaymentRefundedEvent, PaymentRefunded]:
    """What the world and the booking hear of money that went back."""
    public = PaymentRefundedEvent(
        **_news(payment),
        refund_id=refund_id,
        amount=record.amount,
        currency=payment.currency,
        provider=payment.provider,
        provider_refund_id=record.provider_refund_id or refund_id,
        reason=record.reason,
        refunded_at=now,
    )
    answer = PaymentRefunded(
        booking_id=payment.booking_id, payment_id=payment.payment_id, refund_id=refund_id, amount=record.amount
    )
    return public, answer


def _news(payment: Payment) -> dict[str, Any]:
    """What every piece of news of a payment begins with."""
    return {
        "payment_id": payment.payment_id,
        "booking_id": payment.booking_id,
        "user_id": payment.user_id,
        "about": payment.about,
    }


def _method(payment: Payment) -> PaymentMethod:
    method = payment.method or Method()
    return PaymentMethod(type=method.type, brand=method.brand, last4=method.last4)
