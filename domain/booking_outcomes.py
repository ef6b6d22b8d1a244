"""How a booking comes out: what its row says then, what the world hears, and what inventory and payment are told.

Every end releases every line, answered or not, except one that inventory refused, and leaves no authorization open.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from domain.booking_parts import NOTHING
from domain.booking_refunds import noted, refund
from domain.booking_state import Booking, BookingStatus
from domain.booking_supplements import void_more
from domain.cancellation import Quote, quote_cancellation
from domain.decision import Decision
from streams.events import Event
from streams.events.about import Line
from streams.events.availability import ConfirmHold, Hold, Release, Shorten
from streams.events.booking import CancelBooking, CaptureFailed
from streams.events.booking_news import (
    BookingCancelled,
    BookingConfirmed,
    BookingExpired,
    BookingRejected,
    BookingUpdated,
    InventoryUpdated,
)
from streams.events.payment import Capture, Void


def confirm(booking: Booking, now: datetime) -> Decision[Booking | None]:
    """Inventory agreed and the money is there: take it, unless it was taken first."""
    confirmed = msgspec.structs.replace(booking, status=BookingStatus.CONFIRMED, confirmed_at=now, updated_at=now)
    told = BookingConfirmed(
        **news(confirmed),
        payment_id=booking.payment_id,
        confirmed_at=now,
        price_amount=booking.price_amount,
        price_currency=booking.price_currency,
    )
    money = () if booking.paid else (capture(booking),)
    return Decision(confirmed, (told, *_stock(confirmed, None, now), *confirm_holds(confirmed), *money))


def reject(
    booking: Booking, reason: str, now: datetime, *, rejected_line: int | None = None
) -> Decision[Booking | None]:
    """Refused by inventory (then `rejected_line` holds nothing) or by the provider (then nothing is authorized)."""
    ended = _ended(booking, BookingStatus.REJECTED, reason, now)
    told = BookingRejected(**news(ended), rejected_at=now, reason=reason)
    stock = _stock(ended, reason, now) if rejected_line is not None else ()
    money = _unpay(booking, reason) if rejected_line is not None else ()
    return Decision(ended, (told, *stock, *_releases(booking, but=rejected_line), *money))


def refuse_opening(booking: Booking, reason: str, now: datetime) -> Decision[Booking | None]:
    """Nothing was asked of anybody yet: it only ends."""
    ended = _ended(booking, BookingStatus.REJECTED, reason, now)
    return Decision(ended, (BookingRejected(**news(ended), rejected_at=now, reason=reason, at_entry=True),))


def expire(booking: Booking, now: datetime) -> Decision[Booking | None]:
    """No complete answer came before the deadline."""
    told = BookingExpired(**news(booking), expired_at=now)
    ended = _ended(booking, BookingStatus.EXPIRED, told.reason, now)
    return Decision(ended, (told, *_releases(booking), *_unpay(booking, told.reason)))


def withdraw(booking: Booking, message: CancelBooking, now: datetime) -> Decision[Booking | None]:
    """Cancelled before it was confirmed: nothing is owed, and what was taken first goes back."""
    ended, told = _cancelled(booking, message.reason, message.cancelled_by, quote_cancellation(booking, now), now)
    return Decision(ended, (told, *_releases(booking), *_unpay(booking, message.reason)))


def cancel(booking: Booking, message: CancelBooking, now: datetime) -> Decision[Booking | None]:
    """Cancelled after it was confirmed: the policy says what goes back; what does not stays captured as the fee."""
    quote = quote_cancellation(booking, now)
    ended, told = _cancelled(booking, message.reason, message.cancelled_by, quote, now)
    orders = tuple(refund(booking, quote.refund, "cancel", message.reason))
    return Decision(noted(ended, orders), (told, *_releases(booking), *orders))


def as_expected(booking: Booking, message: CancelBooking, now: datetime) -> bool:
    """Whether the fee is the one its caller was quoted; to another one nobody has agreed, and nothing happens."""
    return message.expected_fee in (None, quote_cancellation(booking, now).fee)


def undo(booking: Booking, message: CaptureFailed, now: datetime) -> Decision[Booking | None]:
    """The money that was authorized cannot be taken for good: the confirmation does not stand."""
    failed = msgspec.structs.replace(booking, capture_error=message.reason)
    nothing = Quote(fee=Decimal(0), refund=Decimal(0))
    ended, told = _cancelled(failed, f"payment_capture_failed: {message.reason}", "system", nothing, now)
    return Decision(ended, (told, *_releases(booking)))


def news(booking: Booking) -> dict[str, Any]:
    """What every piece of news of a booking begins with."""
    return {
        "booking_id": booking.booking_id,
        "user_id": booking.user_id,
        "product_id": booking.product_id,
        "about": booking.about(),
    }


def updated(booking: Booking, now: datetime) -> BookingUpdated:
    """CAT-03: a booking as it stands after a change."""
    return BookingUpdated(
        **news(booking),
        start_time=booking.start,
        end_time=booking.end,
        quantity=booking.quantity,
        price_amount=booking.price_amount,
        price_currency=booking.price_currency,
        status=booking.status,
        revision=booking.revision,
        updated_at=now,
    )


def hold_lines(booking: Booking, lines: tuple[Line, ...] | None = None, revision: int | None = None) -> Iterator[Hold]:
    """Asks inventory for a booking's lines, or for other ones under another revision."""
    for line in lines or booking.lines:
        yield Hold(
            **_place(booking, line, revision),
            start=line.start,
            end=line.end,
            quantity=line.quantity,
        )


