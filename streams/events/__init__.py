"""Everything that can be said on the log: pydantic models, nothing else."""

from streams.events import (
    analytics,
    availability,
    booking,
    booking_news,
    control,
    notices,
    payment,
    payment_news,
    rate,
    receipts,
    records,
    users,
)
from streams.events.base import EVENT_TYPES, Amount, Currency, Envelope, Event, Id, Instant, Sealed

__all__ = [
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
    "rate",
    "receipts",
    "records",
    "users",
]
