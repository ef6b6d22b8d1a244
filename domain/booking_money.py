"""What a booking records of its payment once it has an outcome: what was captured, and what went back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.booking_refunds import refund, take_cut
from domain.booking_state import Booking, BookingStatus
from domain.booking_supplements import take_supplement
from domain.decision import Decision
from streams.events import Event
from streams.events.booking import (
    CaptureFailed,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RefundCut,
)


def take_money(booking: Booking, message: Event, now: datetime) -> Decision[Booking | None]:
    """The booking with what `message` says of its money; of several equal messages the first counts."""
    match message:
        case PaymentCaptured(payment_id=booking.payment_id) if not booking.captured:
            taken = msgspec.structs.replace(booking, captured=message.amount, updated_at=now)
            return Decision(taken, tuple(_give_back(taken)))
        case CaptureFailed(payment_id=booking.payment_id) if booking.capture_error is None:
            failed = msgspec.structs.replace(booking, capture_error=message.reason, updated_at=now)
            return Decision(failed, tuple(_give_back(failed)))
        case PaymentRefunded(payment_id=booking.payment_id) if message.refund_id not in booking.refunds:
            refunds = booking.refunds | {message.refund_id: message.amount}
            return Decision(msgspec.structs.replace(booking, refunds=refunds, updated_at=now))
        case RefundCut():
            return Decision(*take_cut(booking, message))
        case PaymentCaptured() | CaptureFailed() | PaymentRefunded() | PaymentAuthorized() | PaymentDeclined():
            return take_supplement(booking, message, now)
        case _:
            return Decision(booking)


def _give_back(booking: Booking) -> Iterator[Event]:
    """A capture that was reported as failed and went through after all, of a booking that is cancelled by now: the
    payment dropped the refund that waited for it, so everything but the fee is ordered back, as the refund that the
    cancellation ordered: should that have come after the capture, it is given once. And one that was under way when a
    booking that pays first ended: all of it.
    """
    if booking.confirmed_at is None and booking.captured:
        yield from refund(booking, booking.captured, "unpay", booking.reason or "late capture")
    elif booking.status is BookingStatus.CANCELLED and booking.captured and booking.capture_error is not None:
        excess = booking.captured - (booking.cancellation_fee or Decimal(0))
        yield from refund(booking, excess, "cancel", "captured_after_failure")
