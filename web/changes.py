"""What is done to a booking after it was confirmed: changes, check-in, check-out and no-show.

A change is appended with the revision it would make, and answered once the row has taken or refused it; one that
inventory or the payment provider have not answered in time is 202, with the booking as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from aiohttp import web

from domain.booking_parts import Change
from domain.booking_state import Booking, BookingStatus
from domain.stay_times import possible_from, stay_times
from streams.events.about import Line
from streams.events.booking import ChangeBooking, CheckIn, CheckOut, MarkNoShow
from web.answers import BookingOut
from web.checks import first_resource
from web.context import SOURCE, Context, context_of, correlation_of
from web.operations import Operation
from web.problems import RETRY, FieldError, Problem, invalid
from web.reading import Show, answer, known, zone_of
from web.requests import id_in_path


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a booking's life: what asks for it, where it starts, and where it ends."""

    word: str
    event: type[CheckIn] | type[CheckOut] | type[MarkNoShow]
    begins: BookingStatus
    ends: BookingStatus


CHECK_IN = Move("check-in", CheckIn, BookingStatus.CONFIRMED, BookingStatus.CHECKED_IN)
CHECK_OUT = Move("check-out", CheckOut, BookingStatus.CHECKED_IN, BookingStatus.COMPLETED)
NO_SHOW = Move("no-show", MarkNoShow, BookingStatus.CONFIRMED, BookingStatus.NO_SHOW)


async def changeable(request: web.Request, *kinds: str) -> Booking:
    """The confirmed booking of the path, of these kinds if any are named, once no earlier change of it is under way.

    Raises Problem 404, and 409 for any other status.
    """
    row = await _at_rest(request, *kinds)
    if row.status is not BookingStatus.CONFIRMED:
        raise _not_changeable(row)
    return row


def changed(
    context: Context,
    row: Booking,
    lines: tuple[Line, ...] | None,
    *,
    guest: str | None = None,
    phone: bool = False,
    token: str | None = None,
) -> ChangeBooking | None:
    """The change to these lines and this sealed guest; what is None stays. None if that leaves everything as it is.
    `phone` says whether this guest can be sent a text message; `token`, sealed, is what pays for lines that cost more.
    """
    if lines is not None and lines == row.lines:
        lines = None
    if lines is None and guest is None:
        return None
    price = sum((line.price_amount for line in lines), Decimal(0)) if lines is not None else None
    return ChangeBooking(
        booking_id=row.booking_id,
        revision=row.next_revision,
        lines=lines,
        price_amount=price,
        deadline=context.clock() + context.limits.deadline,
        free_until=min(line.start for line in lines) if lines is not None else None,
        guest=guest,
        phone=phone,
        user_id=row.user_id if guest is not None else None,
        times=stay_times(first_resource(context, lines), lines) if lines is not None else None,
        payment_token=token,
    )


async def change_booking(
    request: web.Request, context: Context, row: Booking, change: ChangeBooking | None, show: Show = answer
) -> web.Response:
    """Asks for the change, if there is any: 200 once the row has it, 202 if it is still under way after our patience.

    Raises Problem 409 where the row refuses it.
    """
    if change is None:
        return await show(context, row, 200)
    appended = await context.log.append(change, source=SOURCE, correlation_id=correlation_of(request))
    found = await context.rows.booking(row.booking_id, after=appended.offset) or row
    if _is(found.change, change):
        found = await context.rows.booking_at_rest(row.booking_id, context.limits.patience) or found
        if _is(found.change, change):
            return await show(context, found, 202)
    if _is(found, change):
        return await show(context, found, 200)
    raise _refusal(found, change)


async def move_booking(request: web.Request, move: Move, *kinds: str, show: Show = answer) -> web.Response:
    """Takes a booking one step on, and answers 200 once its row says so. Asked again, it answers the same.

    Raises Problem 404, and 409 where the step does not follow on the booking's status.
    """
    row, context = await _at_rest(request, *kinds), context_of(request)
    if row.status is move.begins:
        event = move.event(booking_id=row.booking_id)
        appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
        row = await context.rows.booking(row.booking_id, after=appended.offset) or row
    if row.status is move.ends:
        return await show(context, row, 200)
    if row.status is not move.begins:
        detail = f"A {move.word} needs a booking that is {move.begins}; this one is {row.status}."
        raise Problem(409, f"no-{move.word}", "Not in this status", detail, more={"booking_status": row.status})
    first = possible_from(row, move.event(booking_id=row.booking_id))
    if first is not None and context.clock() < first:
        raise _too_early(row, move, first)
    raise _not_yet(row)


