"""Hands over the text messages that the notification service wants sent, and says what became of each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from adapters.sms import SmsRefused, SmsUnavailable
from adapters.texts import text_of
from agents.sending import known
from streams.effects import Refused, Unreachable
from streams.envelope import resulting
from streams.events import Envelope
from streams.events.notices import SendSms, SmsHandedOver
from streams.keyring import Keyring
from streams.phones import usable_phone


class Texts(Protocol):
    """A provider of text messages (`adapters.sms.SmsClient`)."""

    async def send(self, reference: str, to: str, text: str) -> str:
        """The provider's id of the message, which it knows by its reference. Raises SmsUnavailable, SmsRefused."""
        ...


async def hand_over_text(texts: Texts, keyring: Keyring, effect: Envelope) -> Envelope:
    """What became of one text message, as a message for the notice's inbox. Raises Unreachable, Refused."""
    send = effect.data
    assert isinstance(send, SendSms)
    guest, contact = [await known(keyring, send.user_id, sealed) for sealed in (send.guest, send.contact)]
    numbers = (usable_phone(said.get("phone")) for said in (guest or {}, contact or {}))
    number = next((found for found in numbers if found is not None), None)
    message_id, error = "", None
    if number is None:
        error = "erased" if guest is None or contact is None else "no_phone"
    else:
        try:
            message_id = await texts.send(send.notice_id, number, text_of(send.template, send.facts))
        except SmsUnavailable as failure:
            raise Unreachable(f"the provider of text messages: {failure}", failure.retry_after) from failure
        except SmsRefused as refusal:
            # Not in the provider's words: they may name the number, and a letter is kept.
            raise Refused("the provider of text messages does not take it") from refusal
    answered = SmsHandedOver(
        notice_id=send.notice_id,
        user_id=send.user_id,
        effect_id=effect.event_id,
        provider_message_id=message_id,
        error=error,
    )
    return resulting(effect, answered, now=datetime.now(UTC), source="sms")
