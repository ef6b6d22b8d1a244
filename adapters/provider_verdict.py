"""What a provider's answer means for the call it answers: pure, and believing nothing that contradicts the call."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from adapters.provider_answers import Payment, ProviderError, Refund
from streams.events.payment import Operation, PaymentMethod

#: The provider's own statuses of a payment that was authorized at some time.
_AUTHORIZED = frozenset({"authorized", "captured", "capture_failed", "voided"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider decided. `provider_reference` is its id of the payment, or of the refund."""

    approved: bool
    provider_reference: str | None = None
    method: PaymentMethod | None = None
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it was asked for."""

    operation: Operation
    payment_id: str
    amount: Decimal
    currency: str
    token: str | None
    provider_payment_id: str | None
    refund_id: str | None
    idempotency_key: str


def judge(call: Call, said: Payment) -> Answer:
    """A direct answer to an authorization, a capture or a void."""
    wanted = {"authorize": _AUTHORIZED, "capture": {"captured"}, "void": {"voided"}}[call.operation]
    if said.status not in wanted:
        return _mismatch(f"status {said.status} after {call.operation}")
    return _approved(call, said)


def looked_up(call: Call, said: Payment) -> Answer | None:
    """What a payment that was looked up says about the call; None where it says that nothing was done."""
    match call.operation:
        case "authorize" if said.status == "declined":
            return _declined(said)
        case "authorize":
            return _approved(call, said)
        case "capture" if said.status == "capture_failed":
            return _declined(said)
        case "capture" if said.status == "captured":
            return _approved(call, said)
        case "void" if said.status == "voided":
            return _approved(call, said)
        case "refund":
            given = next((one for one in said.refunds if one.reference == call.refund_id), None)
            return None if given is None else _contradiction(call, said) or judge_refund(call, given)
    return None


def _approved(call: Call, said: Payment) -> Answer:
    return _contradiction(call, said) or Answer(approved=True, provider_reference=said.id, method=said.method)


def judge_refund(call: Call, said: Refund) -> Answer:
    if said.reference != call.refund_id:
        return _mismatch("the refund is another one")
    if said.amount != call.amount:
        return _mismatch(f"refunded {said.amount}, not {call.amount}")
    return Answer(approved=True, provider_reference=said.id)


def _contradiction(call: Call, said: Payment) -> Answer | None:
    """The refusal of an answer that is about other money than ours; None where it is ours."""
    if said.reference != call.payment_id:
        return _mismatch("the payment is another one")
    if call.provider_payment_id is not None and said.id != call.provider_payment_id:
        return _mismatch("the provider's id is another one")
    if said.currency != call.currency:
        return _mismatch(f"{said.currency}, not {call.currency}")
    told = {"authorize": said.amount, "capture": said.captured}.get(call.operation, call.amount)
    return None if told == call.amount else _mismatch(f"{told}, not {call.amount}")


def _declined(said: Payment) -> Answer:
    error = said.error or ProviderError(code=said.status, message="")
    return refused(error.code, error.message)


def _mismatch(what: str) -> Answer:
    return refused("provider_mismatch", f"The provider's answer contradicts the request: {what}.")


def refused(code: str, message: str) -> Answer:
    return Answer(approved=False, error_code=code, error_message=message)
