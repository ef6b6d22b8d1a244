"""The calls to the provider: one key however often a call is made, and what is parked when there is no answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import pytest

from adapters.provider import Answer, ProviderClient, ProviderUnavailable
from agents.payment import call_provider, id_of, parked
from streams.effects import Unreachable
from streams.envelope import originate
from streams.events import Envelope
from streams.events.payment import CallParked, ProviderAnswered, ProviderCall
from streams.keyring import Keyring
from tests.domain.messages import NOW, provider_call


class Provider:
    """One that is there or not, and notes the keys it is called under."""

    def __init__(self, failure: ProviderUnavailable | None = None) -> None:
        self.failure, self.keys = failure, list[str]()

    async def call(self, operation: str, *, idempotency_key: str, **order: Any) -> Answer:
        self.keys.append(idempotency_key)
        if self.failure is not None:
            raise self.failure
        return Answer(approved=True, provider_reference="pi_1")


def effect(call: ProviderCall | None = None) -> Envelope:
    return originate(call or provider_call("capture"), source="payment-service", now=NOW)


async def ask(provider: Provider, effect: Envelope) -> ProviderAnswered:
    result = await call_provider(cast(ProviderClient, provider), cast(Keyring, None), effect)
    assert result.causation_id == effect.event_id
    assert isinstance(result.data, ProviderAnswered)
    return result.data


@pytest.mark.proves("HTL-39")
async def test_a_call_made_again_has_the_key_and_the_name_of_the_first() -> None:
    away, here = Provider(ProviderUnavailable("no connection", 7.0)), Provider()
    first = effect()
    with pytest.raises(Unreachable) as failed:
        await ask(away, first)
    told = parked(first, failed.value)
    assert told.causation_id == first.event_id
    assert told.data == CallParked(
        payment_id=provider_call("capture").payment_id,
        call_id=first.event_id,
        attempt=0,
        call=provider_call("capture"),
        retry_after=7.0,
    )
    again = effect(ProviderCall(**fields(provider_call("capture")) | {"call_id": first.event_id, "attempt": 1}))
    assert (await ask(here, again)).effect_id == first.event_id == id_of(again)
    assert away.keys == here.keys == [first.event_id]
    told_again = parked(again, Unreachable("away")).data
    assert isinstance(told_again, CallParked)
    assert (told_again.call_id, told_again.attempt) == (first.event_id, 1)


def fields(call: ProviderCall) -> dict[str, Any]:
    assert call.amount == Decimal("240.00")
    return {name: getattr(call, name) for name in call.__struct_fields__}
