"""How a booking comes out: what its row says then, what the world hears, and what inventory and payment are told.

Every end releases every line, answered or not, except one that inventory refused, and leaves no authorization open.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.booking_state import Booking, BookingStatus, derived_id
from domain.cancellation import Quote, quote_cancellation
from domain.decision import Decision
from streams.events import Event
from streams.events.availability import ConfirmHold, Release
from streams.events.booking import CancelBooking, CaptureFailed
from streams.events.booking_news import BookingCancelled, BookingConfirmed, BookingExpired, BookingRejected
from streams.events.payment import Capture, Refund, Void


def confirm(booking: Booking, now: datetime) -> Decision[Booking | None]:
    """Inventory agreed and the money is there: take it."""
    confirmed = msgspec.structs.replace(booking, status=BookingStatus.CONFIRMED, confirmed_at=now, updated_at=now)
    told = BookingConfirmed(
        booking_id=booking.booking_id,
        user_id=booking.user_id,
        product_id=booking.product_id,
        payment_id=booking.payment_id,
        confirmed_at=now,
        price_amount=booking.price_amount,
        price_currency=booking.price_currency,
    )
    return Decision(confirmed, (told, *_confirm_holds(booking), *_capture(booking)))


def reject(
    booking: Booking, reason: str, now: datetime, *, rejected_line: int | None = None
) -> Decision[Booking | None]:
    """Refused by inventory (then `rejected_line` holds nothing) or by the provider (then nothing is authorized)."""
    told = BookingRejected(
        booking_id=booking.booking_id,
        user_id=booking.user_id,
        product_id=booking.product_id,
        rejected_at=now,
        reason=reason,
    )
    void = _void(booking, reason) if rejected_line is not None else ()
    ended = _ended(booking, BookingStatus.REJECTED, reason, now)
    return Decision(ended, (told, *_releases(booking, but=rejected_line), *void))


def expire(booking: Booking, now: datetime) -> Decision[Booking | None]:
    """No complete answer came before the deadline."""
    told = BookingExpired(
        booking_id=booking.booking_id, user_id=booking.user_id, product_id=booking.product_id, expired_at=now
    )
    ended = _ended(booking, BookingStatus.EXPIRED, told.reason, now)
    return Decision(ended, (told, *_releases(booking), *_void(booking, told.reason)))


def withdraw(booking: Booking, message: CancelBooking, now: datetime) -> Decision[Booking | None]:
    """Cancelled before it was confirmed: nothing was taken, so nothing is owed."""
    quote = quote_cancellation(booking, now)
    ended, told = _cancelled(booking, message.reason, message.cancelled_by, quote, now)
    return Decision(ended, (told, *_releases(booking), *_void(booking, message.reason)))


def cancel(booking: Booking, message: CancelBooking, now: datetime) -> Decision[Booking | None]:
    """Cancelled after it was confirmed: the policy says what goes back; what does not stays captured as the fee."""
    quote = quote_cancellation(booking, now)
    ended, told = _cancelled(booking, message.reason, message.cancelled_by, quote, now)
    return Decision(ended, (told, *_releases(booking), *refund(booking, quote.refund, "cancel", message.reason)))


def undo(booking: Booking, message: CaptureFailed, now: datetime) -> Decision[Booking | None]:
    """The money that was authorized cannot be taken for good: the confirmation does not stand."""
    failed = msgspec.structs.replace(booking, capture_error=message.reason)
    nothing = Quote(fee=Decimal(0), refund=Decimal(0))
    ended, told = _cancelled(failed, f"payment_capture_failed: {message.reason}", "system", nothing, now)
    return Decision(ended, (told, *_releases(booking)))


def refund(booking: Booking, amount: Decimal, why: str, reason: str) -> Iterator[Refund]:
    """Orders `amount` back under an id that follows from `why`, unless it is nothing."""
    if amount > 0:
        yield Refund(
            payment_id=booking.payment_id,
            booking_id=booking.booking_id,
            refund_id=derived_id(booking.booking_id, why),
            amount=amount,
            reason=reason,
        )


def _ended(booking: Booking, status: BookingStatus, reason: str, now: datetime) -> Booking:
    return msgspec.structs.replace(booking, status=status, reason=reason, updated_at=now)


def _cancelled(
    booking: Booking, reason: str, cancelled_by: str, quote: Quote, now: datetime
) -> tuple[Booking, BookingCancelled]:
    ended = msgspec.structs.replace(
        _ended(booking, BookingStatus.CANCELLED, reason, now),
        cancelled_at=now,
        cancelled_by=cancelled_by,
        cancellation_fee=quote.fee,
        cancellation_refund=quote.refund,
    )
    told = BookingCancelled(
        booking_id=booking.booking_id,
        user_id=booking.user_id,
        product_id=booking.product_id,
        payment_id=booking.payment_id,
        cancelled_at=now,
        cancellation_reason=reason,
        refund_eligible=quote.refund > 0,
        refund_amount=quote.refund,
        refund_currency=booking.price_currency,
        cancelled_by=cancelled_by,
    )
    return ended, told


def _releases(booking: Booking, but: int | None = None) -> Iterator[Event]:
    for line in booking.lines:
        if line.line != but:
            yield Release(
                provider_id=line.provider_id,
                product_id=line.product_id,
                booking_id=booking.booking_id,
                revision=booking.revision,
                line=line.line,
            )


def _confirm_holds(booking: Booking) -> Iterator[Event]:
    for line in booking.lines:
        yield ConfirmHold(
            provider_id=line.provider_id,
            product_id=line.product_id,
            booking_id=booking.booking_id,
            revision=booking.revision,
            line=line.line,
        )


def _capture(booking: Booking) -> Iterator[Event]:
    if booking.to_pay:
        yield Capture(payment_id=booking.payment_id, booking_id=booking.booking_id, revision=booking.revision)


def _void(booking: Booking, reason: str) -> Iterator[Event]:
    if booking.to_pay:
        yield Void(
            payment_id=booking.payment_id, booking_id=booking.booking_id, revision=booking.revision, reason=reason
        )
