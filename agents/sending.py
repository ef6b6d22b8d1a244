"""Hands over what the notification service wants sent, and says what became of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.calendar_file import calendar_of
from adapters.letters import Reader, address_of, written_to
from adapters.links import Links
from adapters.messages import Envelope as MailEnvelope
from adapters.messages import compose, message_id_of
from adapters.smtp import Mailer, MailRefused, MailUnavailable
from adapters.wording import locale_of
from streams.effects import NotAsked, Refused, Unreachable
from streams.envelope import resulting
from streams.events import Envelope
from streams.events.notices import MailHandedOver, NoticeParked, SendMail, SendSms, SmsHandedOver
from streams.keyring import Keyring

_RECEIPT = re.compile(r"/api/receipts/([0-9a-f-]{36})")


async def hand_over(mailer: Mailer, links: Links, sender: str, keyring: Keyring, effect: Envelope) -> Envelope:
    """What became of one mail, as a message for the notice's inbox. Raises Unreachable, Refused.

    `sender` is what stands in From, as "Name <address>".
    """
    send = effect.data
    assert isinstance(send, SendMail)
    guest, contact = [await known(keyring, send.user_id, sealed) for sealed in (send.guest, send.contact)]
    address = address_of(guest or {}, contact or {})
    if address is not None:
        await _send(mailer, links, sender, effect, address, (contact or {}) | (guest or {}))
        return _handed_over(effect, send, None)
    return _handed_over(effect, send, "erased" if guest is None or contact is None else "no_address")


def refused(effect: Envelope, refusal: Refused) -> Envelope:
    """That a mail or a text message is not taken, however often it is asked, as a message for the notice's inbox."""
    send = effect.data
    if isinstance(send, SendMail):
        return _handed_over(effect, send, "refused")
    assert isinstance(send, SendSms)
    told = SmsHandedOver(
        notice_id=send.notice_id,
        user_id=send.user_id,
        effect_id=effect.event_id,
        provider_message_id="",
        error="refused",
    )
    return resulting(effect, told, now=datetime.now(UTC), source="sms")


def asked(result: Envelope) -> bool:
    """Whether a server or a provider was asked for what became of a mail or a text message."""
    told = result.data
    assert isinstance(told, MailHandedOver | SmsHandedOver)
    return told.error is None


def _handed_over(effect: Envelope, send: SendMail, error: str | None) -> Envelope:
    answered = MailHandedOver(
        notice_id=send.notice_id,
        user_id=send.user_id,
        effect_id=effect.event_id,
        message_id=message_id_of(send.notice_id),
        error=error,
    )
    return resulting(effect, answered, now=datetime.now(UTC), source="mail")


def parked(effect: Envelope, failure: Unreachable) -> Envelope:
    """That a mail or a text message could not be handed over now, as a message for the notice's inbox."""
    send = effect.data
    assert isinstance(send, SendMail | SendSms)
    told = NoticeParked(
        notice_id=send.notice_id,
        user_id=send.user_id,
        effect_id=effect.event_id,
        channel="mail" if isinstance(send, SendMail) else "sms",
        attempt=send.attempt,
        retry_after=failure.retry_after,
    )
    return resulting(effect, told, now=datetime.now(UTC), source="notification-service")


async def _send(
    mailer: Mailer, links: Links, sender: str, effect: Envelope, address: str, person: Mapping[str, Any]
) -> None:
    """Returns once the mail is handed over. Raises Unreachable, Refused."""
    send = effect.data
    assert isinstance(send, SendMail)
    reader = Reader(
        first_name=str(person.get("first_name") or ""),
        locale=locale_of(getattr(send, "locale", None) or str(person.get("locale") or "")),
        unsubscribe=links.unsubscribe(send.user_id),
        link=_link(links, send.facts),
    )
    envelope = MailEnvelope(
        notice_id=send.notice_id, sender=sender, to=address, at=effect.timestamp, unsubscribe=reader.unsubscribe
    )
    calendar = calendar_of(send.template, send.facts, send.booking_id, effect.timestamp)
    try:
        letter = written_to(reader, send.template, send.facts)
        await mailer.send(compose(letter, envelope, calendar))
    except ValueError as error:
        # Written again it is the same mail. What it says may name the guest, which no letter shows.
        raise Refused(f"mail: cannot be written: {type(error).__name__}", final=True) from error
    except MailUnavailable as failure:
        raise Unreachable(f"mail: {failure}") from failure
    except MailRefused as refusal:
        raise Refused(f"mail: {refusal}") from refusal


def _link(links: Links, facts: Mapping[str, Any]) -> str:
    """Where the reader sees the receipt a letter is about, without a key; "" where there is none of ours."""
    receipt = _RECEIPT.fullmatch(str(facts.get("receipt_url", "")))
    return links.receipt(receipt[1]) if receipt else ""


async def known(keyring: Keyring, user_id: str, sealed: str | None) -> dict[str, Any] | None:
    """The fields of sealed personal data, none where nothing is sealed; None once the user is erased."""
    if sealed is None:
        return {}
    try:
        text = await keyring.unseal(user_id, sealed)
    except TimeoutError as error:
        raise NotAsked("the user's key cannot be read now") from error
    if text is None:
        return None
    found = json.loads(text)
    return found if isinstance(found, dict) else {}
