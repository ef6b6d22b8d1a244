"""What the public API answers, as far as a client of ours looks at it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Money(msgspec.Struct, frozen=True):
    amount: str
    currency: str


class Accepted(msgspec.Struct, frozen=True):
    """The gateway's 201: the booking is on the log, and will have an outcome."""

    booking_id: str
    confirmation_number: str
    price: Money


class Cancellation(msgspec.Struct, frozen=True):
    """What was kept of a booking that was cancelled, or whose guest never came, and what goes back."""

    fee: Money
    refund: Money


class Times(msgspec.Struct, frozen=True):
    no_show_from: datetime


class Booking(msgspec.Struct, frozen=True):
    """A booking as it stands. Not every kind of booking has a price and payments."""

    booking_id: str
    confirmation_number: str
    status: str
    reason: str | None = None
    price: Money = Money("0", "")
    payment_id: str = ""
    payments: tuple[str, ...] = ()
    balance: Money | None = None
    change: dict[str, Any] | None = None
    cancellation: Cancellation | None = None
    times: Times | None = None


class Settlement(msgspec.Struct, frozen=True):
    """What one request of a settlement run booked, and what is left."""

    settlement_id: str
    payments: int
    totals: list[Money]
    remaining: int
