"""Payments: what the world hears of one (CAT-06..09, 19, 20), and what the hotel document adds (HTL-09).

`about` is ours: the booking that is paid for, for the documents that show something of it.
"""

from __future__ import annotations

from typing import ClassVar

from streams.events.about import About
from streams.events.base import Amount, Currency, Event, Id, Instant
from streams.events.payment import PaymentMethod


class PaymentNews(Event):
    """Shared by all news of a payment."""

    beyond: ClassVar[frozenset[str]] = frozenset({"about"})

    payment_id: Id
    booking_id: Id
    user_id: Id
    about: About | None = None


class PaymentCreated(PaymentNews, type="payment.payment.created"):
    """CAT-37: the document names the topic without a schema; an authorization is asked for."""

    amount: Amount
    currency: Currency
    provider: str
    status: str = "PENDING"
    created_at: Instant


class PaymentAuthorizedNews(PaymentNews, type="payment.payment.authorized"):
    """HTL-09 `payment.authorized`: the money is blocked for us, not taken."""

    amount: Amount
    currency: Currency
    provider: str
    provider_payment_id: str
    payment_method: PaymentMethod
    authorized_at: Instant


class PaymentSucceeded(PaymentNews, type="payment.payment.succeeded"):
    amount: Amount
    currency: Currency
    provider: str
    provider_payment_id: str
    payment_method: PaymentMethod
    succeeded_at: Instant


class PaymentFailed(PaymentNews, type="payment.payment.failed"):
    amount: Amount
    currency: Currency
    provider: str
    error_code: str
    error_message: str
    failed_at: Instant


class PaymentRefundedEvent(PaymentNews, type="payment.payment.refunded"):
    """CAT-37: the document names the topic without a schema; money went back to the guest."""

    refund_id: Id
    amount: Amount
    currency: Currency
    provider: str
    provider_refund_id: str
    reason: str
    refunded_at: Instant


class PaymentSettled(PaymentNews, type="payment.payment.settled"):
    """HTL-09 `payment.settled`: a settlement run booked the provider's payout."""

    amount: Amount
    currency: Currency
    provider: str
    settlement_id: Id
    settled_at: Instant
