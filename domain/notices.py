"""What the notification service decides: which news a user is told of, over which channel, and what became of it.

A notice is known by the event it tells of and its channel: the same news read twice is one notice. The first answer of
a mail or a text message counts, unless a later one says that it went after all: its dead letter was replayed. One that
says "not now" is none (`domain.parking`). A mail that nobody can receive, and
what a user declined to hear by mail or text message, is shown in the app instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeGuard, cast
from uuid import UUID

import msgspec

from domain.decision import Decision
from domain.facts import facts_of
from domain.preferences import EVERYTHING, Preferences
from streams.events import Envelope, Event
from streams.events.booking_news import BookingRejected, InventoryUpdated
from streams.events.ids import ids_under
from streams.events.notices import (
    Channel,
    EmailSent,
    MailHandedOver,
    MarkRead,
    Notify,
    SendMail,
    SendSms,
    SmsHandedOver,
    SmsSent,
)
from streams.events.records import RecordNews

# The ids we derive are part of what is on the log: this constant never changes.
_id_of = ids_under(UUID("0d9b6a34-6f6e-5c0b-8a53-2f7c1de0a4b7"))
#: What a mail came to nothing by that its receiver may still read of.
_SHOWN = ("no_address", "refused", "undeliverable")
#: Of a mail or a text message: waiting, sent, unsent. In the app: new, read. Of a channel nobody wants: declined.
Status = Literal["waiting", "sent", "unsent", "new", "read", "declined"]


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
    #: Of a mail its Message-ID, of a text message the provider's id.
    message_id: str | None = None
    sent_at: datetime | None = None
    #: Why it was not sent: "no_address", "no_phone", "refused", "erased", "undeliverable".
    error: str | None = None
    #: How often it was parked; and, while it is, when it is tried again.
    tries: int = 0
    due: datetime | None = None
    #: Whether the app shows it in the place of a channel that the user declined.
    instead: bool = False

    @property
    def listed(self) -> bool:
        """Whether the app shows it: what is meant for it, a mail that has nowhere to go, and what was declined."""
        meant = self.channel == "app" and self.status != "declined"
        return meant or self.instead or (self.channel == "mail" and self.error in _SHOWN)


class Contact(msgspec.Struct, frozen=True):
    """How a user was reached before, sealed: for news that names nobody, such as a record's."""

    guest: str


def notices_of(news: Envelope, notices: Mapping[str, Mapping[str, str]]) -> list[Notify]:
    """The notices of a piece of news. `notices`: channel -> canonical type -> template, as a layout has them."""
    user_id = getattr(news.data, "user_id", None)
    told = {
        channel: templates[news.event_type]
        for channel, templates in notices.items()
        if news.event_type in templates and not _told_otherwise(news.data, templates) and reachable(channel, news.data)
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


def reachable(channel: str, event: Event) -> bool:
    """Whether a channel may reach the guest of a booking: a text message only with a number to send it to.

    An appointment names none, and a patient's own is sealed: there it shows when the message is to be sent.
    """
    about = getattr(event, "about", None)
    return channel != "sms" or about is None or about.phone or about.kind == "appointment"


def _told_otherwise(event: Event, templates: Mapping[str, str]) -> bool:
    """Where a customer hears what became of payment and stock, a rejection after those is no news any more."""
    return isinstance(event, BookingRejected) and not event.at_entry and InventoryUpdated.event_type in templates


def notice_id_of(event_id: str, channel: str) -> str:
    """The notice of one event over one channel."""
    return _id_of(f"{event_id}/{channel}")


def decide(
    notice: Notice | None,
    contact: Contact | None,
    message: Event,
    now: datetime,
    preferences: Preferences = EVERYTHING,
) -> Decision[Notice | None]:
    """The notice after `message` and what follows. Total: what does not concern it changes and says nothing."""
    match message:
        case Notify() if notice is None:
            return _take(message, contact, preferences, now)
        case MailHandedOver() if _takes(notice, "mail", message.error):
            return _answered(notice, message, now)
        case SmsHandedOver() if _takes(notice, "sms", message.error):
            return _texted(notice, message, now)
        case MarkRead() if notice is not None and notice.listed and notice.status != "read":
            return Decision(msgspec.structs.replace(notice, status="read"))
        case _:
            return Decision(notice)


def learn(contact: Contact | None, message: Event) -> Contact | None:
    """How the user can be reached after `message`: as said first, until the user's own data says otherwise."""
    if not isinstance(message, Notify) or message.guest is None or message.news.startswith("record."):
        return contact
    return Contact(message.guest) if contact is None or message.news.startswith("user.") else contact


def _takes(notice: Notice | None, channel: Channel, error: str | None) -> TypeGuard[Notice]:
    """Whether an answer concerns the notice: it is the first, or it turns one that was given up into one that went."""
    if notice is None or notice.channel != channel:
        return False
    return notice.status == "waiting" or (notice.error is not None and error is None)


def _take(asked: Notify, contact: Contact | None, preferences: Preferences, now: datetime) -> Decision[Notice | None]:
    declined = not preferences.wants(asked.channel)
    status: Status = "new" if asked.channel == "app" else "waiting"
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
        status="declined" if declined else status,
        instead=declined and asked.channel != "app" and preferences.app,
    )
    if declined or asked.channel == "app":
        return Decision(notice)
    return Decision(notice, (order(notice, contact, preferences),))


def order(notice: Notice, contact: Contact | None, preferences: Preferences) -> SendMail | SendSms:
    """The order to hand a notice over."""
    send = SendMail if notice.channel == "mail" else SendSms
    return send(
        notice_id=notice.notice_id,
        user_id=notice.user_id,
        template=notice.template,
        facts=notice.facts,
        guest=notice.guest,
        contact=contact.guest if contact is not None else None,
        booking_id=notice.booking_id,
        locale=preferences.locale,
        attempt=notice.tries,
    )


def _answered(notice: Notice, answer: MailHandedOver, now: datetime) -> Decision[Notice | None]:
    if answer.error is not None:
        return _unsent(notice, answer.error)
    told = EmailSent(
        notification_id=notice.notice_id,
        user_id=notice.user_id,
        booking_id=notice.booking_id,
        template=notice.template,
        message_id=answer.message_id,
        sent_at=now,
    )
    return Decision(_sent(notice, answer.message_id, now), (told,))


def _texted(notice: Notice, answer: SmsHandedOver, now: datetime) -> Decision[Notice | None]:
    if answer.error is not None:
        return _unsent(notice, answer.error)
    told = SmsSent(
        notification_id=notice.notice_id,
        user_id=notice.user_id,
        booking_id=notice.booking_id,
        template=notice.template,
        provider_message_id=answer.provider_message_id,
        sent_at=now,
    )
    return Decision(_sent(notice, answer.provider_message_id, now), (told,))


def _unsent(notice: Notice, error: str) -> Decision[Notice | None]:
    return Decision(msgspec.structs.replace(notice, status="unsent", error=error, due=None))


def _sent(notice: Notice, message_id: str, now: datetime) -> Notice:
    return msgspec.structs.replace(notice, status="sent", message_id=message_id, sent_at=now, error=None, due=None)


def _guest_of(event: Event) -> str | None:
    """The sealed personal data that the news carries."""
    if isinstance(event, RecordNews):
        return event.content
    about = getattr(event, "about", None)
    sealed = about.guest if about is not None else getattr(event, "personal", None)
    return sealed or None
