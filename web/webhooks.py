"""What the payment provider tells us by itself: each signed event becomes the answer to a call, as if the call had said
it. Late, twice or out of order changes nothing: the row takes the first answer to each question.

An event is believed as little as an answer: one about other money than the payment's is refused (`provider_verdict`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from adapters.provider_answers import Payment as Said
from adapters.provider_verdict import Call, looked_up
from adapters.webhooks import Stale, Unsigned, verify
from domain.payment_state import Payment
from streams.events.payment import AuthorizationExpired, Operation, ProviderAnswered
from web.answers import Answer
from web.bodies import check, parse, read_body
from web.context import SOURCE, Context, context_of, correlation_of
from web.operations import Operation as Endpoint
from web.problems import Problem, invalid, not_found
from web.shapes import as_json

EventType = Literal[
    "payment.authorized",
    "payment.declined",
    "payment.captured",
    "payment.capture_failed",
    "payment.voided",
    "payment.refunded",
    "authorization.expired",
]
_OPERATIONS: dict[str, Operation] = {
    "payment.authorized": "authorize",
    "payment.declined": "authorize",
    "payment.captured": "capture",
    "payment.capture_failed": "capture",
    "payment.voided": "void",
    "payment.refunded": "refund",
}


class WebhookRequest(BaseModel):
    """One event of the provider: what happened, in answer to which call, and the payment as it stands since."""

    # Providers add fields; those are not ours to refuse.
    model_config = ConfigDict(frozen=True, extra="ignore")

    type: EventType
    #: The idempotency key of the call it answers; of what the provider did by itself, none.
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[!-~]+$")] | None = None
    #: Ours, of the refund that was given.
    refund_reference: Annotated[str, StringConstraints(max_length=100)] | None = None
    payment: Said


class WebhookOut(Answer):
    received: Literal[True] = True


async def receive_webhook(request: web.Request) -> web.Response:
    """Answers once what the event says is on the log; the provider sends again what was not answered 200."""
    context, body = context_of(request), await read_body(request)
    _verify(context, request, body)
    event = check(WebhookRequest, parse(body))
    row = await context.rows.payment(event.payment.reference)
    if row is None or row.created_at is None:
        raise not_found("payment")
    said = _expired(event, row) if event.type == "authorization.expired" else _answer_of(event, row)
    if not isinstance(said, ProviderAnswered) or said.effect_id not in row.answered:
        await context.log.append(said, source=SOURCE, correlation_id=correlation_of(request))
    return as_json(WebhookOut())


def _verify(context: Context, request: web.Request, body: bytes) -> None:
    try:
        verify(context.webhook_secret, request.headers, body, context.clock().timestamp())
    except Unsigned as error:
        raise Problem(401, "webhook-signature", "The signature is wrong", f"{error}.") from None
    except Stale as error:
        raise Problem(400, "webhook-stale", "The event is out of its time", f"{error}.") from None


def _answer_of(event: WebhookRequest, row: Payment) -> ProviderAnswered:
    """The answer that the event stands for. Its effect is the call it names; else an id that follows from what it
    says. Raises Problem 422 where it contradicts the payment, or says nothing of its operation."""
    operation, said = _OPERATIONS[event.type], event.payment
    verdict = looked_up(_call_of(event, row, operation), said)
    if verdict is None:
        raise invalid("type", f"is {event.type}, but the payment is {said.status}")
    if verdict.error_code == "provider_mismatch":
        raise invalid("payment", verdict.error_message or "contradicts ours")
    return ProviderAnswered(
        payment_id=row.payment_id,
        effect_id=event.idempotency_key or f"webhook/{event.type}/{said.id}/{event.refund_reference or ''}",
        operation=operation,
        approved=verdict.approved,
        provider_reference=verdict.provider_reference,
        method=verdict.method,
        error_code=verdict.error_code,
        error_message=verdict.error_message,
        refund_id=event.refund_reference if operation == "refund" else None,
    )


def _call_of(event: WebhookRequest, row: Payment, operation: Operation) -> Call:
    record = row.refunds.get(event.refund_reference or "")
    if operation == "refund" and record is None:
        raise invalid("refund_reference", "is no refund of this payment")
    return Call(
        operation=operation,
        payment_id=row.payment_id,
        amount=record.amount if record is not None and operation == "refund" else row.amount,
        currency=row.currency,
        token=None,
        # Which authorization is ours, only its own answer says.
        provider_payment_id=None if operation in ("authorize", "void") else row.provider_payment_id,
        refund_id=event.refund_reference,
        idempotency_key=event.idempotency_key or "",
    )


def _expired(event: WebhookRequest, row: Payment) -> AuthorizationExpired:
    if event.payment.status != "voided":
        raise invalid("type", f"is {event.type}, but the payment is {event.payment.status}")
    if (event.payment.amount, event.payment.currency) != (row.amount, row.currency):
        raise invalid("payment", f"is not the {row.amount} {row.currency} that was authorized")
    return AuthorizationExpired(payment_id=row.payment_id, provider_reference=event.payment.id)


OPERATIONS = (
    Endpoint(
        "POST",
        "/api/webhooks/provider",
        receive_webhook,
        "What the payment provider tells by itself, signed",
        "webhooks",
        {200: WebhookOut},
        request=WebhookRequest,
        problems=(400, 401, 404, 422, 503),
        open=True,
    ),
)
