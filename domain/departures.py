"""How a stay ends: guests who leave, on the last day or before it, and guests who never came.

Who leaves early gives the nights from that day on back to inventory, but always pays for one; what of their price goes
back to the guest is said by the policy of the booking, and nothing is without one.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from domain.booking_outcomes import give_back_nights, news, updated
from domain.booking_parts import NOTHING
from domain.booking_refunds import noted, refund
from domain.booking_state import Booking, BookingStatus
from domain.booking_supplements import owing_less
from domain.calendar import Unbookable, night_bounds, stay_of, zone
from domain.cancellation import quote_no_show
from domain.decision import Decision
from domain.pricing import share
from streams.events.booking_news import BookingCompleted, BookingNoShow


def leave(booking: Booking, now: datetime) -> Decision[Booking | None]:
    """Checked out. Before the last day, the stay is shortened to the nights that were stayed."""
    left = msgspec.structs.replace(booking, status=BookingStatus.COMPLETED, updated_at=now)
    first = _first_given_up(booking, now)
    if first is None:
        return Decision(left, (BookingCompleted(**news(left), completed_at=now),))
    shorter = _shortened(left, first)
    shorter, back = owing_less(shorter, booking.price_amount - shorter.price_amount)
    orders = tuple(refund(shorter, back, f"change {shorter.revision}", "early_departure"))
    events = (
        updated(shorter, now),
        BookingCompleted(**news(shorter), completed_at=now),
        *give_back_nights(shorter, first),
        *orders,
    )
    return Decision(noted(shorter, orders), events)


def never_came(booking: Booking, now: datetime) -> Decision[Booking | None]:
    """Nobody came: the nights stay taken, and the policy's last tier says what is kept of what was paid; without one
    everything is. What a deposit left of the price is not charged.
    """
    missing = msgspec.structs.replace(booking, status=BookingStatus.NO_SHOW, rest=NOTHING, updated_at=now)
    if booking.policy is None and booking.deposit is None:
        return Decision(missing, (BookingNoShow(**news(missing), marked_at=now),))
    quote = quote_no_show(booking)
    missing = msgspec.structs.replace(missing, cancellation_fee=quote.fee, cancellation_refund=quote.refund)
    told = BookingNoShow(
        **news(missing), marked_at=now, refund_amount=quote.refund, refund_currency=booking.price_currency
    )
    orders = tuple(refund(missing, quote.refund, "no-show", "no_show"))
    return Decision(noted(missing, orders), (told, *orders))


def _first_given_up(booking: Booking, now: datetime) -> date | None:
    """The first night that who leaves at `now` does not stay; None if there is none. Only stays are by the night."""
    if booking.kind != "stay" or len(booking.lines) != 1 or booking.rules < 2:
        return None
    try:
        first, last = stay_of(booking.start, booking.end, booking.time_zone)
        given_up = max(now.astimezone(zone(booking.time_zone)).date(), first + timedelta(days=1))
    except Unbookable:
        return None
    return given_up if given_up < last else None


def _shortened(booking: Booking, first: date) -> Booking:
    """The stay without its nights from `first` on, at its price less what goes back of them."""
    begins, last = stay_of(booking.start, booking.end, booking.time_zone)
    price = booking.price_amount - _back(booking, (last - first).days, (last - begins).days)
    end, _ = night_bounds(first, last, booking.time_zone)
    return msgspec.structs.replace(
        booking,
        revision=booking.next_revision,
        lines=(msgspec.structs.replace(booking.lines[0], end=end, price_amount=price),),
        price_amount=price,
    )


def _back(booking: Booking, nights: int, of: int) -> Decimal:
    """What goes back of the price of so many nights: never more than what is left of it."""
    nothing = booking.price_amount * 0
    if booking.policy is None or not booking.to_pay:
        return nothing
    part, whole = nights * booking.policy.early_departure_refund, of * 100
    back = share(booking.price_amount, part, whole, booking.price_currency)
    return max(min(back, booking.price_amount - booking.given_by_operators), nothing)
