"""Refunds of a payment: which are taken, when they are called, and what their answers change.

A refund ordered before the capture is through waits for it; the two come from different decisions of the booking, and
one that overtook the other must not be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.decision import Decision
from domain.payment_news import call_refund, refunded
from domain.payment_state import Payment, PaymentStatus, RefundRecord
from streams.events.booking import RefundCut
from streams.events.payment import ProviderAnswered, ProviderCall, Refund

#: The money is there, or is about to be.
_TAKEN = (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURING, PaymentStatus.CAPTURED)


def is_new(payment: Payment, order: Refund) -> bool:
    """Whether an order was not seen before. What policy ordered and was refused for want of a capture is new once the
    capture went through after all.
    """
    record = payment.refunds.get(order.refund_id)
    if record is None:
        return True
    dropped = record.error == "not_captured" and record.ordered_by == order.ordered_by == "policy"
    return dropped and payment.status is PaymentStatus.CAPTURED


def order_refund(payment: Payment, order: Refund, now: datetime) -> Decision[Payment | None]:
    """Called, kept waiting, or refused and remembered with its reason. What policy says is due is cut to what is left:
    a guest's due does not fall away because an operator gave a part of it before.
    """
    amount = min(order.amount, payment.refundable) if order.ordered_by == "policy" else order.amount
    error = _objection(payment, amount)
    record = RefundRecord(
        amount=order.amount if error else amount,
        status="refused" if error else "waiting",
        reason=order.reason,
        ordered_by=order.ordered_by,
        error=error,
    )
    noted = _with_refund(msgspec.structs.replace(payment, updated_at=now), order.refund_id, record)
    calling, calls = call_waiting(noted)
    return Decision(calling, (*calls, *_cut(payment, order, amount)))


def _cut(payment: Payment, order: Refund, amount: Decimal) -> Iterator[RefundCut]:
    """What policy orders and this payment has not any more, the booking may take from another one."""
    if order.tell_rest and order.ordered_by == "policy" and amount < order.amount and payment.status in _TAKEN:
        yield RefundCut(
            booking_id=payment.booking_id,
            payment_id=payment.payment_id,
            refund_id=order.refund_id,
            missing=order.amount - amount,
            refused=amount <= 0,
        )


def call_waiting(payment: Payment) -> tuple[Payment, tuple[ProviderCall, ...]]:
    """Once the capture is through: every waiting refund, called."""
    if payment.status is not PaymentStatus.CAPTURED:
        return payment, ()
    calling = {
        refund_id: msgspec.structs.replace(record, status="calling") for refund_id, record in _waiting(payment).items()
    }
    calls = tuple(call_refund(payment, refund_id, record) for refund_id, record in calling.items())
    return msgspec.structs.replace(payment, refunds=payment.refunds | calling), calls


def drop_waiting(payment: Payment) -> Payment:
    """There will be no capture: every waiting refund, refused."""
    dropped = {
        refund_id: msgspec.structs.replace(record, status="refused", error="not_captured")
        for refund_id, record in _waiting(payment).items()
    }
    return msgspec.structs.replace(payment, refunds=payment.refunds | dropped)


def take_refund_answer(payment: Payment, answer: ProviderAnswered, now: datetime) -> Decision[Payment | None]:
    """The first answer counts, except that money which went back after all is never ignored."""
    refund_id = answer.refund_id or ""
    record = payment.refunds.get(refund_id)
    if record is None or record.status not in ("calling", "failed"):
        return Decision(payment)
    if not answer.approved:
        failed = msgspec.structs.replace(record, status="failed", error=answer.error_code or "refused")
        return Decision(_with_refund(payment, refund_id, failed))
    given = msgspec.structs.replace(record, status="refunded", error=None, provider_refund_id=answer.provider_reference)
    return Decision(_with_refund(payment, refund_id, given), refunded(payment, refund_id, given, now))


def _with_refund(payment: Payment, refund_id: str, record: RefundRecord) -> Payment:
    return msgspec.structs.replace(payment, refunds=payment.refunds | {refund_id: record})


def _objection(payment: Payment, amount: Decimal) -> str | None:
    if payment.status not in _TAKEN:
        return "not_captured"
    return None if 0 < amount <= payment.refundable else "exceeds_captured"


def _waiting(payment: Payment) -> dict[str, RefundRecord]:
    return {refund_id: record for refund_id, record in payment.refunds.items() if record.status == "waiting"}
