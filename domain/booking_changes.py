"""How a confirmed booking changes: new lines are held before the old ones are let go. And check-in, check-out, no-show.

A change of words alone (a name, a note) takes effect at once. One of lines waits for inventory: the new revision's
holds neither compete with the old one's nor free them. One that costs more waits for the difference, too, which is
authorized beside what was paid (`domain.booking_supplements`); only when both agree it is taken, and captured.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from domain.booking_deposits import charge_balance, costs_more_of_another
from domain.booking_outcomes import confirm_holds, hold_lines, news, release_lines, updated
from domain.booking_parts import Change, RefusedChange
from domain.booking_refunds import noted, refund
from domain.booking_state import Booking, BookingStatus, payment_id_of
from domain.booking_supplements import authorize_more, owing_less, paying_more, void_more
from domain.decision import Decision
from domain.departures import leave, never_came
from domain.stay_times import is_time
from streams.events import Event
from streams.events.booking import (
    ChangeBooking,
    CheckIn,
    CheckOut,
    LineRejected,
    LineReserved,
    MarkNoShow,
    PaymentAuthorized,
    PaymentDeclined,
    StayDue,
)
from streams.events.booking_news import BookingCheckedIn

ChangeAnswer = LineReserved | LineRejected | PaymentAuthorized | PaymentDeclined


def ask_change(booking: Booking, asked: ChangeBooking, now: datetime) -> Decision[Booking | None]:
    """Begins a change, or refuses it and remembers why. `revision` 0 takes the next; another than the next is late."""
    revision = booking.next_revision
    if asked.revision not in (0, revision) or asked.message_id in booking.asked_by:
        return Decision(booking)
    if asked.message_id is not None:
        booking = msgspec.structs.replace(booking, asked_by=(*booking.asked_by, asked.message_id))
    refusal = _objection(booking, asked)
    if refusal is not None:
        return Decision(_refused(booking, revision, refusal, now))
    if asked.lines is None:
        return _taken(booking, _change_of(booking, asked, revision), now, ())
    change = _change_of(booking, asked, revision)
    waiting = msgspec.structs.replace(
        booking, change=change, change_deadline=change.deadline, refused_change=None, updated_at=now
    )
    return Decision(waiting, (*hold_lines(booking, change.lines, revision), *authorize_more(booking, change)))


def answer_change(booking: Booking, change: Change, message: ChangeAnswer, now: datetime) -> Decision[Booking | None]:
    """One answer: the last agreement switches, any refusal or a late one leaves everything as it was."""
    if not _is_asked(booking, change, message):
        return Decision(booking)
    if isinstance(message, LineRejected):
        return _dropped(booking, change, message.reason, now, but=message.line)
    if isinstance(message, PaymentDeclined):
        return _dropped(booking, change, message.reason, now)
    if now >= change.deadline:
        return give_up(booking, change, now)
    if isinstance(message, PaymentAuthorized):
        answered = msgspec.structs.replace(change, authorized=True)
    else:
        answered = msgspec.structs.replace(change, answered=(*change.answered, message.line))
    if not answered.complete:
        return Decision(msgspec.structs.replace(booking, change=answered, updated_at=now))
    return _taken(booking, answered, now, tuple(release_lines(booking, booking.lines, booking.held_revision)))


def give_up(booking: Booking, change: Change, now: datetime) -> Decision[Booking | None]:
    """Not every answer came before the change's deadline."""
    return _dropped(booking, change, "deadline_passed", now)


def _is_asked(booking: Booking, change: Change, message: ChangeAnswer) -> bool:
    """Whether it answers a question of this change that is still open."""
    if message.revision != change.revision:
        return False
    if isinstance(message, PaymentAuthorized | PaymentDeclined):
        asked = change.to_pay > 0 and not change.authorized
        return asked and message.payment_id == payment_id_of(booking.booking_id, change.revision)
    return message.line in {line.line for line in change.lines} - set(change.answered)


def _dropped(
    booking: Booking, change: Change, reason: str, now: datetime, but: int | None = None
) -> Decision[Booking | None]:
    """Refused: what is held or authorized for it is let go; of what was never authorized, the void is remembered."""
    let_go = release_lines(booking, change.lines, change.revision, but)
    voided = void_more(booking, change, reason)
    return Decision(_refused(booking, change.revision, reason, now), (*let_go, *voided))


