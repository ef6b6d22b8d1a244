"""The user service's agents: one decides users, one erases them, one keeps up with the topics its group subscribes."""

from __future__ import annotations

from typing import Any

from agents.effects import perform
from agents.follow import follow
from agents.forgetting import forget_user
from agents.lazy import lazy_app
from agents.tools import Tools
from domain.users import is_over
from streams.app import ServiceApp
from streams.events import Envelope
from streams.events.users import ForgetUser
from streams.group import batches
from streams.rows import RowStore
from tables import users


def attach(user: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the user service's App."""

    @user.app.agent(user.topic(user.service.inbox), name="decide-users")
    async def decide_users(stream: Any) -> None:
        """Registers users, takes their changes and erases them, in the order of the inbox."""
        async for batch in batches(stream):
            await user.decide(batch)

    perform(
        user,
        user.service,
        tools,
        name="forget-user",
        call=lambda effect: forget_user(tools.settings.data, tools.receipts, tools.links, tools.keyring, effect),
        already_answered=lambda partition, effect: already_answered(user.store, partition, effect),
    )

    # Nothing to pass on: the gate lets in what other programs say of users.
    follow(user, tools, lambda news: ())


def already_answered(store: RowStore, partition: int, effect: Envelope) -> bool:
    """Whether an erasure is over. An order may be read before the row that made it is durable: then it is not."""
    assert isinstance(effect.data, ForgetUser)
    return store.owns(partition) and is_over(users.read(store, effect.data.user_id), effect.data)


__getattr__ = lazy_app("user")
