"""Payments as they stand, and refunds ordered by an operator."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec
from aiohttp import web

from domain.payment_state import Payment, RefundRecord
from streams.events.payment import Refund
from web.answers import Money
from web.bodies import check, read_json
from web.context import SOURCE, Context, context_of, correlation_of, principal_of
from web.models import RefundRequest
from web.money import fits
from web.operations import AT, IDEMPOTENCY_KEY, Operation
from web.owners import OwnerUnavailable
from web.payment_answers import MethodOut, PaymentOut, RefundOut
from web.problems import FieldError, Problem, invalid, not_found
from web.requests import at_of, id_in_path, id_of_request
from web.shapes import as_json


async def get_payment(request: web.Request) -> web.Response:
    row = await _known(context_of(request), id_in_path(request, "payment_id", "payment"), at_of(request))
    return as_json(payment_out(row))


async def refund_payment(request: web.Request) -> web.Response:
    """Orders a refund, and answers once the payment's row has taken or refused it."""
    payment_id = id_in_path(request, "payment_id", "payment")
    asked = check(RefundRequest, await read_json(request))
    refund_id, _ = id_of_request(request, principal_of(request))
    context = context_of(request)
    payment = await _known(context, payment_id)
    amount = _amount(asked.amount, payment.currency)
    if refund_id not in payment.refunds:
        event = Refund(
            payment_id=payment_id,
            booking_id=payment.booking_id,
            refund_id=refund_id,
            amount=amount,
            reason=asked.reason,
            ordered_by=principal_of(request).name,
        )
        appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
        payment = await context.rows.payment(payment_id, after=appended.offset) or payment
    return _answer(payment, refund_id, amount, asked.reason)


async def _known(context: Context, payment_id: str, at: datetime | None = None) -> Payment:
    row = await context.rows.payment(payment_id, at=at)
    if row is None or row.created_at is None:  # only its end was seen: nothing was ever to be paid by it
        raise not_found("payment")
    return row


def _amount(amount: Decimal, currency: str) -> Decimal:
    try:
        found = fits(amount, currency)
    except ValueError as error:
        raise invalid("amount", str(error)) from None
    if not found:
        raise invalid("amount", "should be more than nothing")
    return found


def _answer(payment: Payment, refund_id: str, amount: Decimal, reason: str) -> web.Response:
    record = payment.refunds.get(refund_id)
    if record is None:
        raise OwnerUnavailable(payment.payment_id)
    if (record.amount, record.reason) != (amount, reason):
        raise Problem(422, "idempotency-key-reused", "The Idempotency-Key was used for another refund")
    if record.status == "refused":
        raise _refused(record)
    body = refund_out(payment, refund_id, record)
    return as_json(body, 201, {"Location": f"/api/payments/{payment.payment_id}"})


def _refused(record: RefundRecord) -> Problem:
    reason = record.error or "refused"
    if reason == "exceeds_captured":
        return Problem(
            422,
            "refund-refused",
            "The refund was refused",
            "It is more than what is left of the captured amount.",
            [FieldError("amount", "is more than what is left of the captured amount")],
            more={"reason": reason},
        )
    return Problem(409, "refund-refused", "The refund was refused", f"Reason: {reason}.", more={"reason": reason})


def refund_out(payment: Payment, refund_id: str, record: RefundRecord) -> RefundOut:
    return RefundOut(
        refund_id=refund_id,
        payment_id=payment.payment_id,
        amount=Money.of(record.amount, payment.currency),
        status=record.status,
        reason=record.reason,
        error=record.error,
        ordered_by=record.ordered_by,
    )


def payment_out(row: Payment) -> PaymentOut:
    return PaymentOut(
        payment_id=row.payment_id,
        booking_id=row.booking_id,
        revision=row.revision,
        status=row.status,
        amount=Money.of(row.amount, row.currency),
        captured=Money.of(row.captured, row.currency),
        refunded=Money.of(row.refunded, row.currency),
        refundable=Money.of(min(row.refundable, row.captured), row.currency),
        provider=row.provider,
        provider_payment_id=row.provider_payment_id,
        method=MethodOut.model_validate(msgspec.structs.asdict(row.method)) if row.method is not None else None,
        error=row.error,
        void_reason=row.void_reason,
        settlement_id=row.settlement_id,
        refunds=[refund_out(row, refund_id, record) for refund_id, record in row.refunds.items()],
        created_at=row.created_at or row.updated_at,
        updated_at=row.updated_at,
    )


OPERATIONS = (
    Operation(
        "GET",
        "/api/payments/{payment_id}",
        get_payment,
        "A payment as it stands",
        "payments",
        {200: PaymentOut},
        parameters=(AT,),
        problems=(404, 422, 503),
    ),
    Operation(
        "POST",
        "/api/payments/{payment_id}/refunds",
        refund_payment,
        "Give money back",
        "payments",
        {201: RefundOut},
        request=RefundRequest,
        parameters=(IDEMPOTENCY_KEY,),
        problems=(404, 409, 503),
    ),
)
