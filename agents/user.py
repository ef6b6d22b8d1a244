"""The user service's agents: one decides users, one erases them, one keeps up with the topics its group subscribes."""

from __future__ import annotations

from typing import Any

from agents.effects import perform
from agents.follow import follow
from agents.forgetting import forget_user
from agents.lazy import lazy_app
from agents.tools import Tools
from streams.app import ServiceApp
from streams.events import Envelope
from streams.events.users import ForgetUser
from streams.group import batches
from tables import users


def attach(user: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the user service's App."""

    @user.app.agent(user.topic(user.service.inbox), name="decide-users")
    async def decide_users(stream: Any) -> None:
        """Registers users, takes their changes and erases them, in the order of the inbox."""
        async for batch in batches(stream):
            await user.decide(batch)

    def already_answered(partition: int, effect: Envelope) -> bool:
        assert isinstance(effect.data, ForgetUser)
        if not user.store.owns(partition):
            return False
        row = users.read(user.store, effect.data.user_id)
        return row is not None and row.erasing != effect.data.asked_at

    perform(
        user,
        user.service,
        tools,
        name="forget-user",
        call=lambda effect: forget_user(tools.settings.data, tools.receipts, tools.links, tools.keyring, effect),
        already_answered=already_answered,
    )

    # Nothing to pass on: the gate lets in what other programs say of users.
    follow(user, tools, lambda news: ())


__getattr__ = lazy_app("user")
