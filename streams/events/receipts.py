"""Receipts: asked for when a payment succeeded, and told at once (CAT-10, 21).

Under the rules 1 one was written outside first; what these asked for stays readable.
"""

from __future__ import annotations

from typing import ClassVar

from streams.events.about import About
from streams.events.base import Amount, Currency, Event, Id, Instant
from streams.events.payment import PaymentMethod

# --- asked of the receipt service (its inbox, keyed by payment_id) ---


class RequestReceipt(Event, type="receipt.receipt.request"):
    payment_id: Id
    booking_id: Id
    user_id: Id
    amount: Amount
    currency: Currency
    paid_at: Instant
    about: About | None = None
    #: What was paid with, as far as it may be shown.
    method: PaymentMethod | None = None
    #: Which rules decide it: 2 tells the receipt at once, 1 has it written outside first.
    rules: int = 1


class ReceiptWritten(Event, type="receipt.effect.answered"):
    """Under the rules 1: the result of writing one, appended by the effects agent."""

    payment_id: Id
    effect_id: str


# --- the receipt service's effects ---


class WriteReceipt(Event, type="receipt.effect.write"):
    """Under the rules 1: write the receipt. Nothing is written any more; it is answered, so that it is told."""

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
