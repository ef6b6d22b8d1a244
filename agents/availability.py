"""The availability service's agents: one decides holds, one keeps up with the topics its group subscribes, and one
ticks when blocks are to be released, and when somebody's time on a waitlist is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from agents.follow import follow
from agents.lazy import lazy_app
from agents.ticking import tick
from agents.tools import Tools
from streams.app import ServiceApp
from streams.events import Event
from streams.events.waitlist import EntryDue
from streams.group import batches
from streams.rows import RowStore
from tables import waitlist
from tables.availability import due as blocks_due

#: Blocks, and entries, told in one tick of one partition; the rest follows in the next.
_MOST_AT_ONCE = 250

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

    tick(availability, tools.runtime, "tell-due", due)


def due(store: RowStore, partition: int, now: datetime) -> Sequence[Event]:
    """Blocks whose release has come, and entries of waitlists whose offer, or whose last call, is over."""
    entries = waitlist.due(store, partition, now, _MOST_AT_ONCE)
    return (
        *blocks_due(store, partition, now, _MOST_AT_ONCE),
        *(EntryDue(**msgspec.structs.asdict(entry)) for entry in entries),
    )
