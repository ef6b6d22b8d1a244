"""Notices: what is to be told to a guest, by mail, as a text message or in the app, and that it was (CAT-11, 12;
CAMP-08..10; ORD-05); what a guest wants to hear where, and reminders of what was booked.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from streams.events.base import Event, Id, Instant, NonNegative, Sealed

Channel = Literal["mail", "sms", "app"]
#: How many notices one message marks as read.
MOST_MARKED = 100

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


class SmsHandedOver(Event, type="notification.effect.text_answered"):
    """The result of one text message, appended by the agent that handed it over."""

    notice_id: Id
    user_id: Id
    effect_id: str
    #: The provider's; empty where nothing was sent.
    provider_message_id: str = ""
    #: Why there is nothing to send: "no_phone", "erased", "refused".
    error: str | None = None


class NoticeParked(Event, type="notification.effect.parked"):
    """A mail or a text message could not be handed over now: its notice says when to try again."""

    notice_id: Id
    user_id: Id
    effect_id: str
    channel: Channel
    #: That of the order.
    attempt: NonNegative = 0
    #: Not before so many seconds, where the provider said so.
    retry_after: float | None = None


class NoticeDue(Event, type="notification.notice.due"):
    """A tick: some clock believes that a parked notice is to be tried again. The row and the record's time decide."""

    user_id: Id
    notice_id: Id
    due: Instant


class MarkRead(Event, type="notification.notice.read"):
    user_id: Id
    notice_id: Id


class MarkAllRead(Event, type="notification.notice.read_all"):
    """Several notices of one user at once, so that one decision stays small."""

    user_id: Id
    notice_ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MOST_MARKED)]


class SetPreferences(Event, type="notification.preferences.set"):
    """Which channels a user wants to hear on; None stays as it is."""

    user_id: Id
    mail: bool | None = None
    sms: bool | None = None
    app: bool | None = None
    #: A BCP 47 tag; the empty text is none.
    locale: str | None = None


class PlanReminder(Event, type="notification.reminder.plan"):
    """Remind a user of a booking before it begins, as the news of it was told last; with nothing due, of it no more."""

    user_id: Id
    booking_id: Id
    #: When the news was told: of two, what the later one says holds.
    told_at: Instant
    #: The booking has come to an end, and is never reminded of again.
    over: bool = False
    #: When to remind, and when the booking begins, by the clock of the property.
    due: Instant | None = None
    start: Instant | None = None
    #: Channel -> which text.
    templates: dict[Channel, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    guest: Sealed | None = None


class ReminderDue(Event, type="notification.reminder.due"):
    """A tick: some clock believes that a reminder is due. The row and the record's time decide."""

    user_id: Id
    booking_id: Id
    due: Instant


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
    #: The language the user wants to be written to in, as a BCP 47 tag.
    locale: str | None = None
    #: How often its notice was parked before.
    attempt: NonNegative = 0


class SendSms(Event, type="notification.effect.text"):
    """One text message to hand over, by the id of its notice, so that the provider knows a repetition."""

    notice_id: Id
    user_id: Id
    template: str
    facts: dict[str, Any] = field(default_factory=dict)
    guest: Sealed | None = None
    #: How the user was reached before, for news that names no number.
    contact: Sealed | None = None
    booking_id: Id | None = None
    locale: str | None = None
    attempt: NonNegative = 0


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
