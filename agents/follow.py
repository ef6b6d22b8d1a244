"""The agent that reads the documented topics a service's group subscribes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agents.tools import Tools
from streams.events import Envelope, Event
from streams.group import GroupApp, fetches
from streams.intake import Along, Intake

Translate = Callable[[Envelope], Sequence[Event]]


def follow(group: GroupApp, tools: Tools, translate: Translate | None) -> None:
    """Attaches it, where the layout gives the group any topics. `translate` says what news means for the service; None
    where it is asked in its inbox for all it does, and reads along only so that its group stands where it documents.
    """
    topics = tools.runtime.layout.subscriptions(group.name)
    if not topics:
        return
    intake = Intake(group, tools.runtime, tools.listener, tools.keyring, translate) if translate else Along(group)

    @group.app.agent(group.topics(topics), name=f"follow-{group.name}")
    async def follow_topics(stream: Any) -> None:
        """Passes on what the documented topics say, as the service's own messages."""
        async for fetched in fetches(stream):
            await group.guarded(intake.apply(fetched))
