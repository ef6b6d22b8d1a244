"""The catalogue's other documents: users, receipts, notifications, analytics (CAT-10..15, 21, 37)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from streams.events.base import Amount, Currency, Event, Id, Instant


class UserCreated(Event, type="user.user.created"):
    user_id: Id
    email: str
    first_name: str
    last_name: str
    phone: str | None = None
    created_at: Instant


class UserUpdated(Event, type="user.user.updated"):
    user_id: Id
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    updated_at: Instant


class ReceiptGenerated(Event, type="receipt.receipt.generated"):
    receipt_id: Id
    payment_id: Id
    booking_id: Id
    user_id: Id
    receipt_number: str
    receipt_url: str
    amount: Amount
    currency: Currency
    generated_at: Instant


class EmailSent(Event, type="notification.email.sent"):
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


class AnalyticsTracked(Event, type="analytics.event.tracked"):
    tracked_id: Id
    name: str
    entity_id: Id
    properties: dict[str, Any] = Field(default_factory=dict)
    tracked_at: Instant
