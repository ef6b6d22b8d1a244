"""The cancellation policy: what a guest gets back, and what stays as the fee. One policy so far, free until an instant.

The gateway quotes with it before a cancellation is taken, the booking decides with it when it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from domain.booking_state import Booking, BookingStatus

#: How long goods may be given back.
RETURNABLE = timedelta(days=14)


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
    paid = booking.price_amount - booking.balance
    if now < booking.free_until:
        return Quote(fee=nothing, refund=max(paid - booking.given_by_operators, nothing))
    return Quote(fee=paid, refund=nothing)
