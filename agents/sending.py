"""Hands over what the notification service wants sent, and says what became of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from adapters.letters import address_of, addressed, render
from adapters.mailbox import Mailbox, message_id_of
from streams.effects import Unreachable
from streams.envelope import resulting
from streams.events import Envelope
from streams.events.notices import MailHandedOver, SendMail
from streams.keyring import Keyring


async def hand_over(mailbox: Mailbox, keyring: Keyring, effect: Envelope) -> Envelope:
    """What became of one mail, as a message for the notice's inbox. Raises Unreachable."""
    send = effect.data
    assert isinstance(send, SendMail)
    guest, contact = [await known(keyring, send.user_id, sealed) for sealed in (send.guest, send.contact)]
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


async def known(keyring: Keyring, user_id: str, sealed: str | None) -> dict[str, Any] | None:
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
