"""The payments of a booking beside its first: each is what one change cost more, or what a deposit left of the price.

A difference that was authorized and cannot be captured leaves the change as it is: the old nights are gone. What is
missing is the booking's `balance`, for the desk to collect; a later change to a lower price is taken off it first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.booking_deposits import answer_balance, resting, resting_less
from domain.booking_parts import NOTHING, Change, Supplement
from domain.booking_payments import authorize
from domain.booking_refunds import noted, pay_credit, refund_of
from domain.booking_state import Booking, BookingStatus, payment_id_of
from domain.decision import Decision
from streams.events.booking import (
    CaptureFailed,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
)
from streams.events.payment import Authorize, Capture, Refund, Void


def authorize_more(booking: Booking, change: Change) -> Iterator[Authorize]:
    """Asks for what the change costs more, if it does."""
    if change.to_pay and change.payment_token is not None:
        payment_id = payment_id_of(booking.booking_id, change.revision)
        yield authorize(booking, payment_id, change.revision, change.to_pay, change.payment_token)


def void_more(booking: Booking, change: Change, reason: str) -> Iterator[Void]:
    """Ends what a change that was given up had authorized, or will have."""
    if change.to_pay:
        payment_id = payment_id_of(booking.booking_id, change.revision)
        yield Void(payment_id=payment_id, booking_id=booking.booking_id, revision=change.revision, reason=reason)


def paying_more(booking: Booking, change: Change) -> tuple[Booking, tuple[Capture, ...]]:
    """A change is taken: what it costs more is one of the booking's payments, and is captured. With a deposit it is
    paid at check-in.
    """
    if booking.deposit is not None:
        return resting(booking, change), ()
    if not change.to_pay:
        return booking, ()
    payment_id = payment_id_of(booking.booking_id, change.revision)
    more = Supplement(payment_id=payment_id, revision=change.revision, amount=change.to_pay)
    kept = msgspec.structs.replace(
        booking, supplements=(*booking.supplements, more), payment_token=change.payment_token
    )
    return kept, (Capture(payment_id=payment_id, booking_id=booking.booking_id, revision=change.revision),)


def owing_less(booking: Booking, less: Decimal) -> tuple[Booking, Decimal]:
    """A lower price: taken off what is owed, what was not asked for yet first, then the latest; and what is left to
    give back.
    """
    booking, less = resting_less(booking, less)
    for supplement in reversed(booking.supplements):
        written_off = min(supplement.owed, less)
        if written_off > 0:
            booking = _with(booking, msgspec.structs.replace(supplement, owed=supplement.owed - written_off))
            less -= written_off
    return booking, less


def take_supplement(
    booking: Booking,
    message: PaymentAuthorized | PaymentDeclined | PaymentCaptured | CaptureFailed | PaymentRefunded,
    now: datetime,
) -> Decision[Booking | None]:
    """The booking with what one of its later payments reports; of several equal messages the first counts."""
    supplement = next((each for each in booking.supplements if each.payment_id == message.payment_id), None)
    if supplement is None:
        return Decision(booking)
    known = msgspec.structs.replace(booking, updated_at=now)
    match message:
        case PaymentAuthorized() | PaymentDeclined():
            answered, captures = answer_balance(booking, supplement, message)
            return Decision(booking if answered is supplement else _with(known, answered), captures)
        case PaymentCaptured() if not supplement.captured:
            return _captured(known, supplement)
        case CaptureFailed() if not supplement.captured and supplement.error is None:
            return Decision(_failed(known, supplement, message.reason))
        case PaymentRefunded() if message.refund_id not in booking.refunds:
            given = msgspec.structs.replace(supplement, given=supplement.given | {message.refund_id: message.amount})
            refunds = booking.refunds | {message.refund_id: message.amount}
            return Decision(_with(msgspec.structs.replace(known, refunds=refunds), given))
        case _:
            return Decision(booking)


def _captured(booking: Booking, supplement: Supplement) -> Decision[Booking | None]:
    taken = msgspec.structs.replace(supplement, captured=True, owed=NOTHING)
    paid = msgspec.structs.replace(_with(booking, taken), captured=booking.captured + supplement.amount)
    reckoned_without = supplement.error is not None or supplement.balance
    late = tuple(_late(booking, supplement)) if reckoned_without else ()
    known, due = pay_credit(noted(paid, late), f"credit {supplement.revision}")
    return Decision(known, (*late, *due))


def _late(booking: Booking, supplement: Supplement) -> Iterator[Refund]:
    """Captured after it was reported as failed, or after a guest had left early who was charged at check-in: what is
    not owed any more goes back; as the very refunds that a cancellation ordered of it, which may have come after the
    capture. Of a booking that was cancelled in between, or whose guest did not come, all of it: what these keep was
    reckoned without it.
    """
    if supplement.failed_late:
        for refund_id, amount in supplement.given.items():
            again = refund_of(booking, supplement.payment_id, amount, "", "captured_after_failure")
            yield msgspec.structs.replace(again, refund_id=refund_id)
        return
    excess = supplement.amount - supplement.owed
    if excess > 0:
        reason = "captured_after_failure" if supplement.error is not None else "early_departure"
        yield refund_of(booking, supplement.payment_id, excess, f"late capture {supplement.revision}", reason)
    reckoned = booking.status is BookingStatus.CANCELLED or booking.cancellation_fee is not None
    if supplement.owed and reckoned:
        why, reason = f"unowed {supplement.revision}", "captured_after_failure"
        back = refund_of(booking, supplement.payment_id, supplement.owed, why, reason)
        yield msgspec.structs.replace(back, ordered_by="late_capture")


def _failed(booking: Booking, supplement: Supplement, reason: str) -> Booking:
    """What was ordered back of it was dropped by its payment: that of a cancellation need not be had, the rest is due
    as before. A balance is owed as it was: it ends no booking.
    """
    if supplement.balance:
        return _with(booking, msgspec.structs.replace(supplement, error=reason))
    late = booking.status is BookingStatus.CANCELLED
    ordered = sum(supplement.given.values(), NOTHING)
    failed = msgspec.structs.replace(supplement, error=reason, failed_late=late)
    if late:
        return _with(booking, msgspec.structs.replace(failed, owed=supplement.amount - ordered))
    without = _with(booking, msgspec.structs.replace(failed, owed=supplement.amount, given={}))
    return msgspec.structs.replace(without, credit=booking.credit + ordered)


def _with(booking: Booking, supplement: Supplement) -> Booking:
    others = (supplement if each.payment_id == supplement.payment_id else each for each in booking.supplements)
    return msgspec.structs.replace(booking, supplements=tuple(others))
