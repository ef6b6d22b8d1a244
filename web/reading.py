"""A booking as the API shows it, and the endpoints that every kind of booking shares."""

from __future__ import annotations

import json
from datetime import date

import msgspec
from aiohttp import web

from domain.booking_state import Booking, BookingStatus
from domain.calendar import stay_of
from streams.events.booking import CancelBooking
from web.answers import BookingOut, CancellationOut, GuestOut, LocationOut, Money, Timeline, TimelineEntry
from web.bodies import check, read_json
from web.context import SOURCE, Context, context_of, correlation_of, principal_of
from web.models import CancelRequest
from web.opening import links_of
from web.problems import Problem, not_found
from web.requests import id_in_path, wait_of


async def get_booking(request: web.Request) -> web.Response:
    booking_id = id_in_path(request, "booking_id", "booking")
    context, wait = context_of(request), wait_of(request)
    row = await (context.rows.settled_booking(booking_id, wait) if wait else context.rows.booking(booking_id))
    if row is None:
        raise not_found("booking")
    return await answer(context, row)


async def get_timeline(request: web.Request) -> web.Response:
    booking_id = id_in_path(request, "booking_id", "booking")
    entries = await context_of(request).rows.timeline(booking_id)
    if entries is None:
        raise not_found("booking")
    events = [TimelineEntry.model_validate(msgspec.structs.asdict(entry)) for entry in entries]
    body = Timeline(booking_id=booking_id, events=events)
    return web.Response(text=body.model_dump_json(), content_type="application/json")


async def cancel_booking(request: web.Request) -> web.Response:
    """Cancels, and answers once the row says so. Asked again, it answers the same."""
    booking_id = id_in_path(request, "booking_id", "booking")
    asked = check(CancelRequest, await read_json(request) if request.can_read_body else {})
    context = context_of(request)
    row = await context.rows.booking(booking_id)
    if row is None:
        raise not_found("booking")
    if row.status in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        event = CancelBooking(booking_id=booking_id, reason=asked.reason, cancelled_by=principal_of(request).name)
        appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
        row = await context.rows.booking(booking_id, after=appended.offset) or row
    if row.status is not BookingStatus.CANCELLED:
        raise Problem(
            409, "not-cancellable", "Cannot be cancelled", f"The booking is {row.status}.", more={"status": row.status}
        )
    return await answer(context, row)


async def answer(context: Context, row: Booking) -> web.Response:
    guest = await context.keyring.unseal(row.user_id, row.guest) if row.guest else None
    body = booking_out(row, GuestOut.model_validate(json.loads(guest)) if guest else None)
    return web.Response(text=body.model_dump_json(), content_type="application/json")


def booking_out(row: Booking, guest: GuestOut | None) -> BookingOut:
    stay = row.kind == "stay"
    check_in, check_out = _dates(row) if stay else (None, None)
    return BookingOut(
        booking_id=row.booking_id,
        confirmation_number=row.confirmation_number,
        kind=row.kind,
        status=row.status,
        reason=row.reason,
        provider_id=row.provider_id,
        product_id=row.product_id,
        property_id=row.provider_id if stay else None,
        unit_type=row.product_id if stay else None,
        check_in=check_in,
        check_out=check_out,
        start_time=None if stay else row.start,
        end_time=None if stay else row.end,
        quantity=row.quantity,
        price=Money.of(row.price_amount, row.price_currency),
        payment_id=row.payment_id,
        revision=row.revision,
        user_id=row.user_id,
        guest=guest,
        location=LocationOut.model_validate(msgspec.structs.asdict(row.location)) if row.location else None,
        metadata=row.metadata,
        created_at=row.created_at,
        deadline=row.deadline,
        cancellation=_cancellation(row),
        links=links_of(row),
    )


def _dates(row: Booking) -> tuple[date, date]:
    # The zone it was booked in: the resource's own may have been changed since.
    return stay_of(row.start, row.end, str(row.metadata.get("time_zone", "UTC")))


def _cancellation(row: Booking) -> CancellationOut | None:
    if row.cancellation_fee is None or row.cancellation_refund is None:
        return None
    return CancellationOut(
        fee=Money.of(row.cancellation_fee, row.price_currency),
        refund=Money.of(row.cancellation_refund, row.price_currency),
    )
