"""A booking as the API shows it, and the endpoints that every kind of booking shares."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import msgspec
from aiohttp import web

from domain.booking_parts import Closing
from domain.booking_state import Booking, BookingStatus
from domain.calendar import Unbookable, stay_of, zone
from domain.waitlist import Entry
from streams.services import BOOKING
from web.answers import (
    BookingOut,
    CancellationOut,
    ChangeOut,
    GuestOut,
    LocationOut,
    Money,
    RefusedChangeOut,
    Timeline,
    TimelineEntry,
)
from web.context import Context, context_of
from web.opening import links_of
from web.problems import invalid, not_found
from web.requests import at_of, id_in_path, wait_of
from web.shapes import as_json
from web.stay_answers import StayTimesOut

#: Of a booking that is cancelled, or whose guest never came, nothing more is collected.
OWING = (BookingStatus.CONFIRMED, BookingStatus.CHECKED_IN, BookingStatus.COMPLETED)
#: Answers with a booking: its own shape differs by kind.
Show = Callable[[Context, Booking, int], Awaitable[web.Response]]


async def get_booking(request: web.Request) -> web.Response:
    return await answer(context_of(request), await asked_for(request))


async def asked_for(request: web.Request, *kinds: str) -> Booking:
    """The booking of the path as `?wait` or `?at` asks for it; of these kinds, if any are named. Raises Problem 404."""
    booking_id = id_in_path(request, "booking_id", "booking")
    context, wait, at = context_of(request), wait_of(request), at_of(request)
    if wait and at:
        raise invalid("at", "cannot be waited for: send wait or at")
    if wait:
        row = await context.rows.settled_booking(booking_id, wait)
    else:
        row = await context.rows.booking(booking_id, at=at)
    return known(row, *kinds)


def known(row: Booking | None, *kinds: str) -> Booking:
    """The row, of these kinds if any are named. Raises Problem 404."""
    if row is None or (kinds and row.kind not in kinds):
        raise not_found("booking")
    return row


async def get_timeline(request: web.Request) -> web.Response:
    booking_id = id_in_path(request, "booking_id", "booking")
    entries = await context_of(request).rows.timeline(BOOKING.name, booking_id)
    if entries is None:
        raise not_found("booking")
    events = [TimelineEntry.model_validate(msgspec.structs.asdict(entry)) for entry in entries]
    body = Timeline(booking_id=booking_id, events=events)
    return as_json(body)


async def answer(context: Context, row: Booking, status: int = 200) -> web.Response:
    body = booking_out(row, await guest_of(context, row))
    return as_json(body, status)


#: What of a guest's personal data is shown.
_GUEST = tuple(GuestOut.model_fields)


async def guest_of(context: Context, row: Booking | Entry) -> GuestOut | None:
    """The guest in clear; None where there is none, or none any more."""
    guest = await context.keyring.unseal(row.user_id, row.guest) if row.guest else None
    # Another program's words are shown as far as they are texts.
    said = json.loads(guest) if guest else None
    return GuestOut(**{name: said[name] for name in _GUEST if isinstance(said.get(name), str)}) if said else None


def _balance(row: Booking) -> Money | None:
    """What is still to be collected; told of every booking with a deposit."""
    owing = row.balance and row.status in OWING
    return Money.of(row.balance, row.price_currency) if owing or row.deposit is not None else None


def booking_out(row: Booking, guest: GuestOut | None) -> BookingOut:
    stay = row.kind == "stay"
    check_in, check_out = stay_dates(row) if stay else (None, None)
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
        rate_plan=rate_plan_of(row),
        price=Money.of(row.price_amount, row.price_currency),
        payment_id=row.payment_id,
        payments=[row.payment_id, *(each.payment_id for each in row.supplements)],
        deposit=Money.of(row.deposit, row.price_currency) if row.deposit is not None else None,
        balance=_balance(row),
        revision=row.revision,
        user_id=row.user_id,
        guest=guest,
        location=LocationOut.model_validate(msgspec.structs.asdict(row.location)) if row.location else None,
        metadata=row.metadata,
        created_at=row.created_at,
        deadline=row.deadline,
        change=_change(row),
        refused_change=_refused_change(row),
        cancellation=cancellation_out(row),
        non_refundable=row.policy is not None and row.policy.non_refundable,
        times=StayTimesOut.model_validate(msgspec.structs.asdict(row.times)) if row.times else None,
        links=links_of(row),
    )


def rate_plan_of(row: Booking) -> str | None:
    """The plan a stay is priced under; None for the unit's base price."""
    found = row.details.get("rate_plan") if row.kind == "stay" else None
    return found if isinstance(found, str) else None


def stay_dates(row: Booking) -> tuple[date, date]:
    """A stay's local dates, in the zone it was booked in: the resource's own may have been changed since."""
    return stay_of(row.start, row.end, zone_of(row))


def zone_of(row: Booking) -> str:
    """The time zone a booking was made in."""
    # Rows of the first version have it in their metadata only, where another program may have put anything.
    named = row.metadata.get("time_zone") if row.time_zone == "UTC" else None
    try:
        return zone(str(named or row.time_zone)).key
    except Unbookable:
        return row.time_zone


def cancellation_out(row: Booking) -> CancellationOut | None:
    if row.cancellation_fee is None or row.cancellation_refund is None:
        return None
    return CancellationOut(
        fee=Money.of(row.cancellation_fee, row.price_currency),
        refund=Money.of(row.cancellation_refund, row.price_currency),
        **_parts(row.closing),
    )


def _parts(closing: Closing | None) -> dict[str, Any]:
    if closing is None:
        return {}
    waits = {"inventory": bool(closing.lines), "money": bool(closing.money), "figures": not closing.counted}
    parts = {name: "pending" if pending else "done" for name, pending in waits.items()}
    return {**parts, "completed_at": closing.completed_at}


def _change(row: Booking) -> ChangeOut | None:
    change = row.change
    if change is None:
        return None
    price = Money.of(change.price_amount, row.price_currency)
    return ChangeOut(revision=change.revision, price=price, deadline=change.deadline)


def _refused_change(row: Booking) -> RefusedChangeOut | None:
    refused = row.refused_change
    return RefusedChangeOut(revision=refused.revision, reason=refused.reason) if refused is not None else None
