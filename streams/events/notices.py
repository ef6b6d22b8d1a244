"""Notices: what is to be told to a guest, by mail or in the app, and that it was (CAT-11, 12; CAMP-08..10; ORD-05)."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import field

from streams.events.base import Event, Id, Instant, Sealed

Channel = Literal["mail", "app"]

# --- asked of the notification service (its inbox, keyed by user_id) ---


class Notify(Event, type="notification.notice.request"):
    """Tell a user of an event. One notice for each event and channel."""

    notice_id: Id
    user_id: Id
    channel: Channel
    #: Which text: "booking_confirmed", "receipt"...
    template: str
    #: What the text is filled with and is nobody's secret: number, dates, amounts, reason.
    facts: dict[str, Any] = field(default_factory=dict)
    #: Name and address of whom it goes to, as a JSON object.
    guest: Sealed | None = None
    booking_id: Id | None = None
    #: The event it tells of, by id and canonical type.
    cause_id: str
    news: str


class MailHandedOver(Event, type="notification.effect.answered"):
    """The result of one mail, appended by the agent that handed it over."""

    notice_id: Id
    user_id: Id
    effect_id: str
    message_id: str
    #: Why there is nothing to send: "no_address", "erased"; "refused": the mail server will not take it.
    error: str | None = None


class MarkRead(Event, type="notification.notice.read"):
    user_id: Id
    notice_id: Id


# --- the notification service's effects ---


class SendMail(Event, type="notification.effect.mail"):
    """One mail to hand over; its Message-ID follows from the notice, so that a repetition is known as one."""

    notice_id: Id
    user_id: Id
    template: str
    facts: dict[str, Any] = field(default_factory=dict)
    guest: Sealed | None = None
    #: How the user was reached before, for news that names no address.
    contact: Sealed | None = None
    booking_id: Id | None = None


# --- told to the world ---


class EmailSent(Event, type="notification.email.sent"):
    """CAT-37: the document names the topic without a schema. In the orders document this is `notification_sent`."""

    notification_id: Id
    user_id: Id
    booking_id: Id | None = None
    template: str
    message_id: str
    sent_at: Instant


class SmsSent(Event, type="notification.sms.sent"):
    notification_id: Id
    user_id: Id
    booking_id: Id | None = None
    template: str
    provider_message_id: str
    sent_at: Instant
