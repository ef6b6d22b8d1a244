"""Everything that can be said on the log: frozen structs, nothing else."""

from streams.events import (
    analytics,
    availability,
    booking,
    booking_news,
    control,
    notices,
    payment,
    payment_news,
    policy,
    rate,
    receipts,
    records,
    users,
)
from streams.events.base import ENCODER, EVENT_TYPES, Amount, Currency, Envelope, Event, Id, Instant, Sealed

__all__ = [
    "ENCODER",
    "EVENT_TYPES",
    "Amount",
    "Currency",
    "Envelope",
    "Event",
    "Id",
    "Instant",
    "Sealed",
    "analytics",
    "availability",
    "booking",
    "booking_news",
    "control",
    "notices",
    "payment",
    "payment_news",
    "policy",
    "rate",
    "receipts",
    "records",
    "users",
]