async def check_in(request: web.Request) -> web.Response:
    return await move_booking(request, CHECK_IN, "stay", "booking")


async def check_out(request: web.Request) -> web.Response:
    return await move_booking(request, CHECK_OUT, "stay", "booking")


async def no_show(request: web.Request) -> web.Response:
    return await move_booking(request, NO_SHOW, "stay", "booking")


def move_operations(collection: str) -> tuple[Operation, ...]:
    """The steps of a collection's bookings."""
    steps = (
        ("check-in", check_in, "The guest has arrived"),
        ("check-out", check_out, "The guest has left"),
        ("no-show", no_show, "The guest did not come"),
    )
    return tuple(
        Operation(
            "POST",
            f"/api/{collection}/{{booking_id}}/{word}",
            handler,
            summary,
            collection,
            {200: BookingOut},
            problems=(404, 409, 503),
        )
        for word, handler, summary in steps
    )


async def _at_rest(request: web.Request, *kinds: str) -> Booking:
    context, booking_id = context_of(request), id_in_path(request, "booking_id", "booking")
    return known(await context.rows.booking_at_rest(booking_id, context.limits.patience), *kinds)


def _is(made: Booking | Change | None, asked: ChangeBooking) -> bool:
    """Whether a row or a change under way is what this change asks for, whoever asked for it."""
    if made is None or made.revision != asked.revision:
        return False
    wanted = (
        (asked.lines is None or made.lines == asked.lines),
        (asked.price_amount is None or made.price_amount == asked.price_amount),
        (asked.guest is None or made.guest == asked.guest),
        (asked.details is None or made.details == asked.details),
    )
    return all(wanted)


def _refusal(row: Booking, asked: ChangeBooking) -> Problem:
    refused = row.refused_change
    if row.status is not BookingStatus.CONFIRMED:
        return _not_changeable(row)
    if refused is None or refused.revision != asked.revision:
        reason, why = "changed_meanwhile", "Another change was faster; look at the booking and ask again."
    else:
        reason, why = refused.reason, f"Reason: {refused.reason}. The booking stays as it was."
    return Problem(409, "change-refused", "The change was refused", why, more={"reason": reason})


def _not_changeable(row: Booking) -> Problem:
    detail = f"Only a booking that is CONFIRMED can be changed; this one is {row.status}."
    return Problem(409, "not-changeable", "Cannot be changed", detail, more={"booking_status": row.status})


def _too_early(row: Booking, move: Move, first: datetime) -> Problem:
    local = first.astimezone(ZoneInfo(zone_of(row)))
    words = f"{local:%A}, {local.day} {local:%B %Y}, {local:%H:%M}"
    detail = f"A {move.word} of this stay is possible from {words} ({zone_of(row)}) on."
    more = {"booking_status": row.status, "possible_from": first.isoformat().replace("+00:00", "Z")}
    return Problem(409, "too-early", "Too early", detail, more=more)


def _not_yet(row: Booking) -> Problem:
    waits = "a change is under way" if row.change is not None else "its payment is not captured yet"
    more = {"booking_status": row.status}
    return Problem(409, "not-yet", "Not yet", f"Retry soon: {waits}.", headers=RETRY, more=more)


def nothing_to_change(*names: str) -> Problem:
    return invalid("body", f"has nothing to change; send one of {', '.join(names)}")


def one_line(row: Booking) -> Line:
    """The only line of a booking. Raises Problem 409 where there are several."""
    if len(row.lines) > 1:
        raise Problem(409, "not-changeable", "Cannot be changed", "It has several lines. Cancel it and book again.")
    return row.lines[0]


def check_currency(row: Booking, currency: str, field: str) -> None:
    """A booking keeps the currency it was made in. Raises Problem 409."""
    if currency != row.price_currency:
        raise _another(field, f"is priced in {currency}, the booking in {row.price_currency}")


def check_time_zone(row: Booking, time_zone: str, field: str) -> None:
    """A stay's dates are those of the zone it was booked in. Raises Problem 409."""
    if time_zone != zone_of(row):
        raise _another(field, f"is in {time_zone}, the booking in {zone_of(row)}")


def _another(field: str, why: str) -> Problem:
    detail = f"{field} {why}. Cancel the booking and book again."
    return Problem(409, "not-changeable", "Cannot be changed", detail, [FieldError(field, why)])
