"""Bookings in the catalogue's own words: any resource, any period."""

from __future__ import annotations

from aiohttp import web

from streams.events.about import Location
from web.answers import BookingOut, Opened, Timeline
from web.bodies import check, read_json
from web.checks import check_expected, check_period, check_quantity, price_of, resource_of
from web.context import Context
from web.models import BookingRequest, CancelRequest
from web.opening import Draft, open_booking
from web.operations import IDEMPOTENCY_KEY, WAIT, Operation
from web.reading import cancel_booking, get_booking, get_timeline


async def request_booking(request: web.Request) -> web.Response:
    body = await read_json(request)
    asked = check(BookingRequest, body)
    return await open_booking(request, body, lambda context: _draft(asked, context))


def _draft(asked: BookingRequest, context: Context) -> Draft:
    resource = resource_of(context, ("provider_id", asked.provider_id), ("product_id", asked.product_id))
    check_quantity(asked.quantity, context)
    check_period(resource, asked.start_time, asked.end_time, context)
    price = price_of(resource, asked.start_time, asked.end_time, asked.quantity)
    check_expected(price, resource.price_currency, asked.price_amount, asked.price_currency)
    return Draft(
        kind="booking",
        provider_id=asked.provider_id,
        product_id=asked.product_id,
        start=asked.start_time,
        end=asked.end_time,
        quantity=asked.quantity,
        price=price,
        currency=resource.price_currency,
        user_id=asked.user_id,
        guest=None,
        token=asked.payment_method.token,
        location=Location(**asked.location.model_dump()) if asked.location else None,
        metadata=asked.metadata,
    )


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
        parameters=(WAIT,),
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
)
