"""The user service's agents: one decides users, one keeps up with the topics its group subscribes."""

from __future__ import annotations

from typing import Any

from agents.follow import follow
from agents.lazy import lazy_app
from agents.tools import Tools
from streams.app import ServiceApp
from streams.group import batches


def attach(user: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the user service's App."""

    @user.app.agent(user.topic(user.service.inbox), name="decide-users")
    async def decide_users(stream: Any) -> None:
        """Registers users and takes their changes, in the order of the inbox."""
        async for batch in batches(stream):
            await user.decide(batch)

    # Nothing to pass on: the gate lets in what other programs say of users.
    follow(user, tools, lambda news: ())


__getattr__ = lazy_app("user")
