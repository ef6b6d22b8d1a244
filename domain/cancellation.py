"""What a guest who cancels gets back, and what stays as the fee: by the booking's own policy (`domain.policy`), or else
free until an instant and nothing back from then on.

The gateway quotes with it before a cancellation is taken, the booking decides with it when it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from domain.booking_state import Booking, BookingStatus
from domain.calendar import Unbookable, stay_of
from domain.policy import Sold, Term, final_term, term_at
from streams.events.policy import Before, CancellationPolicy

#: How long goods may be given back.
RETURNABLE = timedelta(days=14)
#: Of a booking without a policy of its own.
UNTIL_IT_BEGINS = CancellationPolicy(free_until=Before(hours=0))


@dataclass(frozen=True, slots=True)
class Quote:
    """What cancelling costs and gives back, in the booking's currency."""

    fee: Decimal
    refund: Decimal


def quote_cancellation(booking: Booking, now: datetime) -> Quote:
    """What a cancellation taken at `now` would mean. Nothing is kept of a booking that was not CONFIRMED; nothing is
    owed either way once it has ended. What an operator gave back already is not given back again.
    """
    nothing = booking.price_amount * 0  # in the currency's digits
    if booking.status is BookingStatus.PENDING:
        # What was taken first goes back; there is nothing of it where the money comes after the confirmation.
        return Quote(fee=nothing, refund=max(booking.captured - booking.refunded, nothing))
    if booking.status is not BookingStatus.CONFIRMED or not booking.to_pay:
        return Quote(fee=nothing, refund=nothing)
    return _quote(booking, term_of(booking, now).fee)


def quote_no_show(booking: Booking) -> Quote:
    """What is kept of a confirmed booking whose guest never came: what its policy says in the end."""
    nothing = booking.price_amount * 0
    if not booking.to_pay:
        return Quote(fee=nothing, refund=nothing)
    return _quote(booking, final_term(_policy(booking), sold(booking)).fee)


def term_of(booking: Booking, now: datetime) -> Term:
    """The tier of the booking's policy that holds at `now`."""
    return term_at(_policy(booking), sold(booking), now)


def sold(booking: Booking) -> Sold:
    """A booking as its policy sees it. Its arrival is the earliest it ever had."""
    return Sold(booking.free_until, booking.time_zone, booking.price_amount, booking.price_currency, nights_of(booking))


def nights_of(booking: Booking) -> int:
    """How many local dates it spans, at least one."""
    try:
        first, last = stay_of(booking.start, booking.end, booking.time_zone)
    except Unbookable:
        return 1
    return (last - first).days


def _policy(booking: Booking) -> CancellationPolicy:
    return booking.policy if booking.policy is not None else UNTIL_IT_BEGINS


def _quote(booking: Booking, fee: Decimal) -> Quote:
    """The fee, as far as it was paid, and the rest of what was."""
    paid = booking.price_amount - booking.balance
    kept = min(fee, paid)
    return Quote(fee=kept, refund=max(paid - booking.given_by_operators - kept, booking.price_amount * 0))
