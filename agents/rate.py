"""The rate service's agents: one keeps count of prices and nights, one reads the topics that tell of them."""

from __future__ import annotations

from typing import Any

from agents.follow import follow
from agents.lazy import lazy_app
from agents.tools import Tools
from domain.rates import rate_messages_of
from streams.app import ServiceApp
from streams.group import batches


def attach(rate: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the rate service's App."""

    @rate.app.agent(rate.topic(rate.service.inbox), name="record-rates")
    async def record_rates(stream: Any) -> None:
        """Records at which price each booking was made, and what is left of the nights."""
        async for batch in batches(stream):
            await rate.decide(batch)

    follow(rate, tools, rate_messages_of)


__getattr__ = lazy_app("rate")
