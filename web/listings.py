"""Lists of bookings and payments. They come from the projections, which follow: each says as of when it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from aiohttp import web

from domain.booking_state import BookingStatus
from domain.payment_state import PaymentStatus
from projections.listings import BookingsAsked, Cursor, ListsUnavailable, Page, PaymentsAsked
from web.answers import Answer, Money
from web.context import context_of
from web.operations import Operation, Parameter
from web.paging import limit_of, limited
from web.problems import RETRY, Problem, invalid
from web.requests import canonical, query_date, query_name
from web.shapes import as_json

_USUAL, _MOST = 50, 200
_CURSOR = re.compile(r"(\d{1,17})\.(.{1,100})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BookingListed(Answer):
    """One booking of a list; `/api/reservations/{booking_id}` has all of it, and the guest."""

    booking_id: str
    confirmation_number: str
    kind: str
    status: str
    reason: str | None = None
    property_id: str
    unit_type: str
    user_id: str
    check_in: date | None = None
    check_out: date | None = None
    start_time: datetime
    end_time: datetime
    quantity: int
    price: Money
    payment_id: str
    revision: int
    created_at: datetime
    updated_at: datetime


class BookingsListed(Answer):
    """Bookings, the newest first, as of a moment ago; `next` as `cursor` gets the older ones."""

    bookings: list[BookingListed]
    as_of: datetime
    next: str | None = None


class PaymentListed(Answer):
    """One payment of a list; `/api/payments/{payment_id}` has its refunds."""

    payment_id: str
    booking_id: str
    status: str
    amount: Money
    captured: Money
    refunded: Money
    created_at: datetime
    updated_at: datetime


class PaymentsListed(Answer):
    """Payments, the newest first, as of a moment ago; `next` as `cursor` gets the older ones."""

    payments: list[PaymentListed]
    as_of: datetime
    next: str | None = None


async def list_bookings(request: web.Request) -> web.Response:
    _known_only(request, _BOOKING_FILTERS)
    first, last = _dates(request)
    asked = BookingsAsked(
        property_id=_name(request, "property_id"),
        unit_type=_name(request, "unit_type"),
        user_id=_name(request, "user_id"),
        status=_status(request, BookingStatus),
        confirmation_number=_name(request, "confirmation_number"),
        first=first,
        last=last,
    )
    limit, cursor = limit_of(request, _USUAL, _MOST), _cursor(request)
    try:
        page = await context_of(request).listings.bookings(asked, limit, cursor)
    except ListsUnavailable as error:
        raise _unavailable(error) from None
    rows = [_booking(row) for row in page.rows]
    return as_json(BookingsListed(bookings=rows, as_of=page.as_of, next=_next(page, "booking_id")))


async def list_payments(request: web.Request) -> web.Response:
    _known_only(request, _PAYMENT_FILTERS)
    first, last = _dates(request)
    asked = PaymentsAsked(
        booking_id=_id(request, "booking_id"),
        status=_status(request, PaymentStatus),
        first=_midnight(first),
        last=_midnight(last),
    )
    limit, cursor = limit_of(request, _USUAL, _MOST), _cursor(request)
    try:
        page = await context_of(request).listings.payments(asked, limit, cursor)
    except ListsUnavailable as error:
        raise _unavailable(error) from None
    rows = [_payment(row) for row in page.rows]
    return as_json(PaymentsListed(payments=rows, as_of=page.as_of, next=_next(page, "payment_id")))


def _booking(row: Mapping[str, Any]) -> BookingListed:
    shown = {name: row[name] for name in BookingListed.model_fields if name in row and name != "price"}
    price = Money.of(row["price"], row["currency"])
    return BookingListed(**shown, start_time=row["starts_at"], end_time=row["ends_at"], price=price)


def _payment(row: Mapping[str, Any]) -> PaymentListed:
    amounts = ("amount", "captured", "refunded")
    shown = {name: row[name] for name in PaymentListed.model_fields if name not in amounts}
    return PaymentListed(**shown, **{name: Money.of(row[name], row["currency"]) for name in amounts})


def _name(request: web.Request, name: str) -> str | None:
    return query_name(request, name) if name in request.query else None


def _id(request: web.Request, name: str) -> str | None:
    return canonical(query_name(request, name)) if name in request.query else None


def _status(request: web.Request, statuses: Iterable[str]) -> str | None:
    given = request.query.get("status")
    known = [str(status) for status in statuses]
    if given is not None and given not in known:
        raise invalid("status", f"should be one of {', '.join(known)}")
    return given


def _known_only(request: web.Request, filters: tuple[Parameter, ...]) -> None:
    """Raises Problem 422 for a filter that there is not, or that comes twice: it would show what nobody asked for."""
    known = {parameter.name for parameter in filters}
    for name in request.query:
        if name not in known:
            raise invalid(name, f"is no filter; those are {', '.join(sorted(known))}")
        if len(request.query.getall(name)) > 1:
            raise invalid(name, "is given more than once")


def _dates(request: web.Request) -> tuple[date | None, date | None]:
    first, last = (query_date(request, name) if name in request.query else None for name in ("from", "to"))
    if first is not None and last is not None and last <= first:
        raise invalid("to", "should be after from")
    return first, last


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day is not None else None


def _cursor(request: web.Request) -> Cursor | None:
    given = request.query.get("cursor")
    if given is None:
        return None
    found = _CURSOR.fullmatch(given)
    try:
        if found is not None and found[2].isprintable():
            return Cursor(_EPOCH + int(found[1]) * _MICROSECOND, found[2])
    except OverflowError:
        pass
    raise invalid("cursor", "should be the `next` of an earlier answer")


def _next(page: Page, name: str) -> str | None:
    """The last entry, as the cursor of the page after it."""
    if not page.more:
        return None
    last = page.rows[-1]
    return f"{(last['created_at'] - _EPOCH) // _MICROSECOND}.{last[name]}"


def _unavailable(error: ListsUnavailable) -> Problem:
    detail = f"Lists cannot be read: {error}. A booking or payment is still found by its id."
    return Problem(503, "lists-unavailable", "Lists are not available at the moment", detail, headers=RETRY)


def _text(name: str, description: str) -> Parameter:
    return Parameter(name, description, {"type": "string", "minLength": 1, "maxLength": 100})


def _one_of(statuses: Iterable[str]) -> Parameter:
    return Parameter("status", "Only with this status.", {"type": "string", "enum": [str(each) for each in statuses]})


def _day(name: str, description: str) -> Parameter:
    return Parameter(name, description, {"type": "string", "format": "date"})


_PAGED = (limited(_USUAL, _MOST), Parameter("cursor", "The `next` of an earlier answer.", {"type": "string"}))

_BOOKING_FILTERS = (
    _text("property_id", "Only of this property, practitioner or shop."),
    _text("unit_type", "Only of this unit type or product."),
    _text("user_id", "Only of this user."),
    _one_of(BookingStatus),
    _day("from", "Only what takes something of this date or later ones."),
    _day("to", "Only what takes something of dates before this one."),
    _text("confirmation_number", "Only the booking with this number."),
    *_PAGED,
)
_PAYMENT_FILTERS = (
    _text("booking_id", "Only of this booking."),
    _one_of(PaymentStatus),
    _day("from", "Only those opened on this date (UTC) or later."),
    _day("to", "Only those opened before this date (UTC)."),
    *_PAGED,
)
OPERATIONS = (
    Operation(
        "GET",
        "/api/reservations",
        list_bookings,
        "Bookings of every kind, the newest first",
        "reservations",
        {200: BookingsListed},
        parameters=_BOOKING_FILTERS,
        problems=(422, 503),
    ),
    Operation(
        "GET",
        "/api/payments",
        list_payments,
        "Payments, the newest first",
        "payments",
        {200: PaymentsListed},
        parameters=_PAYMENT_FILTERS,
        problems=(422, 503),
    ),
)
