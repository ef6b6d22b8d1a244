"""What may be done to a payment, and what its caller is told. Each function runs inside `Ledger.once`."""

from __future__ import annotations

import secrets
from dataclasses import replace
from decimal import Decimal
from typing import Any

from cli.sandbox.ledger import Ledger, Payment, Refund, Reply, refused, reply, text
from cli.sandbox.tokens import card_of


def authorize(ledger: Ledger, key: str, *, reference: str, amount: Decimal, currency: str, token: str) -> Reply:
    """201 with the payment, or 402; a refused one stands in the books too."""
    card, payment_id = card_of(token), _id("pi")
    payment = Payment(
        id=payment_id, reference=reference, status="authorized", amount=amount, currency=currency, token=token
    )
    if card.declined is None:
        ledger.put(payment)
        ledger.enter("authorized", payment, amount, key)
        return reply(201, shown(ledger, payment))
    code, message = card.declined.code, card.declined.message
    ledger.put(replace(payment, status="declined", error_code=code, error_message=message))
    ledger.enter("declined", payment, amount, key)
    return refused(402, code, message)


def capture(ledger: Ledger, key: str, payment_id: str, amount: Decimal | None) -> Reply:
    """Takes `amount` (all of it by default), once; what is left of the authorization is let go."""
    payment = ledger.payment(payment_id)
    if payment is None:
        return _unknown()
    if payment.status != "authorized":
        return _conflict(payment, "captured")
    taken = payment.amount if amount is None else amount
    if taken > payment.amount:
        return refused(422, "amount_too_large", "More was to be captured than is authorized.")
    if declined := card_of(payment.token).capture_declined:
        failed = replace(payment, status="capture_failed", error_code=declined.code, error_message=declined.message)
        ledger.put(failed)
        ledger.enter("capture_failed", failed, taken, key)
        return refused(402, declined.code, declined.message)
    captured = replace(payment, status="captured", captured=taken)
    ledger.put(captured)
    ledger.enter("captured", captured, taken, key)
    return reply(200, shown(ledger, captured))


def void(ledger: Ledger, key: str, payment_id: str) -> Reply:
    payment = ledger.payment(payment_id)
    if payment is None:
        return _unknown()
    if payment.status != "authorized":
        return _conflict(payment, "voided")
    voided = replace(payment, status="voided")
    ledger.put(voided)
    ledger.enter("voided", voided, payment.amount, key)
    return reply(200, shown(ledger, voided))


def refund(ledger: Ledger, key: str, payment_id: str, *, reference: str, amount: Decimal) -> Reply:
    """Gives back part of what was captured, never more than is left of it."""
    payment = ledger.payment(payment_id)
    if payment is None:
        return _unknown()
    if payment.status != "captured":
        return _conflict(payment, "refunded")
    if amount > payment.captured - payment.refunded:
        return refused(422, "refund_too_large", "More was to be refunded than is left of the capture.")
    given = Refund(id=_id("re"), payment=payment.id, reference=reference, amount=amount)
    ledger.add_refund(given)
    ledger.put(replace(payment, refunded=payment.refunded + amount))
    ledger.enter("refunded", payment, amount, key, reference)
    return reply(201, {**_shown_refund(given), "payment": payment.id, "currency": payment.currency})


def shown(ledger: Ledger, payment: Payment) -> dict[str, Any]:
    """A payment as callers see it, amounts as decimal strings; never its token."""
    card = card_of(payment.token)
    told: dict[str, Any] = {
        "id": payment.id,
        "reference": payment.reference,
        "status": payment.status,
        "amount": text(payment.amount),
        "currency": payment.currency,
        "captured": text(payment.captured),
        "refunded": text(payment.refunded),
        "method": {"type": "card", "brand": card.brand, "last4": card.last4},
        "refunds": [_shown_refund(one) for one in ledger.refunds(payment.id)] if payment.refunded else [],
    }
    if payment.error_code is not None:
        told["error"] = {"code": payment.error_code, "message": payment.error_message}
    return told


def _shown_refund(given: Refund) -> dict[str, str]:
    return {"id": given.id, "reference": given.reference, "status": "refunded", "amount": text(given.amount)}


def _unknown() -> Reply:
    return refused(404, "payment_not_found", "There is no such payment.")


def _conflict(payment: Payment, wanted: str) -> Reply:
    return refused(409, f"payment_{payment.status}", f"A payment that is {payment.status} cannot be {wanted}.")


def _id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(12)}"
