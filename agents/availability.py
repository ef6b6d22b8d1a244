"""The availability service's agents: one decides holds, one keeps up with the topics its group subscribes."""

from __future__ import annotations

from typing import Any

from agents.follow import follow
from agents.lazy import lazy_app
from agents.tools import Tools
from streams.app import ServiceApp
from streams.group import batches

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
