"""What the hotel document says of payments, prices, nights and figures: flat, field for field (HTL-09, 10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streams.codec import jsonable
from streams.events import Event
from streams.events.analytics import AnalyticsTracked
from streams.events.availability import NightOverbooked, NightUpdated
from streams.events.payment_news import (
    PaymentAuthorizedNews,
    PaymentCreated,
    PaymentFailed,
    PaymentRefundedEvent,
    PaymentSettled,
    PaymentSucceeded,
)
from streams.events.rate import RateApplied, RateUpdated
from streams.wire.document import Body, Form, Read
from streams.wire.fields import given

#: Stands for what our outcomes name and another program's need not: those are refused as not theirs to say.
UNKNOWN = "unknown"

_RESOURCE = {"propertyId": "provider_id", "unitType": "product_id"}
_NIGHT = {**_RESOURCE, "slot": "slot", "capacity": "capacity", "held": "held"}
_RATE = {**_RESOURCE, "price": "price_amount", "currency": "price_currency"}
_PAYMENT = {
    "paymentId": "payment_id",
    "reservationId": "booking_id",
    "guestId": "user_id",
    "amount": "amount",
    "currency": "currency",
    "provider": "provider",
}
_PAID = {**_PAYMENT, "providerPaymentId": "provider_payment_id", "paymentMethod": "payment_method"}
_FAILED = {**_PAYMENT, "errorCode": "error_code", "errorMessage": "error_message"}
_REFUNDED = {
    **_PAYMENT,
    "refundId": "refund_id",
    "providerRefundId": "provider_refund_id",
    "reason": "reason",
}
_TRACKED = {
    "propertyId": "provider_id",
    "trackedId": "tracked_id",
    "name": "name",
    "entityId": "entity_id",
    "properties": "properties",
}
#: The document's fields of each type, and ours.
_FIELDS: Mapping[type[Event], Mapping[str, str]] = {
    PaymentCreated: {**_PAYMENT, "status": "status"},
    PaymentAuthorizedNews: _PAID,
    PaymentSucceeded: _PAID,
    PaymentFailed: _FAILED,
    PaymentRefundedEvent: _REFUNDED,
    PaymentSettled: {**_PAYMENT, "settlementId": "settlement_id"},
    RateUpdated: _RATE,
    RateApplied: {**_RATE, "reservationId": "booking_id"},
    NightUpdated: {**_NIGHT, "free": "free"},
    NightOverbooked: {**_NIGHT, "overbookingLimit": "overbooking_limit"},
    AnalyticsTracked: _TRACKED,
}
_UNSAID: Body = {
    **dict.fromkeys(("user_id", "provider", "provider_payment_id", "error_code", "error_message"), UNKNOWN),
    **dict.fromkeys(("refund_id", "provider_refund_id", "reason", "settlement_id"), UNKNOWN),
    "payment_method": {},
}


#: Shown only where they say something: a price of one night under a plan is not the unit's.
_SOMETIMES: Mapping[type[Event], Mapping[str, str]] = {
    RateUpdated: {"slot": "slot", "ratePlan": "rate_plan", "previousPrice": "previous_price"},
}


def _form(fields: Mapping[str, str], sometimes: Mapping[str, str]) -> Form:
    def write(event: Any, guest: Mapping[str, Any]) -> Body:
        said = jsonable(event)
        more = {name: said[field] for name, field in sometimes.items() if said[field] is not None}
        return {**_paid_for(event), **{name: said[field] for name, field in fields.items()}, **more}

    def read(body: Body) -> Read:
        return Read(_UNSAID | given(body, {**fields, **sometimes}), {})

    return Form(write, read)


def _paid_for(event: Any) -> Body:
    """The reservation a payment is for, as guests and properties know it."""
    about = getattr(event, "about", None)
    if about is None:
        return {}
    provider_id = about.lines[0].provider_id if about.lines else None
    return {"propertyId": provider_id, "confirmationNumber": about.confirmation_number}


FLAT = {model.event_type: _form(fields, _SOMETIMES.get(model, {})) for model, fields in _FIELDS.items()}
