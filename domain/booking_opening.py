"""How a booking begins: its row, what the world hears, and the questions to inventory and payment, at the same time."""

from __future__ import annotations

from datetime import datetime

from domain.booking_state import BookedLine, Booking, Place, payment_id_of
from domain.decision import Decision
from streams.events import Event
from streams.events.availability import Hold
from streams.events.booking import RequestBooking
from streams.events.booking_news import BookingCreated
from streams.events.payment import Authorize


def open_booking(request: RequestBooking, now: datetime) -> Decision[Booking | None]:
    """PENDING, with one Hold per line, and an Authorize unless nothing is to be paid."""
    booking = _opened(request, now)
    events: list[Event] = [_created(booking, request), *(_hold(booking, line) for line in booking.lines)]
    if booking.to_pay:
        events.append(_authorize(booking, request))
    return Decision(booking, tuple(events))


def _opened(request: RequestBooking, now: datetime) -> Booking:
    return Booking(
        booking_id=request.booking_id,
        kind=request.kind,
        fingerprint=request.fingerprint,
        confirmation_number=request.confirmation_number,
        user_id=request.user_id,
        guest=request.guest,
        lines=tuple(BookedLine(**dict(line)) for line in request.lines),
        price_amount=request.price_amount,
        price_currency=request.price_currency,
        deadline=request.deadline,
        free_until=request.free_until,
        location=Place(**dict(request.location)) if request.location else None,
        metadata=request.metadata,
        payment_id=payment_id_of(request.booking_id, 1),
        authorized=request.price_amount == 0,
        created_at=now,
        updated_at=now,
    )


def _created(booking: Booking, request: RequestBooking) -> BookingCreated:
    """CAT-16. The document knows one line: of several, the first one's product and the whole's time and quantity."""
    return BookingCreated(
        booking_id=booking.booking_id,
        user_id=booking.user_id,
        product_id=booking.product_id,
        provider_id=booking.provider_id,
        start_time=booking.start,
        end_time=booking.end,
        quantity=booking.quantity,
        price_amount=booking.price_amount,
        price_currency=booking.price_currency,
        location=request.location,
        metadata={**request.metadata, "confirmation_number": booking.confirmation_number, "kind": booking.kind},
    )


def _hold(booking: Booking, line: BookedLine) -> Hold:
    return Hold(
        provider_id=line.provider_id,
        product_id=line.product_id,
        booking_id=booking.booking_id,
        revision=booking.revision,
        line=line.line,
        start=line.start,
        end=line.end,
        quantity=line.quantity,
    )


def _authorize(booking: Booking, request: RequestBooking) -> Authorize:
    return Authorize(
        payment_id=booking.payment_id,
        booking_id=booking.booking_id,
        revision=booking.revision,
        user_id=booking.user_id,
        amount=booking.price_amount,
        currency=booking.price_currency,
        payment_token=request.payment_token,
    )
