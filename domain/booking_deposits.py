"""Bookings that were made with a deposit: what of the price rests until check-in, and how it is charged then.

The guest stands at the desk: the check-in is taken at once, and the balance is authorized and captured behind it, with
the payment method the booking was made with. Whatever becomes of that, the guest is in the house; what cannot be had
stays the booking's `balance`.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from domain.booking_parts import NOTHING, Change, Supplement
from domain.booking_payments import authorize
from domain.booking_state import Booking, balance_payment_of
from streams.events import Event
from streams.events.booking import ChangeBooking, PaymentAuthorized, PaymentDeclined, RequestBooking
from streams.events.payment import Authorize, Capture


def deposit_in(request: RequestBooking) -> Decimal | None:
    """What is to be paid at booking, at most the price; None where that is all of it, or nothing is paid here."""
    asked = request.deposit_amount
    if asked is None or asked <= 0 or request.price_amount <= 0 or not request.prepaid:
        return None
    return min(asked, request.price_amount)


def costs_more_of_another(booking: Booking, asked: ChangeBooking) -> bool:
    """Whether another program asks for a change that costs more: it cannot charge a guest of ours, later either."""
    dearer = asked.price_amount is not None and asked.price_amount > booking.price_amount
    return dearer and booking.deposit is not None and asked.message_id is not None


def resting(booking: Booking, change: Change) -> Booking:
    """A change is taken: what it costs more is paid at check-in, with what came with it if anything did."""
    more = max(change.price_amount - booking.price_amount, NOTHING)
    return msgspec.structs.replace(
        booking, rest=booking.rest + more, payment_token=change.payment_token or booking.payment_token
    )


def resting_less(booking: Booking, less: Decimal) -> tuple[Booking, Decimal]:
    """A lower price: taken off what was not asked for yet; and what is left of the difference."""
    off = min(booking.rest, less)
    return (msgspec.structs.replace(booking, rest=booking.rest - off), less - off) if off > 0 else (booking, less)


def charge_balance(booking: Booking) -> tuple[Booking, tuple[Authorize, ...]]:
    """The guest is here: the rest is a payment of its own now. With nothing to pay it by, it stays as it is."""
    if booking.rest <= 0 or booking.payment_token is None:
        return booking, ()
    balance = Supplement(
        payment_id=balance_payment_of(booking.booking_id),
        revision=booking.revision,
        amount=booking.rest,
        owed=booking.rest,
        balance=True,
    )
    asked = authorize(booking, balance.payment_id, balance.revision, balance.amount, booking.payment_token)
    return msgspec.structs.replace(booking, rest=NOTHING, supplements=(*booking.supplements, balance)), (asked,)


def answer_balance(
    booking: Booking, balance: Supplement, message: PaymentAuthorized | PaymentDeclined
) -> tuple[Supplement, tuple[Event, ...]]:
    """The first answer counts: captured if it is authorized, owed as it was if it is declined."""
    if not balance.balance or balance.authorized or balance.captured or balance.error is not None:
        return balance, ()
    if isinstance(message, PaymentDeclined):
        return msgspec.structs.replace(balance, error=message.reason), ()
    order = Capture(payment_id=balance.payment_id, booking_id=booking.booking_id, revision=balance.revision)
    return msgspec.structs.replace(balance, authorized=True), (order,)
