"""Everything that can be said on the log: pydantic models, nothing else."""

from streams.events import availability, booking, control, payment, rate, surroundings
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
    "availability",
    "booking",
    "control",
    "payment",
    "rate",
    "surroundings",
]
