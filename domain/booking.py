"""What the booking service decides: a booking's one outcome, and what its parts are told because of it.

A row takes the first answer to each question and ends once; everything that comes twice or too late changes nothing
but money. How an outcome is written down and told stands in `domain.booking_outcomes`, what comes after it in
`domain.booking_changes`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.booking_changes import answer_change, ask_change, give_up, move_on
from domain.booking_closing import follow
from domain.booking_money import take_money
from domain.booking_opening import open_booking
from domain.booking_outcomes import as_expected, cancel, capture, confirm, expire, hold_lines, reject, undo, withdraw
from domain.booking_state import Booking, BookingStatus, payment_id_of
from domain.decision import Decision
from streams.events import Event
from streams.events.booking import (
    CancelBooking,
    CaptureFailed,
    ChangeBooking,
    CheckIn,
    CheckOut,
    DeadlinePassed,
    LineRejected,
    LineReserved,
    MarkNoShow,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RequestBooking,
    StayDue,
)

__all__ = ["Booking", "BookingStatus", "decide", "payment_id_of"]


def decide(booking: Booking | None, message: Event, now: datetime) -> Decision[Booking | None]:
    """The next state of a booking and what follows from it. `now` is the record's time.

    Answers cannot come before the request that caused the questions: for a booking that is not there they are dropped.
    """
    return follow(booking, message, _decide(booking, message, now), now)


def _decide(booking: Booking | None, message: Event, now: datetime) -> Decision[Booking | None]:
    match booking, message:
        case None, RequestBooking():
            return open_booking(message, now)
        case None, _:
            return Decision(None)
        case Booking(status=BookingStatus.PENDING), _:
            return _while_pending(booking, message, now)
        case Booking(status=BookingStatus.CONFIRMED), _:
            return _while_confirmed(booking, message, now)
        case Booking(status=BookingStatus.CHECKED_IN), CheckOut() | StayDue():
            return move_on(booking, message, now)
        case _:
            return take_money(booking, message, now)


def _while_pending(booking: Booking, message: Event, now: datetime) -> Decision[Booking | None]:
    match message:
        case LineReserved() | LineRejected() if _is_news(booking, message):
            return _take_line(booking, message, now)
        case PaymentAuthorized() | PaymentDeclined() if _concerns(booking, message) and not booking.authorized:
            return _take_payment(booking, message, now)
        case PaymentCaptured() | CaptureFailed() if _concerns(booking, message) and not booking.captured:
            return _take_first_payment(booking, message, now)
        case CancelBooking() if as_expected(booking, message, now):
            return withdraw(booking, message, now)
        case DeadlinePassed() if now >= booking.deadline:
            return expire(booking, now)
        case PaymentRefunded():  # by an operator, of what was taken first
            return take_money(booking, message, now)
        case _:
            return Decision(booking)


def _while_confirmed(booking: Booking, message: Event, now: datetime) -> Decision[Booking | None]:
    match message:
        case CancelBooking() if as_expected(booking, message, now):
            return cancel(booking, message, now)
        case CaptureFailed() if _concerns(booking, message) and not booking.captured:
            return undo(booking, message, now)  # one reported after the money arrived has been overtaken by it
        case ChangeBooking():
            return ask_change(booking, message, now)
        case LineReserved() | LineRejected() | PaymentAuthorized() | PaymentDeclined() if booking.change:
            return answer_change(booking, booking.change, message, now)
        case DeadlinePassed() if booking.change and now >= booking.change.deadline:
            return give_up(booking, booking.change, now)
        case CheckIn() | MarkNoShow() | StayDue():
            return move_on(booking, message, now)
        case _:
            return take_money(booking, message, now)


def _take_line(booking: Booking, message: LineReserved | LineRejected, now: datetime) -> Decision[Booking | None]:
    if isinstance(message, LineRejected):
        return reject(booking, message.reason, now, rejected_line=message.line)
    return _maybe_confirm(msgspec.structs.replace(booking, answered=(*booking.answered, message.line)), now)


def _take_payment(
    booking: Booking, message: PaymentAuthorized | PaymentDeclined, now: datetime
) -> Decision[Booking | None]:
    if isinstance(message, PaymentDeclined):
        return reject(booking, message.reason, now)
    authorized = msgspec.structs.replace(booking, authorized=True, updated_at=now)
    if authorized.pays_first:
        return Decision(authorized, (capture(authorized),))
    return _maybe_confirm(authorized, now)


def _take_first_payment(
    booking: Booking, message: PaymentCaptured | CaptureFailed, now: datetime
) -> Decision[Booking | None]:
    """Only a booking that pays first hears this before it is confirmed: now inventory is asked."""
    if isinstance(message, CaptureFailed):
        return reject(booking, message.reason, now)
    paid = msgspec.structs.replace(booking, captured=message.amount, updated_at=now)
    return Decision(paid, tuple(hold_lines(paid)))


def _maybe_confirm(booking: Booking, now: datetime) -> Decision[Booking | None]:
    """The last answer confirms, whichever it is."""
    return confirm(booking, now) if booking.complete else Decision(msgspec.structs.replace(booking, updated_at=now))


def _is_news(booking: Booking, message: LineReserved | LineRejected) -> bool:
    open_lines = {line.line for line in booking.lines} - set(booking.answered)
    return message.revision == booking.held_revision and message.line in open_lines


def _concerns(booking: Booking, message: PaymentAuthorized | PaymentDeclined | PaymentCaptured | CaptureFailed) -> bool:
    return (message.payment_id, message.revision) == (booking.payment_id, 1)
