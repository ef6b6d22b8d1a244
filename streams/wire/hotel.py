"""The hotel document (HTL-08..10, 18): camelCase, with what concerns the guest, the stay and the price in objects.

Time and correlation travel in headers. The document shows the fields of `reservation.created` only: the other
reservation events have the same, and what a payment, a refund or a reason adds stands beside the price or the stay.
Payments, prices and nights name their fields in the same style (`streams.wire.hotel_flat`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field

from streams.codec import Undecodable, jsonable
from streams.envelope import derive
from streams.events import Amount, Envelope
from streams.events.about import About
from streams.events.booking_news import (
    BookingCancellationCompleted,
    BookingCancelled,
    BookingCheckedIn,
    BookingCompleted,
    BookingConfirmed,
    BookingCreated,
    BookingNews,
    BookingUpdated,
)
from streams.identity import user_id_of
from streams.topics import Topic
from streams.wire.clocks import instant, local
from streams.wire.document import Body, DocumentCodec, Form, Read, optional_text, shaped, text
from streams.wire.fields import Currency, Id, clear, given
from streams.wire.hotel_flat import FLAT, UNKNOWN

#: What each piece of news says of the reservation; a change says it itself.
_STATUS: Mapping[type[BookingNews], str | None] = {
    BookingCreated: "PENDING",
    BookingConfirmed: "CONFIRMED",
    BookingUpdated: None,
    BookingCancelled: "CANCELLED",
    BookingCancellationCompleted: "CANCELLED",
    BookingCheckedIn: "CHECKED_IN",
    BookingCompleted: "COMPLETED",
}
_GUEST = {"email": "email", "firstName": "first_name", "lastName": "last_name", "phone": "phone"}
#: What only some of them say, beside the stay and beside the price; and what stands for it where nobody says it.
_OF_STAY = {"reason": "cancellation_reason", "cancelledBy": "cancelled_by"}
_OF_PRICE = {
    "paymentId": "payment_id",
    "refundEligible": "refund_eligible",
    "refundAmount": "refund_amount",
    "refundCurrency": "refund_currency",
    "refundedAmount": "refunded_amount",
}
_UNSAID: Body = {
    "user_id": UNKNOWN,
    "product_id": UNKNOWN,
    "payment_id": UNKNOWN,
    "cancellation_reason": "",
    "cancelled_by": UNKNOWN,
    "refund_eligible": False,
    "refund_amount": 0,
    "refund_currency": "XXX",
    "refunded_amount": 0,
}

Words = Annotated[str, Field(max_length=200)]


class _GuestDetails(BaseModel):
    guestId: Id | None = None
    email: Words | None = None
    firstName: Words | None = None
    lastName: Words | None = None
    phone: Words | None = None


class _StayDetails(BaseModel):
    reservationId: Id | None = None
    unitType: Id
    checkIn: date
    checkOut: date
    quantity: int = Field(default=1, ge=1)


class _PricingDetails(BaseModel):
    totalPrice: Amount
    currency: Currency


class _Asked(BaseModel):
    """What another program has to say to make or to change a reservation."""

    propertyId: Id
    guestDetails: _GuestDetails
    stayDetails: _StayDetails
    pricingDetails: _PricingDetails


def _write(event: Any, guest: Mapping[str, Any]) -> Body:
    said = {**jsonable(event), "cancelled_by": getattr(event, "cancelled_by", None)}
    return {
        "confirmationNumber": event.about.confirmation_number if event.about else None,
        "propertyId": event.about.lines[0].provider_id
        if event.about and event.about.lines
        else said.get("provider_id"),
        "guestDetails": {"guestId": event.user_id, **clear(guest, _GUEST)},
        "stayDetails": _stay(event, said) | _present(_OF_STAY, said),
        "pricingDetails": _price(event) | _present(_OF_PRICE, said),
    }


def _stay(event: Any, said: Body) -> Body:
    about: About | None = event.about
    lines = about.lines if about else ()
    start = min((line.start for line in lines), default=getattr(event, "start_time", None))
    end = max((line.end for line in lines), default=getattr(event, "end_time", None))
    zone = about.time_zone if about else "UTC"
    return {
        "reservationId": event.booking_id,
        "unitType": event.product_id,
        "checkIn": local(start, zone).date().isoformat() if start else None,
        "checkOut": _check_out(start, end, zone) if start and end else None,
        "quantity": sum(line.quantity for line in lines) if lines else said.get("quantity"),
        "status": _STATUS[type(event)] or said["status"],
    }


def _check_out(start: datetime, end: datetime, zone: str) -> str:
    """At least one night after check-in, whatever else than a stay this is."""
    first, last = local(start, zone).date(), local(end, zone).date()
    return (last if last > first or first == date.max else first + timedelta(days=1)).isoformat()


def _price(event: Any) -> Body:
    """The price as the news has it, else as its booking has it."""
    found = event if hasattr(event, "price_amount") else event.about
    return {
        "totalPrice": float(found.price_amount) if found else None,
        "currency": found.price_currency if found else None,
    }


def _read(model: type[BookingNews], body: Body) -> Read:
    guest, stay, price = (_object(body, name) for name in ("guestDetails", "stayDetails", "pricingDetails"))
    email = optional_text(guest, "email")
    said: Body = {
        "booking_id": optional_text(stay, "reservationId") or _by_number(body),
        "user_id": optional_text(guest, "guestId") or (user_id_of(email) if email else None),
        "provider_id": optional_text(body, "propertyId"),
        "product_id": optional_text(stay, "unitType"),
        "status": _STATUS[model] or stay.get("status") or "CONFIRMED",
        "quantity": 1 if stay.get("quantity") is None else stay["quantity"],
        "price_amount": price.get("totalPrice"),
        "price_currency": price.get("currency"),
        **given(stay, _OF_STAY),
        **given(price, _OF_PRICE),
        **_period(stay),
    }
    data = _unsaid(model) | {field: value for field, value in said.items() if value is not None}
    return Read(data | _about(body, data), given(guest, _GUEST))


def _unsaid(model: type[BookingNews]) -> Body:
    """What stands for what is not said. Nothing stands for whoever makes or changes a reservation, nor for its unit."""
    if model in (BookingCreated, BookingUpdated):
        return {"revision": 0}
    return _UNSAID


def _period(stay: Body) -> Body:
    """Local dates as the nights they bound; without a time zone they are UTC's, until the gate knows the property's."""
    zone = optional_text(stay, "timeZone") or "UTC"
    names = {"start_time": "checkIn", "end_time": "checkOut"}
    return {
        field: instant(text(stay, name), "00:00", zone) for field, name in names.items() if stay.get(name) is not None
    }


def _about(body: Body, data: Body) -> Body:
    if not {"provider_id", "product_id", "start_time", "end_time", "price_amount", "price_currency"} <= data.keys():
        return {}
    line = {
        "line": 1,
        "provider_id": data["provider_id"],
        "product_id": data["product_id"],
        "start": data["start_time"],
        "end": data["end_time"],
        "quantity": data["quantity"],
        "price_amount": data["price_amount"],
    }
    about = {
        "kind": "stay",
        "confirmation_number": optional_text(body, "confirmationNumber") or "",
        "lines": [line],
        "price_amount": data["price_amount"],
        "price_currency": data["price_currency"],
        "time_zone": optional_text(_object(body, "stayDetails"), "timeZone") or "UTC",
    }
    return {"about": about}


def _by_number(body: Body) -> str | None:
    """The id of a reservation that is known by its number alone: every message about it finds it."""
    number = optional_text(body, "confirmationNumber")
    return derive(f"reservation/{number}") if number else None


def _object(body: Body, name: str) -> Body:
    found = body.get(name)
    if found is not None and not isinstance(found, dict):
        raise Undecodable(f"{name}: not an object")
    return found or {}


def _present(names: Mapping[str, str], said: Mapping[str, Any]) -> Body:
    return {name: said[field] for name, field in names.items() if said.get(field) is not None}


def _type_of(body: Body, topic: Topic) -> str:
    name = text(body, "eventType")
    if name in ("reservation.created", "reservation.modified"):
        shaped(_Asked, body)
    if name in ("reservation.modified", "reservation.cancelled"):
        named = optional_text(_object(body, "stayDetails"), "reservationId") or _by_number(body)
        if named is None:
            raise Undecodable("stayDetails.reservationId: missing, and there is no confirmationNumber either")
    return name


def _head(envelope: Envelope, name: str) -> Body:
    return {"eventId": envelope.event_id, "eventType": name}


def _form(model: type[BookingNews]) -> Form:
    return Form(_write, lambda body: _read(model, body))


CODEC = DocumentCodec(
    forms={**{model.event_type: _form(model) for model in _STATUS}, **FLAT},
    head=_head,
    type_of=_type_of,
    id_of=lambda body: optional_text(body, "eventId"),
    time_of=lambda body: None,
)
