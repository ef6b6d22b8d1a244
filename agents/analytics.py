"""The analytics service's agents: one counts, one reads every topic there is for it."""

from __future__ import annotations

from typing import Any

from agents.follow import follow
from agents.lazy import lazy_app
from agents.tools import Tools
from domain.analytics import observation_of
from streams.app import ServiceApp
from streams.group import batches


def attach(analytics: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the analytics service's App."""

    @analytics.app.agent(analytics.topic(analytics.service.inbox), name="count-news")
    async def count_news(stream: Any) -> None:
        """Counts every piece of news once, and says that it did."""
        async for batch in batches(stream):
            await analytics.decide(batch)

    follow(analytics, tools, observation_of)


__getattr__ = lazy_app("analytics")
