"""What the notification service decides: which news a user is told of, over which channel, and what became of it.

A notice is known by the event it tells of and its channel: the same news read twice is one notice. The first answer of
a mail counts. A mail that nobody can receive is shown in the app instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

import msgspec

from domain.decision import Decision
from domain.facts import facts_of
from streams.events import Envelope, Event
from streams.events.booking_news import BookingRejected, InventoryUpdated
from streams.events.ids import ids_under
from streams.events.notices import Channel, EmailSent, MailHandedOver, MarkRead, Notify, SendMail
from streams.events.records import RecordNews

# The ids we derive are part of what is on the log: this constant never changes.
_id_of = ids_under(UUID("0d9b6a34-6f6e-5c0b-8a53-2f7c1de0a4b7"))
#: Of a mail: waiting, sent, unsent. In the app: new, read.
Status = Literal["waiting", "sent", "unsent", "new", "read"]


class Notice(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One notice to one user over one channel."""

    notice_id: str
    user_id: str
    channel: Channel
    template: str
    facts: dict[str, Any] = {}
    #: Sealed under the user's key.
    guest: str | None = None
    booking_id: str | None = None
    #: The event it tells of, by canonical type and id.
    news: str
    cause_id: str
    created_at: datetime
    status: Status
    message_id: str | None = None
    sent_at: datetime | None = None
    #: Why a mail was not sent: "no_address", "refused", "erased".
    error: str | None = None

    @property
    def listed(self) -> bool:
        """Whether the app shows it: what is meant for it, and mail that has nowhere to go."""
        return self.channel == "app" or self.error in ("no_address", "refused")


class Contact(msgspec.Struct, frozen=True):
    """How a user was reached before, sealed: for news that names nobody, such as a record's."""

    guest: str


def notices_of(news: Envelope, notices: Mapping[str, Mapping[str, str]]) -> list[Notify]:
    """The notices of a piece of news. `notices`: channel -> canonical type -> template, as a layout has them."""
    user_id = getattr(news.data, "user_id", None)
    told = {
        channel: templates[news.event_type]
        for channel, templates in notices.items()
        if news.event_type in templates and not _told_otherwise(news.data, templates)
    }
    if user_id is None or not told:
        return []
    facts, guest = facts_of(news.data), _guest_of(news.data)
    return [
        Notify(
            notice_id=notice_id_of(news.event_id, channel),
            user_id=user_id,
            channel=cast("Channel", channel),
            template=template,
            facts=facts,
            guest=guest,
            booking_id=getattr(news.data, "booking_id", None),
            cause_id=news.event_id,
            news=news.event_type,
        )
        for channel, template in told.items()
    ]


def _told_otherwise(event: Event, templates: Mapping[str, str]) -> bool:
    """Where a customer hears what became of payment and stock, a rejection after those is no news any more."""
    return isinstance(event, BookingRejected) and not event.at_entry and InventoryUpdated.event_type in templates


def notice_id_of(event_id: str, channel: str) -> str:
    """The notice of one event over one channel."""
    return _id_of(f"{event_id}/{channel}")


def decide(notice: Notice | None, contact: Contact | None, message: Event, now: datetime) -> Decision[Notice | None]:
    """The notice after `message` and what follows. Total: what does not concern it changes and says nothing."""
    match message:
        case Notify() if notice is None:
            return _take(message, contact, now)
        case MailHandedOver() if notice is not None and notice.status == "waiting":
            return _answered(notice, message, now)
        case MarkRead() if notice is not None and notice.listed and notice.status != "read":
            return Decision(msgspec.structs.replace(notice, status="read"))
        case _:
            return Decision(notice)


def learn(contact: Contact | None, message: Event) -> Contact | None:
    """How the user can be reached after `message`: as said first, until the user's own data says otherwise."""
    if not isinstance(message, Notify) or message.guest is None or message.news.startswith("record."):
        return contact
    return Contact(message.guest) if contact is None or message.news.startswith("user.") else contact


def _take(asked: Notify, contact: Contact | None, now: datetime) -> Decision[Notice | None]:
    notice = Notice(
        notice_id=asked.notice_id,
        user_id=asked.user_id,
        channel=asked.channel,
        template=asked.template,
        facts=asked.facts,
        guest=asked.guest,
        booking_id=asked.booking_id,
        news=asked.news,
        cause_id=asked.cause_id,
        created_at=now,
        status="waiting" if asked.channel == "mail" else "new",
    )
    if asked.channel != "mail":
        return Decision(notice)
    send = SendMail(
        notice_id=asked.notice_id,
        user_id=asked.user_id,
        template=asked.template,
        facts=asked.facts,
        guest=asked.guest,
        contact=contact.guest if contact is not None else None,
        booking_id=asked.booking_id,
    )
    return Decision(notice, (send,))


def _answered(notice: Notice, answer: MailHandedOver, now: datetime) -> Decision[Notice | None]:
    if answer.error is not None:
        return Decision(msgspec.structs.replace(notice, status="unsent", error=answer.error))
    sent = msgspec.structs.replace(notice, status="sent", message_id=answer.message_id, sent_at=now)
    told = EmailSent(
        notification_id=notice.notice_id,
        user_id=notice.user_id,
        booking_id=notice.booking_id,
        template=notice.template,
        message_id=answer.message_id,
        sent_at=now,
    )
    return Decision(sent, (told,))


def _guest_of(event: Event) -> str | None:
    """The sealed personal data that the news carries."""
    if isinstance(event, RecordNews):
        return event.content
    about = getattr(event, "about", None)
    sealed = about.guest if about is not None else getattr(event, "personal", None)
    return sealed or None
