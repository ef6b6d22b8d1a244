"""The topics and types the auditor knows, spelled out once: it judges the platform by its documents, not its code.

What the documents name differs by layout (`cli.audit.dialects`); here stands what is the same under all of them. Names
are without the instance's namespace (`cli.audit.spelling`).
"""

from __future__ import annotations

from typing import Final

#: A service decides what is in its inbox and keeps its rows in its changelog. Which of them run depends on the layout.
SERVICES: Final = (
    "booking",
    "availability",
    "payment",
    "user",
    "record",
    "notification",
    "receipt",
    "rate",
    "analytics",
    "webhook",
)
#: Those that run under every layout and decide bookings.
CORE: Final = ("booking", "availability", "payment")


def inbox_of(service: str) -> str:
    """ "booking" -> "vacancy.booking.inbox"."""
    return f"vacancy.{service}.inbox"


def service_of(topic: str) -> str:
    """ "vacancy.booking.inbox" -> "booking"; of an effects topic alike."""
    return topic.split(".")[1]


BOOKING_INBOX: Final = inbox_of("booking")
AVAILABILITY_INBOX: Final = inbox_of("availability")
PAYMENT_INBOX: Final = inbox_of("payment")
NOTIFICATION_INBOX: Final = inbox_of("notification")
ANALYTICS_INBOX: Final = inbox_of("analytics")
RECEIPT_INBOX: Final = inbox_of("receipt")
PAYMENT_EFFECTS: Final = "vacancy.payment.effects"
NOTIFICATION_EFFECTS: Final = "vacancy.notification.effects"
RECEIPT_EFFECTS: Final = "vacancy.receipt.effects"
USER_INBOX: Final = inbox_of("user")
USER_EFFECTS: Final = "vacancy.user.effects"
WEBHOOK_INBOX: Final = inbox_of("webhook")
#: Passes the news on to the webhook service's own inbox.
WEBHOOK_GROUP: Final = "vacancy-webhook"
WEBHOOK_EFFECTS: Final = "vacancy.webhook.effects"

INBOXES: Final = tuple(inbox_of(service) for service in SERVICES)
EFFECTS: Final = (PAYMENT_EFFECTS, NOTIFICATION_EFFECTS, RECEIPT_EFFECTS, USER_EFFECTS, WEBHOOK_EFFECTS)
#: Whatever a service says was caused by something on one of these, or by news on a documented topic.
CAUSES: Final = (*INBOXES, *EFFECTS)
#: What an instance cannot be without.
REQUIRED: Final = tuple(inbox_of(service) for service in CORE)
CHANGELOGS: Final = {f"vacancy.{service}.rows": service for service in SERVICES}
#: Who took over which partition, and when: how the auditor knows that a fault has ended.
WORKERS: Final = "vacancy.workers"
#: Dead letters of public topics, for the gate that failed at them.
REPLAYS: Final = "vacancy.replays"
#: News that a layout's document has no topic for.
EVENTS: Final = "vacancy.events"

CREATED: Final = "booking.booking.created"
UPDATED: Final = "booking.booking.updated"
CONFIRMED: Final = "booking.booking.confirmed"
REJECTED: Final = "booking.booking.rejected"
EXPIRED: Final = "booking.booking.expired"
CANCELLED: Final = "booking.booking.cancelled"
CHECKED_IN: Final = "booking.booking.checked_in"
COMPLETED: Final = "booking.booking.completed"
NO_SHOW: Final = "booking.booking.no_show"
PAYMENT_CREATED: Final = "payment.payment.created"
PAID: Final = "payment.payment.succeeded"
RECEIPT: Final = "receipt.receipt.generated"
#: What a clock has told, and no news.
REMINDER: Final = "notification.reminder.due"
ERASED: Final = "user.user.erased"
STOCK_NEWS: Final = "inventory.order.updated"

#: The news whose topics' retention bounds what can still be said of a booking.
BOOKING_NEWS: Final = (
    CREATED,
    UPDATED,
    CONFIRMED,
    REJECTED,
    EXPIRED,
    CANCELLED,
    CHECKED_IN,
    COMPLETED,
    NO_SHOW,
)

#: What another program may say on a documented topic; everything else there is ours to say.
REQUESTS: Final = frozenset({CREATED, UPDATED, CANCELLED, "user.user.created", "user.user.updated"})
RECORD_NEWS: Final = "record."

#: What comes from outside the log, and so needs no cause on it. What another program asked for has one: its news.
ORIGINS: Final = frozenset(
    {
        "booking.booking.request",
        "booking.booking.change",
        "booking.booking.cancel",
        "booking.booking.check_in",
        "booking.booking.check_out",
        "booking.booking.mark_no_show",
        "booking.deadline.passed",
        "booking.stay.due",
        "availability.resource.declare",
        "availability.calendar.set",
        "availability.block.set",
        "availability.block.remove",
        "availability.block.due",
        "availability.plan.declare",
        "availability.plan.withdraw",
        "availability.waitlist.join",
        "availability.waitlist.leave",
        "availability.waitlist.due",
        "payment.payment.refund",
        "payment.payment.settle",
        "payment.effect.answered",
        "payment.authorization.expired",
        "payment.call.due",
        "user.user.register",
        "user.user.change",
        "user.user.erase",
        "record.record.open",
        "record.record.change",
        "notification.notice.read",
        "notification.notice.read_all",
        "notification.preferences.set",
        "notification.reminder.due",
        "notification.notice.due",
        "analytics.alert.set",
        "analytics.alert.remove",
        "webhook.endpoint.add",
        "webhook.endpoint.change",
        "webhook.endpoint.rotate",
        "webhook.endpoint.remove",
        "webhook.delivery.deliver",
        "webhook.delivery.redeliver",
        "webhook.delivery.due",
        "webhook.delivery.forget",
        "platform.breaker.changed",
    }
)
#: What a request of another program becomes.
ADMITTED: Final = frozenset(
    {
        "booking.booking.request",
        "booking.booking.change",
        "booking.booking.cancel",
        "user.user.register",
        "user.user.change",
        "record.record.open",
        "record.record.change",
    }
)
DEAD: Final = ".dlq"


def is_request(event_type: str) -> bool:
    """Whether another program may say this on a documented topic."""
    return event_type in REQUESTS or event_type.startswith(RECORD_NEWS)
