"""Stays: a unit type of a property, by the night."""

from __future__ import annotations

from aiohttp import web

from web.answers import BookingOut, Opened, Timeline
from web.bodies import check, read_json
from web.checks import check_quantity, price_of, resource_of, stay_bounds
from web.context import Context
from web.models import CancelRequest, ReservationRequest
from web.opening import Draft, open_booking, user_id_of
from web.operations import IDEMPOTENCY_KEY, WAIT, Operation
from web.reading import cancel_booking, get_booking, get_timeline


async def request_reservation(request: web.Request) -> web.Response:
    body = await read_json(request)
    asked = check(ReservationRequest, body)
    return await open_booking(request, body, lambda context: _draft(asked, context))


def _draft(asked: ReservationRequest, context: Context) -> Draft:
    resource = resource_of(context, ("property_id", asked.property_id), ("unit_type", asked.unit_type))
    check_quantity(asked.quantity, context)
    start, end = stay_bounds(resource, asked.check_in, asked.check_out, context)
    return Draft(
        kind="stay",
        provider_id=asked.property_id,
        product_id=asked.unit_type,
        start=start,
        end=end,
        quantity=asked.quantity,
        price=price_of(resource, start, end, asked.quantity),
        currency=resource.price_currency,
        user_id=asked.guest.user_id or user_id_of(asked.guest.email),
        guest=asked.guest.model_dump(exclude={"user_id"}, exclude_none=True),
        token=asked.payment_method.token,
        metadata={"time_zone": resource.time_zone},
    )


OPERATIONS = (
    Operation(
        "POST",
        "/api/reservations",
        request_reservation,
        "Book a stay",
        "reservations",
        {201: Opened},
        request=ReservationRequest,
        parameters=(IDEMPOTENCY_KEY,),
        problems=(503,),
    ),
    Operation(
        "GET",
        "/api/reservations/{booking_id}",
        get_booking,
        "A stay as it stands",
        "reservations",
        {200: BookingOut},
        parameters=(WAIT,),
        problems=(404, 422, 503),
    ),
    Operation(
        "GET",
        "/api/reservations/{booking_id}/timeline",
        get_timeline,
        "What happened to a stay, in order",
        "reservations",
        {200: Timeline},
        problems=(404, 503),
    ),
    Operation(
        "POST",
        "/api/reservations/{booking_id}/cancel",
        cancel_booking,
        "Cancel a stay",
        "reservations",
        {200: BookingOut},
        request=CancelRequest,
        request_required=False,
        problems=(404, 409, 503),
    ),
)