def release_lines(
    booking: Booking, lines: tuple[Line, ...], revision: int, but: int | None = None
) -> Iterator[Release]:
    """Ends the holds of lines under a revision, except of one that holds nothing."""
    for line in lines:
        if line.line != but:
            yield Release(**_place(booking, line, revision))


def give_back_nights(booking: Booking, first: date) -> Iterator[Shorten]:
    """Lets go of every night from `first` on."""
    for line in booking.lines:
        yield Shorten(**_place(booking, line, None), first=first.isoformat())


def confirm_holds(booking: Booking) -> Iterator[ConfirmHold]:
    for line in booking.lines:
        yield ConfirmHold(**_place(booking, line, None))


def capture(booking: Booking) -> Capture:
    return Capture(payment_id=booking.payment_id, booking_id=booking.booking_id, revision=1)


def _place(booking: Booking, line: Line, revision: int | None) -> dict[str, Any]:
    return {
        "provider_id": line.provider_id,
        "product_id": line.product_id,
        "booking_id": booking.booking_id,
        "revision": booking.held_revision if revision is None else revision,
        "line": line.line,
    }


def _ended(booking: Booking, status: BookingStatus, reason: str, now: datetime) -> Booking:
    """Whatever a deposit left of the price is not asked for any more."""
    return msgspec.structs.replace(booking, status=status, reason=reason, change=None, rest=NOTHING, updated_at=now)


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
        **news(ended),
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
    if booking.inventory_asked:
        yield from release_lines(booking, booking.lines, booking.held_revision, but)
    if booking.change is not None:
        yield from release_lines(booking, booking.change.lines, booking.change.revision)
        yield from void_more(booking, booking.change, "the booking has ended")


def _stock(booking: Booking, reason: str | None, now: datetime) -> Iterator[Event]:
    """ORD-04: what became of the stock of an order, where orders are paid first."""
    if booking.confirm_on == "payment.captured":
        status: Literal["reserved", "out_of_stock"] = "reserved" if reason is None else "out_of_stock"
        yield InventoryUpdated(**news(booking), status=status, reason=reason, updated_at=now)


def _unpay(booking: Booking, reason: str) -> Iterator[Event]:
    """Gives back what was taken first; otherwise ends the authorization, whether it is there yet or not."""
    if booking.captured:
        yield from refund(booking, booking.captured, "unpay", reason)
    elif booking.to_pay:
        yield Void(payment_id=booking.payment_id, booking_id=booking.booking_id, revision=1, reason=reason)
