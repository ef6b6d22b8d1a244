"""The notification service's agents: one decides notices, one reads the news to tell of, one hands mails and text
messages over, and one ticks when reminders are due, and notices that could not be handed over before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from agents.effects import perform
from agents.follow import follow
from agents.lazy import lazy_app
from agents.sending import asked, hand_over, parked, refused
from agents.texting import hand_over_text
from agents.ticking import tick
from agents.tools import Tools
from domain.notices import notices_of
from domain.reminders import planned
from streams.app import ServiceApp
from streams.events import Envelope, Event
from streams.events.notices import NoticeDue, ReminderDue, SendMail, SendSms
from streams.group import GroupApp, batches
from streams.rows import RowStore
from tables import notifications

#: Reminders told, and notices tried again, in one tick of one partition; the rest follows in the next.
_MOST_AT_ONCE = 500


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
        assert isinstance(effect.data, SendMail | SendSms)
        if not notification.store.owns(partition):
            return False
        notice = notifications.read(notification.store, effect.data.user_id, effect.data.notice_id)
        return notice is not None and (notice.status != "waiting" or notice.tries > effect.data.attempt)

    def translate(news: Envelope) -> Sequence[Event]:
        return [*notices_of(news, notices), *planned(news, layout.notices, tools.settings.reminder_hours)]

    follow(notification, tools, translate)
    tick(notification, tools.runtime, "notices-due", due)
    if alone:
        send_mails(notification, tools, already_answered)


def due(store: RowStore, partition: int, now: datetime) -> list[Event]:
    """The reminders that are due, and the notices that are to be tried again."""
    reminders = notifications.due_reminders(store, partition, now, _MOST_AT_ONCE)
    notices = notifications.due_notices(store, partition, now, _MOST_AT_ONCE)
    return [
        *(ReminderDue(user_id=each.user_id, booking_id=each.booking_id, due=each.due) for each in reminders),
        *(NoticeDue(user_id=each.user_id, notice_id=each.notice_id, due=each.due) for each in notices),
    ]


def send_mails(group: GroupApp, tools: Tools, already_answered: Callable[[int, Envelope], bool]) -> None:
    """Attaches the agent that hands the notification service's mails and text messages over."""

    async def call(effect: Envelope) -> Envelope:
        if isinstance(effect.data, SendSms):
            return await hand_over_text(tools.sms, tools.keyring, effect)
        return await hand_over(tools.mailer, tools.links, tools.settings.mail_from, tools.keyring, effect)

    perform(
        group,
        tools.runtime.layout.services["notification"],
        tools,
        name="send-mail",
        call=call,
        already_answered=already_answered,
        park=parked,
        refused=refused,
        breaker=lambda effect: tools.breakers.of("sms" if isinstance(effect.data, SendSms) else "mail"),
        asked=asked,
        # Nobody relies on the order of mails: one that is refused for now holds up none.
        ordered=False,
    )


__getattr__ = lazy_app("notification")
