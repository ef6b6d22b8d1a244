"""The notification service's agents: one decides notices, one reads the news to tell of, one hands mails over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents.effects import perform
from agents.follow import follow
from agents.lazy import lazy_app
from agents.sending import hand_over
from agents.tools import Tools
from domain.notices import notices_of
from streams.app import ServiceApp
from streams.events import Envelope
from streams.events.notices import SendMail
from streams.group import GroupApp, batches
from tables import notifications


def attach(notification: ServiceApp, tools: Tools) -> None:
    """Attaches the agents to the notification service's App: those of mail too, where it has no group of its own."""
    layout = tools.runtime.layout
    alone = "mail" not in layout.groups
    notices = {channel: layout.notices[channel] for channel in layout.notices if alone or channel != "mail"}

    @notification.app.agent(notification.topic(notification.service.inbox), name="decide-notices")
    async def decide_notices(stream: Any) -> None:
        """Takes every notice once, and what became of it, in the order of the inbox."""
        async for batch in batches(stream):
            await notification.decide(batch)

    def already_answered(partition: int, effect: Envelope) -> bool:
        assert isinstance(effect.data, SendMail)
        if not notification.store.owns(partition):
            return False
        notice = notifications.read(notification.store, effect.data.user_id, effect.data.notice_id)
        return notice is not None and notice.status != "waiting"

    follow(notification, tools, lambda news: notices_of(news, notices))
    if alone:
        send_mails(notification, tools, already_answered)


def send_mails(group: GroupApp, tools: Tools, already_answered: Callable[[int, Envelope], bool]) -> None:
    """Attaches the agent that hands the notification service's mails over."""
    perform(
        group,
        tools.runtime.layout.services["notification"],
        tools,
        name="send-mail",
        call=lambda effect: hand_over(tools.mailer, tools.links, tools.settings.mail_from, tools.keyring, effect),
        already_answered=already_answered,
    )


__getattr__ = lazy_app("notification")
