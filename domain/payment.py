"""What the payment service decides when it is asked for something: to authorize, capture, void or refund.

The row comes first, the call to the provider after it and outside; what the provider answers is decided in
`domain.payment_answers`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.decision import Decision
from domain.payment_answers import take_answer
from domain.payment_news import call, capture_failed, created, declined, settled, voided
from domain.payment_parking import follow
from domain.payment_refunds import drop_waiting, is_new, order_refund
from domain.payment_state import Method, Payment, PaymentStatus, RefundRecord, RefundStatus
from streams.events import Event
from streams.events.payment import AuthorizationExpired, Authorize, Capture, ProviderAnswered, Refund, Settle, Void

__all__ = ["Method", "Payment", "PaymentStatus", "RefundRecord", "RefundStatus", "decide"]


def decide(
    payment: Payment | None, message: Event, now: datetime, provider: str = "sandbox"
) -> Decision[Payment | None]:
    """The next state of a payment and what follows from it. `provider` is the name a new payment is published with."""
    return follow(_decide(payment, message, now, provider), message, now)


def _decide(payment: Payment | None, message: Event, now: datetime, provider: str) -> Decision[Payment | None]:
    """What a message changes, whatever is parked.

    A capture, refund or answer follows from an authorization that was seen: without one it is dropped.
    """
    match payment, message:
        case _, Authorize():
            return _authorize(payment, message, now, provider)
        case _, Void():
            return _void(payment, message, now)
        case Payment(status=PaymentStatus.AUTHORIZED), Capture():
            return _turned(payment, PaymentStatus.CAPTURING, now, call(payment, "capture"))
        case Payment(), Refund() if is_new(payment, message):
            return order_refund(payment, message, now)
        case Payment(unsettled=True), Settle():
            return _settle(payment, message, now)
        case Payment(status=PaymentStatus.AUTHORIZED | PaymentStatus.VOIDING), AuthorizationExpired() if (
            message.provider_reference == payment.provider_payment_id
        ):
            return _expired(payment, now)
        case Payment(status=PaymentStatus.VOIDED, error="authorization_expired"), Capture():
            failed = msgspec.structs.replace(payment, status=PaymentStatus.CAPTURE_FAILED, updated_at=now)
            return Decision(failed, (capture_failed(failed, "authorization_expired"),))
        case Payment(), ProviderAnswered() if payment.created_at is not None:
            return take_answer(payment, message, now)
        case _:
            return Decision(payment)


def _authorize(payment: Payment | None, asked: Authorize, now: datetime, provider: str) -> Decision[Payment | None]:
    if payment is None:
        opened = _opened(asked, now, provider)
        return Decision(opened, (created(opened, now), call(opened, "authorize", payment_token=asked.payment_token)))
    if payment.created_at is None:  # its end overtook it
        refused = msgspec.structs.replace(
            _opened(asked, now, provider), status=PaymentStatus.REFUSED, void_reason=payment.void_reason
        )
        return Decision(refused, (declined(refused, "voided"),))
    return Decision(payment)


def _void(payment: Payment | None, message: Void, now: datetime) -> Decision[Payment | None]:
    if payment is None:
        remembered = Payment(
            payment_id=message.payment_id,
            booking_id=message.booking_id,
            revision=message.revision,
            status=PaymentStatus.REFUSED,
            void_reason=message.reason,
            updated_at=now,
        )
        return Decision(remembered)
    match payment.status:
        case PaymentStatus.AUTHORIZING if payment.void_reason is None:
            return Decision(msgspec.structs.replace(payment, void_reason=message.reason, updated_at=now))
        case PaymentStatus.AUTHORIZED:
            ending = msgspec.structs.replace(drop_waiting(payment), void_reason=message.reason)
            return _turned(ending, PaymentStatus.VOIDING, now, call(payment, "void"))
        case PaymentStatus.VOIDED if payment.void_reason is None:  # the provider let go of it by itself
            ended = msgspec.structs.replace(payment, void_reason=message.reason, updated_at=now)
            return Decision(ended, (voided(ended),))
        case _:  # over, or captured: then the booking orders a refund
            return Decision(payment)


def _expired(payment: Payment, now: datetime) -> Decision[Payment | None]:
    """Nothing is blocked any more; a capture that is asked for yet fails, and its booking hears so. So does one that
    ordered it voided.
    """
    told = (voided(payment),) if payment.status is PaymentStatus.VOIDING else ()
    error = "authorization_expired" if payment.status is PaymentStatus.AUTHORIZED else payment.error
    return _turned(msgspec.structs.replace(drop_waiting(payment), error=error), PaymentStatus.VOIDED, now, *told)


def _settle(payment: Payment, message: Settle, now: datetime) -> Decision[Payment | None]:
    booked = msgspec.structs.replace(payment, settlement_id=message.settlement_id, updated_at=now)
    return Decision(booked, (settled(booked, message.settlement_id, now),))


def _turned(payment: Payment, status: PaymentStatus, now: datetime, *events: Event) -> Decision[Payment | None]:
    return Decision(msgspec.structs.replace(payment, status=status, updated_at=now), events)


def _opened(asked: Authorize, now: datetime, provider: str) -> Payment:
    return Payment(
        payment_id=asked.payment_id,
        booking_id=asked.booking_id,
        revision=asked.revision,
        status=PaymentStatus.AUTHORIZING,
        created_at=now,
        updated_at=now,
        user_id=asked.user_id,
        amount=asked.amount,
        currency=asked.currency,
        provider=provider,
        about=asked.about,
    )
