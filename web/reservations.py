"""Stays: a unit type of a property, by the night."""

from __future__ import annotations

import json

from aiohttp import web

from domain.booking_state import Booking
from streams.events.about import Line
from streams.identity import user_id_of
from streams.phones import usable_phone
from web.answers import BookingOut, Opened, Timeline
from web.bodies import check, read_json
from web.cancellations import cancel_booking, quote_operation
from web.change_models import ReservationChange
from web.changes import (
    change_booking,
    changeable,
    changed,
    check_currency,
    check_time_zone,
    move_operations,
    nothing_to_change,
    one_line,
)
from web.checks import check_expected, check_quantity, resource_of, stay_bounds
from web.context import Context, context_of
from web.models import CancelRequest, ReservationRequest
from web.opening import Draft, open_booking
from web.operations import AT, IDEMPOTENCY_KEY, WAIT, Operation
from web.paying_more import payment_token
from web.reading import get_booking, get_timeline, rate_plan_of, stay_dates
from web.stay_prices import stay_line


async def request_reservation(request: web.Request) -> web.Response:
    body = await read_json(request)
    asked = check(ReservationRequest, body)
    return await open_booking(request, body, lambda context: _draft(asked, context))


def _draft(asked: ReservationRequest, context: Context) -> Draft:
    resource = resource_of(context, ("property_id", asked.property_id), ("unit_type", asked.unit_type))
    check_quantity(asked.quantity, context)
    start, end = stay_bounds(resource, asked.check_in, asked.check_out, context)
    line, expected = stay_line(context, resource, start, end, asked.quantity, asked.rate_plan), asked.expected_price
    if expected is not None:
        check_expected(line.price_amount, resource.price_currency, expected.amount, expected.currency, "expected_price")
    return Draft(
        kind="stay",
        lines=(line,),
        currency=resource.price_currency,
        user_id=asked.guest.user_id or user_id_of(asked.guest.email),
        guest=asked.guest.model_dump(exclude={"user_id"}, exclude_none=True),
        token=asked.payment_method.token,
        metadata={"time_zone": resource.time_zone},
        details={"rate_plan": asked.rate_plan} if asked.rate_plan is not None else {},
        time_zone=resource.time_zone,
        policy=resource.cancellation,
    )


async def change_reservation(request: web.Request) -> web.Response:
    asked = check(ReservationChange, await read_json(request))
    if not asked.model_dump(exclude_none=True):
        raise nothing_to_change(*ReservationChange.model_fields)
    row, context = await changeable(request, "stay"), context_of(request)
    lines, (guest, phone) = _other_lines(asked, row, context), await _other_guest(asked, row, context)
    token = await payment_token(context, row, lines, asked.payment_method)
    change = changed(context, row, lines, guest=guest, phone=phone, token=token)
    return await change_booking(request, context, row, change)


def _other_lines(asked: ReservationChange, row: Booking, context: Context) -> tuple[Line, ...] | None:
    """The nights as they shall be, at today's price under the booking's plan; None where they stay the same."""
    line, (first, last) = one_line(row), stay_dates(row)
    wanted = (
        asked.unit_type or line.product_id,
        asked.check_in or first,
        asked.check_out or last,
        asked.quantity or line.quantity,
    )
    if wanted == (line.product_id, first, last, line.quantity):
        return None
    unit_type, check_in, check_out, quantity = wanted
    resource = resource_of(context, ("property_id", line.provider_id), ("unit_type", unit_type))
    check_time_zone(row, resource.time_zone, "unit_type")
    check_currency(row, resource.price_currency, "unit_type")
    check_quantity(quantity, context)
    start, end = stay_bounds(resource, check_in, check_out, context)
    return (stay_line(context, resource, start, end, quantity, rate_plan_of(row), kept=True),)


async def _other_guest(asked: ReservationChange, row: Booking, context: Context) -> tuple[str | None, bool]:
    """The guest's details as they shall be, sealed, None where they stay the same; and whether they have a number that
    a text message can be sent to.
    """
    if asked.guest is None:
        return None, row.phone
    known = await context.keyring.unseal(row.user_id, row.guest) if row.guest else None
    before = json.loads(known) if known else {}
    after = before | asked.guest.model_dump(exclude_none=True)
    phone = usable_phone(after.get("phone")) is not None
    if after == before:
        return None, phone
    return await context.keyring.seal(row.user_id, json.dumps(after, ensure_ascii=False)), phone


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
        parameters=(WAIT, AT),
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
    Operation(
        "PATCH",
        "/api/reservations/{booking_id}",
        change_reservation,
        "Change a stay; what it costs more is paid, what it costs less goes back",
        "reservations",
        {200: BookingOut, 202: BookingOut},
        request=ReservationChange,
        problems=(404, 409, 503),
    ),
    quote_operation("reservations"),
    *move_operations("reservations"),
)