def move_on(
    booking: Booking, message: CheckIn | CheckOut | MarkNoShow | StayDue, now: datetime
) -> Decision[Booking | None]:
    """Check-in and no-show need a confirmed booking that is paid, and their day; check-out one that is checked in. A
    tick makes the one a no-show and checks the other out. Who checks in is charged what a deposit left of the price.
    """
    waits = booking.change is not None or (booking.status is BookingStatus.CONFIRMED and not booking.paid)
    if waits or not is_time(booking, message, now):
        return Decision(booking)
    match message, booking.status:
        case CheckIn(), BookingStatus.CONFIRMED:
            arrived, charges = charge_balance(_moved(booking, BookingStatus.CHECKED_IN, now))
            return Decision(arrived, (BookingCheckedIn(**news(arrived), checked_in_at=now), *charges))
        case CheckOut() | StayDue(), BookingStatus.CHECKED_IN:
            return leave(booking, now)
        case _:  # a no-show, of a confirmed one
            return never_came(booking, now)


def _objection(booking: Booking, asked: ChangeBooking) -> str | None:
    if booking.change is not None:
        return "change_under_way"
    if not booking.paid:
        return "not_paid_yet"
    if asked.payment_token is None and (_difference(booking, asked) > 0 or costs_more_of_another(booking, asked)):
        return "costs_more"
    return None


def _difference(booking: Booking, asked: ChangeBooking) -> Decimal:
    """What it costs more than before and is to be paid here and now, else nothing."""
    price = booking.price_amount if asked.price_amount is None else asked.price_amount
    now = booking.prepaid and booking.deposit is None
    return max(price - booking.price_amount, Decimal(0)) if now else Decimal(0)


def _change_of(booking: Booking, asked: ChangeBooking, revision: int) -> Change:
    lines = booking.lines if asked.lines is None else asked.lines
    return Change(
        revision=revision,
        lines=lines,
        price_amount=booking.price_amount if asked.price_amount is None else asked.price_amount,
        deadline=asked.deadline,
        free_until=asked.free_until,
        # Sealed under another user's key nobody could read it.
        guest=asked.guest if asked.user_id in (None, booking.user_id) else None,
        phone=asked.phone,
        details=asked.details,
        times=booking.times if asked.lines is None else asked.times,
        to_pay=_difference(booking, asked),
        payment_token=asked.payment_token if _difference(booking, asked) or booking.deposit is not None else None,
    )


def _taken(booking: Booking, change: Change, now: datetime, released: tuple[Event, ...]) -> Decision[Booking | None]:
    less = booking.price_amount - change.price_amount if booking.to_pay else booking.price_amount * 0
    booking, captures = paying_more(booking, change)
    booking, less = owing_less(booking, less)
    orders = tuple(refund(booking, less, f"change {change.revision}", "changed to a lower price"))
    changed = msgspec.structs.replace(
        booking,
        revision=change.revision,
        held_revision=change.revision if released else booking.held_revision,
        lines=change.lines,
        price_amount=change.price_amount,
        # The earlier one: a stay is not moved out of reach of its fee.
        free_until=min(change.free_until or booking.free_until, booking.free_until),
        guest=change.guest or booking.guest,
        phone=change.phone if change.guest else booking.phone,
        details=booking.details if change.details is None else change.details,
        times=change.times,
        change=None,
        refused_change=None,
        updated_at=now,
    )
    held = (*confirm_holds(changed), *released) if released else ()
    return Decision(noted(changed, orders), (updated(changed, now), *held, *captures, *orders))


def _refused(booking: Booking, revision: int, reason: str, now: datetime) -> Booking:
    """A change under way goes on when another one is refused because of it."""
    under_way = booking.change if reason == "change_under_way" else None
    refused = RefusedChange(revision, reason)
    return msgspec.structs.replace(booking, change=under_way, refused_change=refused, updated_at=now)


def _moved(booking: Booking, status: BookingStatus, now: datetime) -> Booking:
    return msgspec.structs.replace(booking, status=status, updated_at=now)
