"""The availability service's agent."""

from __future__ import annotations

from typing import Any

from streams.app import ServiceApp, batches


def attach(availability: ServiceApp) -> None:
    """Attaches the agent to the availability service's App."""

    @availability.app.agent(availability.topic(availability.service.inbox), name="decide-holds")
    async def decide_holds(stream: Any) -> None:
        """Accepts or refuses every hold, in the order of its resource's inbox."""
        async for batch in batches(stream):
            await availability.decide(batch)
