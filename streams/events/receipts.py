"""Receipts: asked for when a payment succeeded, written outside, then told (CAT-10, 21)."""

from __future__ import annotations

from typing import ClassVar

from streams.events.about import About
from streams.events.base import Amount, Currency, Event, Id, Instant

# --- asked of the receipt service (its inbox, keyed by payment_id) ---


class RequestReceipt(Event, type="receipt.receipt.request"):
    payment_id: Id
    booking_id: Id
    user_id: Id
    amount: Amount
    currency: Currency
    paid_at: Instant
    about: About | None = None


class ReceiptWritten(Event, type="receipt.effect.answered"):
    """The result of writing one, appended by the agent that wrote it."""

    payment_id: Id
    effect_id: str


# --- the receipt service's effects ---


class WriteReceipt(Event, type="receipt.effect.write"):
    """Write the receipt's text to where it is served from; written again, it is the same file."""

    payment_id: Id
    receipt_id: Id
    receipt_number: str
    booking_id: Id
    user_id: Id
    amount: Amount
    currency: Currency
    paid_at: Instant
    about: About | None = None


# --- told to the world ---


class ReceiptGenerated(Event, type="receipt.receipt.generated"):
    """CAT-21. `about` is ours: what was paid for."""

    beyond: ClassVar[frozenset[str]] = frozenset({"about"})

    receipt_id: Id
    payment_id: Id
    booking_id: Id
    user_id: Id
    receipt_number: str
    receipt_url: str
    amount: Amount
    currency: Currency
    generated_at: Instant
    about: About | None = None
