"""What a provider's answer decides. The row takes the first one to each question.

A later one that says otherwise changes nothing unless money moved by it: an authorization nobody counts on is voided,
a capture that went through after all is told, so that the booking gives it back.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.decision import Decision
from domain.payment_news import (
    authorization_news,
    authorized,
    call,
    capture_failed,
    captured,
    declined,
    failed,
    succeeded,
    voided,
)
from domain.payment_refunds import call_waiting, drop_waiting, take_refund_answer
from domain.payment_state import Method, Payment, PaymentStatus
from streams.events.payment import ProviderAnswered


def take_answer(payment: Payment, answer: ProviderAnswered, now: datetime) -> Decision[Payment | None]:
    """The payment after one answer; that its effect was answered is remembered whatever the answer is worth."""
    noted = _noted(payment, answer, now)
    match answer.operation:
        case "authorize":
            return _take_authorization(noted, answer, now)
        case "capture":
            return _take_capture(noted, answer, now)
        case "void":
            return _take_void(noted, answer)
        case _:  # a refund
            return take_refund_answer(noted, answer, now)


def _noted(payment: Payment, answer: ProviderAnswered, now: datetime) -> Payment:
    if answer.effect_id in payment.answered:
        return payment
    return msgspec.structs.replace(payment, answered=(*payment.answered, answer.effect_id), updated_at=now)


def _take_authorization(payment: Payment, answer: ProviderAnswered, now: datetime) -> Decision[Payment | None]:
    if payment.status is PaymentStatus.AUTHORIZING:
        return _authorize(payment, answer, now) if answer.approved else _decline(payment, answer, now)
    reference = _reference(payment, answer)
    if not answer.approved or reference in (payment.provider_payment_id, *payment.strays):
        return Decision(payment)
    stray = msgspec.structs.replace(payment, strays=(*payment.strays, reference))
    return Decision(stray, (call(stray, "void", reference=reference),))


def _authorize(payment: Payment, answer: ProviderAnswered, now: datetime) -> Decision[Payment | None]:
    method = answer.method and Method(type=answer.method.type, brand=answer.method.brand, last4=answer.method.last4)
    known = msgspec.structs.replace(
        payment, provider_payment_id=_reference(payment, answer), method=method, provider=answer.provider
    )
    if payment.void_reason is not None:  # its end came while we asked
        return Decision(_turned(known, PaymentStatus.VOIDING), (call(known, "void"),))
    held = _turned(known, PaymentStatus.AUTHORIZED)
    return Decision(held, (authorized(held), authorization_news(held, now)))


def _decline(payment: Payment, answer: ProviderAnswered, now: datetime) -> Decision[Payment | None]:
    code = answer.error_code or "declined"
    refused = _turned(payment, PaymentStatus.DECLINED, error=code)
    return Decision(refused, (failed(payment, code, answer, now), declined(payment, code)))


def _take_capture(payment: Payment, answer: ProviderAnswered, now: datetime) -> Decision[Payment | None]:
    if answer.approved and payment.status in (PaymentStatus.CAPTURING, PaymentStatus.CAPTURE_FAILED):
        taken = msgspec.structs.replace(payment, status=PaymentStatus.CAPTURED, captured=payment.amount)
        paid, refunds = call_waiting(taken)
        return Decision(paid, (succeeded(paid, now), captured(paid), *refunds))
    if not answer.approved and payment.status is PaymentStatus.CAPTURING:
        code = answer.error_code or "capture_failed"
        ended = _turned(drop_waiting(payment), PaymentStatus.CAPTURE_FAILED, error=code)
        # The guest's money is not to stay blocked by an authorization that is of no use any more.
        told = failed(ended, code, answer, now), capture_failed(ended, code), call(ended, "void")
        return Decision(ended, told)
    return Decision(payment)


def _take_void(payment: Payment, answer: ProviderAnswered) -> Decision[Payment | None]:
    if payment.status is not PaymentStatus.VOIDING or answer.provider_reference in payment.strays:
        return Decision(payment)
    if answer.approved:
        return Decision(_turned(payment, PaymentStatus.VOIDED), (voided(payment),))
    return Decision(msgspec.structs.replace(payment, error=answer.error_code or "void_failed"))


def _turned(payment: Payment, status: PaymentStatus, error: str | None = None) -> Payment:
    return msgspec.structs.replace(payment, status=status, error=error)


def _reference(payment: Payment, answer: ProviderAnswered) -> str:
    """The provider's id of what it authorized; ours, which it can be looked up by, when it named none."""
    return answer.provider_reference or payment.payment_id
