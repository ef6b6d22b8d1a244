"""The availability service's agents: one decides holds, one keeps up with the topics its group subscribes, and one
ticks when blocks are to be released, and when somebody's time on a waitlist is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from agents.follow import follow
from agents.lazy import lazy_app
from agents.tools import Tools
from streams.app import ServiceApp
from streams.envelope import originate
from streams.events import Event
from streams.events.waitlist import EntryDue
from streams.group import Runtime, batches
from streams.rows import NotOwner
from tables import waitlist
from tables.availability import due

#: Blocks, and entries, told in one tick of one partition; the rest follows in the next.
_MOST_AT_ONCE = 250
_TICK_S = 1.0

#: `faust -A agents.availability worker` finds its App as `app`.
__getattr__ = lazy_app("availability")


def attach(availability: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the availability service's App."""

    @availability.app.agent(availability.topic(availability.service.inbox), name="decide-holds")
    async def decide_holds(stream: Any) -> None:
        """Accepts or refuses every hold, in the order of its resource's inbox."""
        async for batch in batches(stream):
            await availability.decide(batch)

    # Nothing to pass on: the booking asks for its holds in the inbox, where their order is on the log.
    follow(availability, tools, None)

    @availability.app.timer(interval=_TICK_S, name="tell-due")  # type: ignore[untyped-decorator]
    async def tell_what_is_due() -> None:
        """Tells blocks and entries that their time has come; they decide by the time of the tick whether it has."""
        await availability.guarded(tell_due(availability, tools.runtime, datetime.now(UTC)))


async def tell_due(availability: ServiceApp, runtime: Runtime, now: datetime) -> None:
    """A tick for every block of this worker whose release has come, and for every entry of its waitlists whose offer,
    or whose last call, is over.
    """
    numbers = [partition.number for partition in availability.store.owned()]
    ticks = [
        runtime.voice.say(originate(tick, source="ticker", now=now))
        for number in numbers
        for tick in _due(availability, number, now)
    ]
    for each in ticks:
        await each


def _due(availability: ServiceApp, partition: int, now: datetime) -> Sequence[Event]:
    try:
        entries = waitlist.due(availability.store, partition, now, _MOST_AT_ONCE)
        return (
            *due(availability.store, partition, now, _MOST_AT_ONCE),
            *(EntryDue(**msgspec.structs.asdict(entry)) for entry in entries),
        )
    except NotOwner:
        return ()  # a rebalance came between: the next owner's ticker finds them
