"""The agent that makes a service's calls to the outside: the effects its rows ask for, each answered to its inbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from agents.tools import Tools
from streams.breakers import Breaker
from streams.effects import EffectRunner, Refused, Unreachable
from streams.events import Envelope
from streams.group import GroupApp, batches
from streams.measures import counted
from streams.services import Service


def perform(
    group: GroupApp,
    service: Service,
    tools: Tools,
    *,
    name: str,
    call: Callable[[Envelope], Awaitable[Envelope]],
    already_answered: Callable[[int, Envelope], bool],
    park: Callable[[Envelope, Unreachable], Envelope] | None = None,
    refused: Callable[[Envelope, Refused], Envelope] | None = None,
    breaker: Callable[[Envelope], Breaker] | None = None,
    asked: Callable[[Envelope], bool] = lambda result: True,
    ordered: bool = True,
) -> None:
    """Attaches it to `group`, which need not be the service's own. `call` makes one call and returns what is to be
    appended for it; `already_answered` says of an effect of a partition that its answer was taken. The rest is that of
    `EffectRunner`.
    """
    runtime = tools.runtime
    read_by = runtime.layout.group(group.name)

    async def append(result: Envelope) -> None:
        await runtime.voice.say(result)

    runner = EffectRunner(
        accepts=service.effects,
        call=counted(call, service.effects_topic, read_by),
        append=append,
        already_answered=already_answered,
        commit=lambda partition, offset: group.commit(service.effects_topic, partition, offset),
        publisher=runtime.publisher,
        group=read_by,
        delays=runtime.layout.retry_delays,
        fail=runtime.fail,
        park=park,
        refused=refused,
        refusals=runtime.layout.dead_letter_after,
        breaker=breaker,
        asked=asked,
        ordered=ordered,
    )
    group.effects[service.effects_topic] = runner
    group.on_revoked.append(runner.forget)
    group.on_ready.append(runner.resume)

    @group.app.agent(group.topic(service.effects_topic), name=name)
    async def perform_effects(stream: Any) -> None:
        """Makes the calls the rows ask for; each result goes into the inbox."""
        async for batch in batches(stream):
            await group.guarded(runner.apply(batch))
