"""What a change that costs more is paid with: a token that comes with it, or the one the booking was paid with."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from domain.booking_state import Booking
from streams.events.about import Line
from web.context import Context
from web.models import PaymentMethodIn
from web.problems import invalid


async def payment_token(
    context: Context, row: Booking, lines: Sequence[Line] | None, given: PaymentMethodIn | None
) -> str | None:
    """The sealed token that pays the difference; None where these lines cost no more, or are paid at the desk. What a
    booking with a deposit costs more is paid at check-in, and needs none; one that came is what pays then.

    Raises Problem 422 where none came and the one before cannot be read any more.
    """
    price = sum((line.price_amount for line in lines or ()), Decimal(0))
    if not row.prepaid or price <= row.price_amount:
        return None
    if given is not None:
        return await context.keyring.seal(row.user_id, given.token)
    if row.deposit is not None:
        return None
    kept = row.payment_token
    if kept is None or await context.keyring.unseal(row.user_id, kept) is None:
        raise invalid("payment_method", "is needed: it costs more, and what it was paid with is not known any more")
    return kept
