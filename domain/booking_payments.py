"""What a booking asks of its payments: the first, those of changes that cost more, and what a deposit left."""

from __future__ import annotations

from decimal import Decimal

from domain.booking_state import Booking
from streams.events.payment import Authorize


def authorize(booking: Booking, payment_id: str, revision: int, amount: Decimal, token: str) -> Authorize:
    """Asks to block `amount` under one payment; `token` is sealed."""
    return Authorize(
        payment_id=payment_id,
        booking_id=booking.booking_id,
        revision=revision,
        user_id=booking.user_id,
        amount=amount,
        currency=booking.price_currency,
        payment_token=token,
        about=booking.about(),
    )
