"""What the API answers about payments: one model per body. Amounts are decimal strings."""

from __future__ import annotations

from datetime import datetime

from web.answers import Answer, Money


class RefundOut(Answer):
    refund_id: str
    payment_id: str
    amount: Money
    #: waiting (for the capture), calling (the provider), refunded, or failed.
    status: str
    reason: str
    error: str | None = None
    ordered_by: str


class MethodOut(Answer):
    """What was paid with, as far as it may be shown."""

    type: str
    brand: str | None = None
    last4: str | None = None


class PaymentOut(Answer):
    """One payment of a booking: its first, or what a change cost more."""

    payment_id: str
    booking_id: str
    #: Of the booking: what it pays for.
    revision: int
    status: str
    amount: Money
    captured: Money
    refunded: Money
    #: What more may be given back, refunds under way counted as given.
    refundable: Money
    provider: str
    provider_payment_id: str | None = None
    method: MethodOut | None = None
    error: str | None = None
    #: Why it was voided, if it was.
    void_reason: str | None = None
    #: The settlement run that booked its payout.
    settlement_id: str | None = None
    refunds: list[RefundOut]
    created_at: datetime
    updated_at: datetime


class SettlementOut(Answer):
    """What one settlement run booked, and what is left for another."""

    settlement_id: str
    payments: int
    #: One sum for each currency.
    totals: list[Money]
    remaining: int
