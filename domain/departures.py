"""Guests who never came: what is kept of their booking, and what they get back."""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.booking_outcomes import news, refund
from domain.booking_state import Booking, BookingStatus
from domain.cancellation import quote_no_show
from domain.decision import Decision
from streams.events.booking_news import BookingNoShow


def never_came(booking: Booking, now: datetime) -> Decision[Booking | None]:
    """Nobody came: the nights stay taken, and the policy's last tier says what is kept."""
    quote = quote_no_show(booking)
    missing = msgspec.structs.replace(
        booking,
        status=BookingStatus.NO_SHOW,
        cancellation_fee=quote.fee,
        cancellation_refund=quote.refund,
        updated_at=now,
    )
    told = BookingNoShow(
        **news(missing), marked_at=now, refund_amount=quote.refund, refund_currency=booking.price_currency
    )
    return Decision(missing, (told, *refund(missing, quote.refund, "no-show", "no_show")))
