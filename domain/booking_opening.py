"""How a booking begins: its row, what the world hears, and the questions to inventory and payment.

Both are asked at the same time; where the layout has the money taken first, inventory is asked once it is
(`domain.booking_outcomes.hold_lines`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from domain.booking_deposits import deposit_in
from domain.booking_outcomes import hold_lines, refuse_opening
from domain.booking_parts import NOTHING
from domain.booking_payments import authorize
from domain.booking_state import Booking, payment_id_of
from domain.decision import Decision
from streams.events import Event
from streams.events.booking import RequestBooking
from streams.events.booking_news import BookingCreated


def open_booking(request: RequestBooking, now: datetime) -> Decision[Booking | None]:
    """PENDING, with one Hold per line, and an Authorize unless nothing is to be paid; REJECTED if it was refused at
    entry already.
    """
    booking = _opened(request, now)
    created = () if request.announced else (_created(booking, request),)
    if request.refusal is not None:
        refused = refuse_opening(booking, request.refusal, now)
        return Decision(refused.state, (*created, *refused.events))
    return Decision(booking, (*created, *_questions(booking, request)))


def _questions(booking: Booking, request: RequestBooking) -> Iterator[Event]:
    if not booking.pays_first:
        yield from hold_lines(booking)
    if booking.to_pay:
        yield authorize(booking, booking.payment_id, 1, booking.price_amount - booking.rest, request.payment_token)


def _opened(request: RequestBooking, now: datetime) -> Booking:
    deposit = deposit_in(request)
    return Booking(
        booking_id=request.booking_id,
        kind=request.kind,
        fingerprint=request.fingerprint,
        confirmation_number=request.confirmation_number,
        user_id=request.user_id,
        guest=request.guest,
        phone=request.phone,
        lines=request.lines,
        price_amount=request.price_amount,
        price_currency=request.price_currency,
        deadline=request.deadline,
        free_until=request.free_until,
        policy=request.policy,
        rules=request.rules,
        location=request.location,
        metadata=request.metadata,
        confirm_on=request.confirm_on,
        prepaid=request.prepaid,
        time_zone=request.time_zone,
        details=request.details,
        times=request.times,
        deposit=deposit,
        rest=NOTHING if deposit is None else request.price_amount - deposit,
        payment_token=request.payment_token or None,
        payment_id=payment_id_of(request.booking_id, 1),
        authorized=request.price_amount == 0 or not request.prepaid,
        created_at=now,
        updated_at=now,
    )


def _created(booking: Booking, request: RequestBooking) -> BookingCreated:
    """CAT-16. The document knows one line: of several, the first one's product and the whole's time and quantity."""
    return BookingCreated(
        booking_id=booking.booking_id,
        user_id=booking.user_id,
        product_id=booking.product_id,
        about=booking.about(),
        provider_id=booking.provider_id,
        start_time=booking.start,
        end_time=booking.end,
        quantity=booking.quantity,
        price_amount=booking.price_amount,
        price_currency=booking.price_currency,
        location=request.location,
        metadata={**request.metadata, "confirmation_number": booking.confirmation_number, "kind": booking.kind},
    )
