"""The topics and types the auditor knows, spelled out once: it judges the platform by its documents, not its code."""

from __future__ import annotations

from typing import Final

BOOKING_INBOX: Final = "vacancy.booking.inbox"
AVAILABILITY_INBOX: Final = "vacancy.availability.inbox"
PAYMENT_INBOX: Final = "vacancy.payment.inbox"
PAYMENT_EFFECTS: Final = "vacancy.payment.effects"

#: A service decides what is in its inbox and keeps its rows in its changelog.
SERVICES: Final = ("booking", "availability", "payment")
INBOXES: Final = (BOOKING_INBOX, AVAILABILITY_INBOX, PAYMENT_INBOX)
#: Everything that causes something stands on one of these.
CAUSES: Final = (*INBOXES, PAYMENT_EFFECTS)
CHANGELOGS: Final = {f"vacancy.{service}.rows": service for service in SERVICES}
#: Who took over which partition, and when: how the auditor knows that a fault has ended.
WORKERS: Final = "vacancy.workers"

CREATED: Final = "booking.booking.created"
CONFIRMED: Final = "booking.booking.confirmed"
REJECTED: Final = "booking.booking.rejected"
EXPIRED: Final = "booking.booking.expired"
CANCELLED: Final = "booking.booking.cancelled"
PAYMENT_CREATED: Final = "payment.payment.created"

#: What the world reads; each carries the type it is named after.
PUBLIC: Final = (
    CREATED,
    "booking.booking.updated",
    CANCELLED,
    CONFIRMED,
    REJECTED,
    EXPIRED,
    PAYMENT_CREATED,
    "payment.payment.succeeded",
    "payment.payment.failed",
    "payment.payment.refunded",
    "receipt.receipt.generated",
    "notification.email.sent",
    "notification.sms.sent",
    "analytics.event.tracked",
    "user.user.created",
    "user.user.updated",
    "availability.night.updated",
    "availability.night.overbooked",
    "rate.rate.updated",
    "rate.rate.applied",
)
#: The topics whose retention bounds what can still be said of a booking.
OUTCOMES: Final = (CREATED, CONFIRMED, REJECTED, EXPIRED, CANCELLED)

#: What comes from outside the log, and so needs no cause on it.
ORIGINS: Final = frozenset(
    {
        "booking.booking.request",
        "booking.booking.cancel",
        "booking.deadline.passed",
        "availability.resource.declare",
        "payment.payment.refund",
        "payment.effect.answered",
    }
)
DEAD: Final = ".dlq"


def service_of(inbox: str) -> str:
    """ "vacancy.booking.inbox" -> "booking"."""
    return inbox.split(".")[1]
