"""The notification service's agents: one decides notices, one reads the news to tell of, one hands mails over."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from adapters.letters import address_of, addressed, render
from adapters.mailbox import Mailbox, message_id_of
from agents.effects import perform
from agents.follow import follow
from agents.lazy import lazy_app
from agents.tools import Tools
from domain.notices import notices_of
from streams.app import ServiceApp
from streams.effects import Unreachable
from streams.envelope import resulting
from streams.events import Envelope
from streams.events.notices import MailHandedOver, SendMail
from streams.group import GroupApp, batches
from streams.keyring import Keyring
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
    mailbox = Mailbox(tools.settings.data / "mail")
    perform(
        group,
        tools.runtime.layout.services["notification"],
        tools,
        name="send-mail",
        call=lambda effect: hand_over(mailbox, tools.keyring, effect),
        already_answered=already_answered,
    )


async def hand_over(mailbox: Mailbox, keyring: Keyring, effect: Envelope) -> Envelope:
    """What became of one mail, as a message for the notice's inbox. Raises Unreachable."""
    send = effect.data
    assert isinstance(send, SendMail)
    guest, contact = [await _known(keyring, send.user_id, sealed) for sealed in (send.guest, send.contact)]
    address = address_of(guest or {}, contact or {})
    error = None
    if address is not None:
        letter = addressed(render(send.template, send.facts), (contact or {}) | (guest or {}))
        try:
            mailbox.put(send.notice_id, address, letter, effect.timestamp)
        except OSError as failure:
            raise Unreachable(f"the mail cannot be written: {failure.strerror}") from failure
    else:
        error = "erased" if guest is None or contact is None else "no_address"
    answered = MailHandedOver(
        notice_id=send.notice_id,
        user_id=send.user_id,
        effect_id=effect.event_id,
        message_id=message_id_of(send.notice_id),
        error=error,
    )
    return resulting(effect, answered, now=datetime.now(UTC), source="mail")


async def _known(keyring: Keyring, user_id: str, sealed: str | None) -> dict[str, Any] | None:
    """The fields of sealed personal data, none where nothing is sealed; None once the user is erased."""
    if sealed is None:
        return {}
    try:
        text = await keyring.unseal(user_id, sealed)
    except TimeoutError as error:
        raise Unreachable("the user's key cannot be read now") from error
    if text is None:
        return None
    found = json.loads(text)
    return found if isinstance(found, dict) else {}


__getattr__ = lazy_app("notification")
