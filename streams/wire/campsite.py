"""The campsite event flow (CAMP-12, 13): flat events in PascalCase, dates of the stay, the guest's e-mail in clear.

The document shows two schemas and leaves six open (CAMP-25). Those are ours, in its manner: each news of a booking
shows what `BookingCreated` shows and adds what is its own. `BookingCreated` has no currency: without one it is EUR.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel

from streams.events import Amount, Envelope, Event
from streams.events.booking_news import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingCreated,
    BookingNews,
)
from streams.events.payment_news import PaymentNews, PaymentRefundedEvent, PaymentSucceeded
from streams.events.users import UserCreated, UserNews, UserUpdated
from streams.topics import Topic
from streams.wire.clocks import local
from streams.wire.document import Body, DocumentCodec, Form, Read, shaped, text
from streams.wire.fields import Id, clear, given, plain, shown, user_of

#: A campsite is one resource: what is booked of it is a pitch (design 3).
PRODUCT = "pitch"
#: The document names no currency.
CURRENCY = "EUR"
#: Stands for what our outcomes name and another program's message does not: only its request is taken from that.
_UNKNOWN = "unknown"

_NIGHT = timedelta(days=1)

# What a schema shows of an event beside the booking or the user it is about, and the event's own name of it.
_CONFIRMED = {"PaymentId": "payment_id", "Currency": "price_currency"}
_CANCELLED = {
    "PaymentId": "payment_id",
    "CancellationReason": "cancellation_reason",
    "CancelledBy": "cancelled_by",
    "RefundAmount": "refund_amount",
    "Currency": "refund_currency",
}
_PAYMENT = {
    "PaymentId": "payment_id",
    "BookingId": "booking_id",
    "GuestId": "user_id",
    "Amount": "amount",
    "Currency": "currency",
    "Provider": "provider",
}
_PROCESSED = _PAYMENT | {"ProviderPaymentId": "provider_payment_id"}
_METHOD = {"PaymentMethod": "type", "CardBrand": "brand", "CardLast4": "last4"}
_REFUNDED = _PAYMENT | {"RefundId": "refund_id", "ProviderRefundId": "provider_refund_id", "Reason": "reason"}
_GUEST = {"GuestEmail": "email"}
_USER = {"Email": "email", "FirstName": "first_name", "LastName": "last_name"}


def _is_date(value: str) -> str:
    return date.fromisoformat(value).isoformat()


Day = Annotated[str, AfterValidator(_is_date)]


class _Booking(BaseModel):
    """What all news of a booking may show."""

    BookingId: Id
    GuestId: Id | None = None
    CampsiteId: Id | None = None
    CheckInDate: Day | None = None
    CheckOutDate: Day | None = None
    TotalPrice: Amount | None = None
    Currency: str | None = None
    GuestEmail: str | None = None


class _Created(_Booking):
    """CAMP-12: what a booking needs to be opened."""

    CampsiteId: Id
    CheckInDate: Day
    CheckOutDate: Day
    TotalPrice: Amount


class _User(BaseModel):
    """CAMP-13. `Email` is null once the user is erased."""

    UserId: Id | None = None
    Email: str | None
    FirstName: str | None = None
    LastName: str | None = None


def _booking(fields: Mapping[str, str]) -> Callable[[Any, Mapping[str, Any]], Body]:
    """How news of a booking is written: what all share, and these fields of its own."""

    def write(event: BookingNews, personal: Mapping[str, Any]) -> Body:
        check_in, check_out = _stay(event)
        return {
            "BookingId": event.booking_id,
            "GuestId": event.user_id,
            "CampsiteId": getattr(event, "provider_id", _campsite(event)),
            "CheckInDate": check_in,
            "CheckOutDate": check_out,
            "TotalPrice": plain(getattr(event, "price_amount", event.about.price_amount if event.about else None)),
            **clear(personal, _GUEST),
            **shown(event, fields),
        }

    return write


def _read_created(body: Body) -> Read:
    about = _about(shaped(_Created, body))
    line = about["lines"][0]
    data = {
        "provider_id": line["provider_id"],
        "start_time": line["start"],
        "end_time": line["end"],
        "quantity": line["quantity"],
        "price_amount": about["price_amount"],
        "price_currency": about["price_currency"],
        "about": about,
    }
    return Read(_booked(body) | data, given(body, _GUEST))


def _news(fields: Mapping[str, str]) -> Callable[[Body], Read]:
    """How news of a booking is read: all that the three know; each model takes its own of it."""

    def read(body: Body) -> Read:
        found = shaped(_Booking, body)
        known = {
            "payment_id": _UNKNOWN,
            "price_amount": body.get("TotalPrice"),
            "price_currency": CURRENCY,
            "refund_amount": 0.0,
            "refund_currency": CURRENCY,
            "refund_eligible": bool(body.get("RefundAmount")),
            "cancellation_reason": "",
        }
        if None not in (found.CampsiteId, found.CheckInDate, found.CheckOutDate, found.TotalPrice):
            known["about"] = _about(found)
        # Whoever cancels need not say whose booking it is.
        unsaid = {"GuestId": _UNKNOWN} if body.get("GuestId") is None and not body.get("GuestEmail") else {}
        return Read(_booked(body | unsaid) | known | given(body, fields), given(body, _GUEST))

    return read


def _booked(body: Body) -> Body:
    return {"booking_id": body["BookingId"], "user_id": user_of(body, "GuestId", "GuestEmail"), "product_id": PRODUCT}


def _about(found: _Booking) -> Body:
    """A stay as another program tells it: its dates are taken in UTC, as no time zone is told."""
    line = {
        "line": 1,
        "provider_id": found.CampsiteId,
        "product_id": PRODUCT,
        "start": f"{found.CheckInDate}T00:00:00Z",
        "end": f"{found.CheckOutDate}T00:00:00Z",
        "quantity": 1,
        "price_amount": plain(found.TotalPrice),
    }
    price = {"price_amount": plain(found.TotalPrice), "price_currency": found.Currency or CURRENCY}
    return {"kind": "stay", "lines": [line], **price}


def _stay(event: BookingNews) -> tuple[str | None, str | None]:
    """Check-in and check-out in local dates, at least one night apart; none where the news tells no time."""
    about, start, end = event.about, getattr(event, "start_time", None), getattr(event, "end_time", None)
    if about is not None and about.lines:
        start, end = min(line.start for line in about.lines), max(line.end for line in about.lines)
    if start is None or end is None:
        return None, None
    zone = about.time_zone if about is not None else "UTC"
    check_in, check_out = local(start, zone).date(), local(end, zone).date()
    next_day = check_in + _NIGHT if check_in < date.max else check_in
    return check_in.isoformat(), max(check_out, next_day).isoformat()


def _campsite(event: BookingNews | PaymentNews) -> str | None:
    return event.about.lines[0].provider_id if event.about is not None and event.about.lines else None


def _processed(event: PaymentSucceeded, personal: Mapping[str, Any]) -> Body:
    return _payment(event, _PROCESSED, personal) | shown(event.payment_method, _METHOD)


def _refunded(event: PaymentRefundedEvent, personal: Mapping[str, Any]) -> Body:
    return _payment(event, _REFUNDED, personal)


def _payment(event: PaymentNews, fields: Mapping[str, str], personal: Mapping[str, Any]) -> Body:
    return shown(event, fields) | {"CampsiteId": _campsite(event)} | clear(personal, _GUEST)


def _read_payment(body: Body) -> Read:
    data = {"currency": CURRENCY} | given(body, _PROCESSED | _REFUNDED)
    user_id, method = user_of(body, "GuestId", "GuestEmail"), given(body, _METHOD)
    return Read(data | {"user_id": user_id, "payment_method": method}, given(body, _GUEST))


def _user(event: UserNews, personal: Mapping[str, Any]) -> Body:
    return {"UserId": event.user_id} | clear(personal, _USER)


def _read_user(body: Body) -> Read:
    shaped(_User, body)
    return Read({"user_id": user_of(body, "UserId", "Email"), "personal": ""}, given(body, _USER))


def _head(envelope: Envelope, name: str) -> Body:
    told = envelope.timestamp.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"EventId": envelope.event_id, "EventType": name, "Timestamp": told}


def _type_of(body: Body, topic: Topic) -> str:
    # C2: the samples say "BookingCreated", the diagram names the event "BookingCreatedEvent".
    return text(body, "EventType").removesuffix("Event")


_FORMS: dict[type[Event], Form] = {
    BookingCreated: Form(_booking({}), _read_created),
    BookingConfirmed: Form(_booking(_CONFIRMED), _news(_CONFIRMED)),
    BookingCancelled: Form(_booking(_CANCELLED), _news(_CANCELLED)),
    BookingCompleted: Form(_booking({}), _news({})),
    UserCreated: Form(_user, _read_user),
    UserUpdated: Form(_user, _read_user),
    PaymentSucceeded: Form(_processed, _read_payment),
    PaymentRefundedEvent: Form(_refunded, _read_payment),
}

CODEC = DocumentCodec(
    forms={model.event_type: form for model, form in _FORMS.items()},
    head=_head,
    type_of=_type_of,
    id_of=lambda body: text(body, "EventId"),
    time_of=lambda body: text(body, "Timestamp"),
)
