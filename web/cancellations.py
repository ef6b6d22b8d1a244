"""Cancelling a booking of any kind: what it would cost now, and doing it.

A caller who sends the fee it was quoted is not charged another one: the booking's own decision compares them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from aiohttp import web

from domain.booking_state import Booking, BookingStatus
from domain.cancellation import Quote, quote_cancellation, term_of
from domain.policy import Term
from streams.events.booking import CancelBooking
from streams.events.policy import Fee
from web.answers import Money
from web.bodies import check, read_json
from web.context import SOURCE, Context, context_of, correlation_of, principal_of
from web.models import CancelRequest
from web.money import fits
from web.operations import Operation
from web.policy_models import FeeOut, fee_out
from web.problems import FieldError, Problem, invalid
from web.reading import answer, known
from web.requests import id_in_path
from web.shapes import Answer, as_json

_OPEN = (BookingStatus.PENDING, BookingStatus.CONFIRMED)


class CancellationQuote(Answer):
    """What cancelling would cost now, and until when."""

    fee: Money
    refund: Money
    #: The first instant at which it costs something else; None if that never changes.
    valid_until: datetime | None = None
    #: What the fee is by the booking's policy.
    rule: FeeOut
    #: Why, in words.
    reason: str
    non_refundable: bool


async def get_cancellation(request: web.Request) -> web.Response:
    context = context_of(request)
    row = known(await context.rows.booking(id_in_path(request, "booking_id", "booking")), "stay", "booking")
    if row.status not in _OPEN:
        raise _not_cancellable(row)
    return as_json(quote_out(row, context.clock()))


async def cancel_booking(request: web.Request) -> web.Response:
    return await answer(context_of(request), await cancelled(request))


async def cancelled(request: web.Request, *kinds: str) -> Booking:
    """Cancels, and returns once the row says so. Asked again, it says the same. Raises Problem 404 and 409."""
    booking_id = id_in_path(request, "booking_id", "booking")
    asked = check(CancelRequest, await read_json(request) if request.can_read_body else {})
    context = context_of(request)
    row = known(await context.rows.booking(booking_id), *kinds)
    if row.status in _OPEN:
        row = await _asked_to_cancel(request, context, row, asked)
        if row.status in _OPEN:  # asked for, and still there: only another fee keeps it
            raise _fee_changed(row, context)
    if row.status is not BookingStatus.CANCELLED:
        raise _not_cancellable(row)
    return row


async def _asked_to_cancel(request: web.Request, context: Context, row: Booking, asked: CancelRequest) -> Booking:
    event = CancelBooking(
        booking_id=row.booking_id,
        reason=asked.reason,
        cancelled_by=principal_of(request).name,
        expected_fee=_expected(asked, row.price_currency),
    )
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    return await context.rows.booking(row.booking_id, after=appended.offset) or row


def _expected(asked: CancelRequest, currency: str) -> Decimal | None:
    if asked.expected_fee is None:
        return None
    try:
        return fits(asked.expected_fee, currency)
    except ValueError as error:
        raise invalid("expected_fee", str(error)) from None


def quote_out(row: Booking, now: datetime) -> CancellationQuote:
    """What cancelling a booking that is pending or confirmed would mean at `now`."""
    quote, term = quote_cancellation(row, now), _term(row, now)
    return CancellationQuote(
        fee=Money.of(quote.fee, row.price_currency),
        refund=Money.of(quote.refund, row.price_currency),
        valid_until=term.until if term is not None else None,
        rule=fee_out(term.rule if term is not None else Fee(percent=0), row.price_currency),
        reason=_words(row, quote, term),
        non_refundable=row.policy is not None and row.policy.non_refundable,
    )


def _term(row: Booking, now: datetime) -> Term | None:
    """The tier that a fee is owed by: none before a confirmation, or where nothing is paid."""
    return term_of(row, now) if row.status is BookingStatus.CONFIRMED and row.to_pay else None


def _words(row: Booking, quote: Quote, term: Term | None) -> str:
    if term is None:
        return "It is not confirmed yet." if row.status is BookingStatus.PENDING else "Nothing is paid here."
    until = f"Until {term.until.isoformat().replace('+00:00', 'Z')}" if term.until is not None else "From now on"
    if row.policy is not None and row.policy.non_refundable:
        return "It was booked as non-refundable: the whole price is kept."
    if not quote.fee:
        return f"{until} cancelling is free."
    return f"{until} cancelling costs {_share(term.rule, row.price_currency)}."


def _share(rule: Fee, currency: str) -> str:
    match rule:
        case Fee(percent=100):
            return "the whole price"
        case Fee(percent=int(percent)):
            return f"{percent} % of the price"
        case Fee(nights=int(nights)):
            return f"the price of {nights} {'night' if nights == 1 else 'nights'}, at most all of it"
        case _:
            return f"{fee_out(rule, currency).amount} {currency}, at most the price"


def _not_cancellable(row: Booking) -> Problem:
    detail = f"The booking is {row.status}."
    return Problem(409, "not-cancellable", "Cannot be cancelled", detail, more={"booking_status": row.status})


def _fee_changed(row: Booking, context: Context) -> Problem:
    quote = quote_out(row, context.clock())
    return Problem(
        409,
        "fee-changed",
        "Cancelling costs something else by now",
        f"The fee is {quote.fee.amount} {quote.fee.currency}. {quote.reason} Nothing was cancelled.",
        [FieldError("expected_fee", "is not the fee; ask again with the one of this quote")],
        more={"quote": quote.model_dump(mode="json")},
    )


def quote_operation(collection: str) -> Operation:
    return Operation(
        "GET",
        f"/api/{collection}/{{booking_id}}/cancellation",
        get_cancellation,
        "What cancelling would cost now, and until when",
        collection,
        {200: CancellationQuote},
        problems=(404, 409, 503),
    )
