"""Bookings in the catalogue's own words: any resource, any period."""

from __future__ import annotations

from aiohttp import web

from domain.booking_state import Booking
from streams.events.about import Line, Location
from web.answers import BookingOut, Opened, Timeline
from web.bodies import check, read_json
from web.cancellations import cancel_booking, quote_operation
from web.change_models import BookingChange
from web.changes import (
    change_booking,
    changeable,
    changed,
    check_currency,
    move_operations,
    nothing_to_change,
    one_line,
)
from web.checks import check_expected, check_period, check_quantity, line_of, resource_of
from web.context import Context, context_of
from web.models import BookingRequest, CancelRequest
from web.opening import Draft, open_booking
from web.operations import AT, IDEMPOTENCY_KEY, WAIT, Operation
from web.paying_more import payment_token
from web.reading import get_booking, get_timeline


async def request_booking(request: web.Request) -> web.Response:
    body = await read_json(request)
    asked = check(BookingRequest, body)
    return await open_booking(request, body, lambda context: _draft(asked, context))


def _draft(asked: BookingRequest, context: Context) -> Draft:
    resource = resource_of(context, ("provider_id", asked.provider_id), ("product_id", asked.product_id))
    check_quantity(asked.quantity, context)
    check_period(resource, asked.start_time, asked.end_time, context)
    line = line_of(resource, asked.start_time, asked.end_time, asked.quantity)
    check_expected(line.price_amount, resource.price_currency, asked.price_amount, asked.price_currency)
    return Draft(
        kind="booking",
        lines=(line,),
        currency=resource.price_currency,
        user_id=asked.user_id,
        guest=None,
        token=asked.payment_method.token,
        location=Location(**asked.location.model_dump()) if asked.location else None,
        metadata=asked.metadata,
        time_zone=resource.time_zone,
        policy=resource.cancellation,
    )


async def change_period(request: web.Request) -> web.Response:
    asked = check(BookingChange, await read_json(request))
    if not asked.model_dump(exclude_none=True):
        raise nothing_to_change(*BookingChange.model_fields)
    row, context = await changeable(request, "booking"), context_of(request)
    lines = _other_lines(asked, row, context)
    token = await payment_token(context, row, lines, asked.payment_method)
    return await change_booking(request, context, row, changed(context, row, lines, token=token))


def _other_lines(asked: BookingChange, row: Booking, context: Context) -> tuple[Line, ...] | None:
    """The period as it shall be, at today's price; None where it stays the same."""
    line = one_line(row)
    start, end = asked.start_time or line.start, asked.end_time or line.end
    quantity = asked.quantity or line.quantity
    if (start, end, quantity) == (line.start, line.end, line.quantity):
        return None
    resource = resource_of(context, ("provider_id", line.provider_id), ("product_id", line.product_id))
    check_currency(row, resource.price_currency, "product_id")
    check_quantity(quantity, context)
    check_period(resource, start, end, context)
    return (line_of(resource, start, end, quantity),)


OPERATIONS = (
    Operation(
        "POST",
        "/api/bookings",
        request_booking,
        "Book any resource, at the price the client expects",
        "bookings",
        {201: Opened},
        request=BookingRequest,
        parameters=(IDEMPOTENCY_KEY,),
        problems=(409, 503),
    ),
    Operation(
        "GET",
        "/api/bookings/{booking_id}",
        get_booking,
        "A booking as it stands",
        "bookings",
        {200: BookingOut},
        parameters=(WAIT, AT),
        problems=(404, 422, 503),
    ),
    Operation(
        "GET",
        "/api/bookings/{booking_id}/timeline",
        get_timeline,
        "What happened to a booking, in order",
        "bookings",
        {200: Timeline},
        problems=(404, 503),
    ),
    Operation(
        "POST",
        "/api/bookings/{booking_id}/cancel",
        cancel_booking,
        "Cancel a booking",
        "bookings",
        {200: BookingOut},
        request=CancelRequest,
        request_required=False,
        problems=(404, 409, 503),
    ),
    Operation(
        "PATCH",
        "/api/bookings/{booking_id}",
        change_period,
        "Change a booking; what it costs more is paid, what it costs less goes back",
        "bookings",
        {200: BookingOut, 202: BookingOut},
        request=BookingChange,
        problems=(404, 409, 503),
    ),
    quote_operation("bookings"),
    *move_operations("bookings"),
)
