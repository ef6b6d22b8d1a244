"""The payment service's agents: one decides payments, one makes the calls to the provider, and one ticks when a call
that got no answer is to be made again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from adapters.provider import Answer, ProviderClient, ProviderUnavailable
from agents.effects import perform
from agents.follow import follow
from agents.lazy import lazy_app
from agents.ticking import tick
from agents.tools import Tools
from domain.payment_parking import knows_better
from streams.app import ServiceApp
from streams.effects import NotAsked, Unreachable
from streams.envelope import resulting
from streams.events import Envelope, Event
from streams.events.payment import CallDue, CallParked, ProviderAnswered, ProviderCall
from streams.group import batches
from streams.keyring import Keyring
from streams.rows import RowStore
from tables import payments

#: Parked calls made again in one tick of one partition; the rest follows in the next.
_MOST_AT_ONCE = 500

#: `faust -A agents.payment worker` finds its App as `app`.
__getattr__ = lazy_app("payment")


def attach(payment: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the payment service's App."""
    service, app = payment.service, payment.app

    def already_answered(partition: int, effect: Envelope) -> bool:
        call = effect.data
        assert isinstance(call, ProviderCall)
        row = payments.read(payment.store, call.payment_id) if payment.store.owns(partition) else None
        return row is not None and knows_better(row, id_of(effect), call.attempt)

    @app.agent(payment.topic(service.inbox), name="decide-payments")
    async def decide_payments(stream: Any) -> None:
        """Decides what is authorized, captured, voided and given back, in the order of the inbox."""
        async for batch in batches(stream):
            await payment.decide(batch)

    perform(
        payment,
        service,
        tools,
        name="call-provider",
        call=lambda effect: call_provider(tools.provider, tools.keyring, effect),
        already_answered=already_answered,
        breaker=lambda effect: tools.breakers.of("payment-provider"),
        park=parked,
    )
    tick(payment, tools.runtime, "payments-due", due)

    # Nothing to pass on: the booking asks for its money in the inbox, where the order of it is on the log.
    follow(payment, tools, None)


def due(store: RowStore, partition: int, now: datetime) -> list[Event]:
    """The payments whose parked call is to be made again."""
    calls = payments.due_calls(store, partition, now, _MOST_AT_ONCE)
    return [CallDue(payment_id=each.payment_id, due=each.due) for each in calls]


def id_of(effect: Envelope) -> str:
    """What a call is known by: its own id where it is made for the first time."""
    assert isinstance(effect.data, ProviderCall)
    return effect.data.call_id or effect.event_id


def parked(effect: Envelope, failure: Unreachable) -> Envelope:
    """That the provider gave no answer to a call, as a message for the payment's inbox."""
    call = effect.data
    assert isinstance(call, ProviderCall)
    told = CallParked(
        payment_id=call.payment_id,
        call_id=id_of(effect),
        attempt=call.attempt,
        call=call,
        retry_after=failure.retry_after,
    )
    return resulting(effect, told, now=datetime.now(UTC), source="payment-service")


async def call_provider(provider: ProviderClient, keyring: Keyring, effect: Envelope) -> Envelope:
    """The provider's answer to one call, as a message for the payment's inbox. Raises Unreachable."""
    call = effect.data
    assert isinstance(call, ProviderCall)
    try:
        token = await keyring.unseal(call.user_id, call.payment_token) if call.payment_token is not None else None
    except TimeoutError as error:
        raise NotAsked("the user's key cannot be read now") from error
    if call.operation == "authorize" and token is None:
        answer = Answer(approved=False, error_code="payment_method_erased", error_message="The guest's data is erased.")
    else:
        answer = await _ask(provider, call, token, id_of(effect))
    answered = ProviderAnswered(
        payment_id=call.payment_id,
        effect_id=id_of(effect),
        operation=call.operation,
        approved=answer.approved,
        provider_reference=answer.provider_reference,
        method=answer.method,
        error_code=answer.error_code,
        error_message=answer.error_message,
        refund_id=call.refund_id,
    )
    return resulting(effect, answered, now=datetime.now(UTC), source="payment-service")


async def _ask(provider: ProviderClient, call: ProviderCall, token: str | None, idempotency_key: str) -> Answer:
    try:
        return await provider.call(
            call.operation,
            payment_id=call.payment_id,
            amount=call.amount,
            currency=call.currency,
            token=token,
            provider_payment_id=call.provider_payment_id,
            refund_id=call.refund_id,
            idempotency_key=idempotency_key,
        )
    except ProviderUnavailable as error:
        raise Unreachable(error.reason, error.retry_after) from error
