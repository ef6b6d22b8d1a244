"""HTL-29, "all updates complete": what a cancellation still waits for, and the news once nothing is left.

Inventory says that each line is free, payment that money went back or is not blocked any more, analytics that it has
counted the cancellation. What was asked of them is read off what the cancellation itself said, so every way to cancel
is followed alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from domain.booking_outcomes import news
from domain.booking_parts import Closing
from domain.booking_state import Booking, BookingStatus
from domain.decision import Decision
from streams.events import Event
from streams.events.availability import Release
from streams.events.booking import (
    CancellationCounted,
    CaptureFailed,
    LineReleased,
    PaymentDeclined,
    PaymentRefunded,
    PaymentVoided,
    RefundCut,
)
from streams.events.booking_news import BookingCancellationCompleted
from streams.events.payment import Refund, Void


def follow(
    before: Booking | None, message: Event, decided: Decision[Booking | None], now: datetime
) -> Decision[Booking | None]:
    """The decision on `message`, with what it means for a cancellation that is not complete yet."""
    after = decided.state
    if after is None or after.status is not BookingStatus.CANCELLED or after.rules < 2:
        return decided
    if before is None or before.status is not BookingStatus.CANCELLED:
        return _begin(after, decided.events)
    if after.closing is None or after.closing.completed_at is not None:
        return decided
    closing = _without(_asked(after.closing, decided.events), before, after, message)
    if closing == after.closing:
        return decided
    told: tuple[Event, ...] = ()
    if not closing.waits:
        closing = msgspec.structs.replace(closing, completed_at=now)
        told = (_completed(after, now),)
    return Decision(msgspec.structs.replace(after, closing=closing, updated_at=now), (*decided.events, *told))


def _begin(booking: Booking, events: tuple[Event, ...]) -> Decision[Booking | None]:
    """Just cancelled: whoever lets go of a line is to say so."""
    reporting = tuple(_reporting(event) for event in events)
    return Decision(msgspec.structs.replace(booking, closing=_asked(Closing(), events)), reporting)


def _reporting(event: Event) -> Event:
    return msgspec.structs.replace(event, report=True) if isinstance(event, Release) else event


def _asked(closing: Closing, events: tuple[Event, ...]) -> Closing:
    lines = (_line(event.revision, event.line) for event in events if isinstance(event, Release))
    return msgspec.structs.replace(
        closing, lines=(*closing.lines, *lines), money=(*closing.money, *_money_asked(events))
    )


def _money_asked(events: tuple[Event, ...]) -> Iterator[str]:
    for event in events:
        if isinstance(event, Refund):
            yield event.refund_id
        elif isinstance(event, Void):
            yield event.payment_id


def _without(closing: Closing, before: Booking, booking: Booking, message: Event) -> Closing:
    """What is left to wait for after `message`."""
    match message:
        case LineReleased():
            done = _line(message.revision, message.line)
            return msgspec.structs.replace(closing, lines=tuple(line for line in closing.lines if line != done))
        case PaymentVoided() | PaymentDeclined():
            return _money_without(closing, message.payment_id)
        case PaymentRefunded() if 0 < booking.captured <= booking.refunded:
            return msgspec.structs.replace(closing, money=())  # nothing is left that could go back
        case PaymentRefunded():
            return _money_without(closing, message.refund_id)
        case RefundCut() if message.refused:
            return _money_without(closing, message.refund_id)
        case CaptureFailed() if not booking.captured:
            return msgspec.structs.replace(closing, money=())  # nothing was taken
        case CaptureFailed():  # what waited for that capture was dropped with it
            dropped = (each.given for each in before.supplements if each.payment_id == message.payment_id)
            return _money_without(closing, *(refund_id for given in dropped for refund_id in given))
        case CancellationCounted():
            return msgspec.structs.replace(closing, counted=True)
        case _:
            return closing


def _money_without(closing: Closing, *done: str) -> Closing:
    return msgspec.structs.replace(closing, money=tuple(each for each in closing.money if each not in done))


def _line(revision: int, line: int) -> str:
    return f"{revision}/{line}"


def _completed(booking: Booking, now: datetime) -> BookingCancellationCompleted:
    return BookingCancellationCompleted(
        **news(booking),
        cancelled_at=booking.cancelled_at or now,
        completed_at=now,
        refunded_amount=booking.refunded,
        refund_currency=booking.price_currency,
    )
