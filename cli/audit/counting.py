"""What the bookings that analytics observed come to, day by day, by code of its own.

The platform adds what each piece of news changes. Here every booking is read to its end first, and then counted once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from babel.numbers import get_currency_precision

from cli.audit import names
from cli.audit.wire import Body, money, short

#: What becomes of a booking, and what that is counted as.
_ENDS = {
    names.CONFIRMED: "confirmed",
    names.CANCELLED: "cancelled",
    names.REJECTED: "rejected",
    names.EXPIRED: "expired",
    names.CHECKED_IN: "confirmed",
    names.COMPLETED: "confirmed",
    names.NO_SHOW: "no_shows",
}
_MONEY = {"payment.payment.succeeded": "captured", "payment.payment.refunded": "refunded"}
#: Days before a night at which a booking falls into the next group.
_GROUPS = (365, 180, 120, 90, 60, 45, 30, 21, 14, 10, 7, 5, 3, 2, 1, 0)

#: (property, local date, what is counted, currency or group or nothing) -> how much.
Sums = Counter[tuple[str, str, str, str]]


class Part(NamedTuple):
    """What one line takes."""

    property_id: str
    first: date
    nights: int
    units: int
    amount: Decimal


@dataclass(slots=True)
class Counted:
    """One booking as its news have it so far."""

    seen: set[bytes] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    created_on: str | None = None
    earliest: str | None = None
    lead: int | None = None
    rules: int = 0
    #: When the latest news with lines was told; None while there is but its creation.
    as_of: datetime | None = None
    parts: list[Part] = field(default_factory=list)
    currency: str = ""
    #: (what, day, currency, amount).
    moved: list[tuple[str, str, str, Decimal]] = field(default_factory=list)

    def hear(self, data: Body) -> None:
        """Takes one observation, each piece of news once. Raises KeyError, TypeError or ValueError for nonsense."""
        name, event = data["name"], short(data["event_id"])
        if event in self.seen:
            return
        self.seen.add(event)
        day = data.get("day") or data["occurred_at"][:10]
        if name in _MONEY:
            if data.get("amount") is not None and data.get("currency") is not None:
                self.moved.append((_MONEY[name], day, data["currency"], money(data["amount"])))
        elif name in names.BOOKING_NEWS:
            self._hear_booking(name, day, data)

    def _hear_booking(self, name: str, day: str, data: Body) -> None:
        self.earliest = day if self.earliest is None else min(day, self.earliest)
        self.rules = max(self.rules, int(data.get("rules", 0)))
        if self.lead is None:
            self.lead = data.get("lead_days")
        if name in _ENDS:
            self.ends |= {_ENDS[name], *(["confirmed"] if name == names.NO_SHOW else [])}
        at = datetime.fromisoformat(data["occurred_at"])
        if name == names.CREATED:
            self.created_on = self.created_on or day
            if not self.parts:
                self._take(data)
        elif data.get("taken") and (self.as_of is None or at >= self.as_of):
            self.as_of = at
            self._take(data)

    def _take(self, data: Body) -> None:
        self.parts = [_part(taken) for taken in data.get("taken", ())]
        if self.parts:
            self.currency = data.get("currency") or self.currency


def _part(taken: dict[str, Any]) -> Part:
    first = date.fromisoformat(taken["first"])
    return Part(taken["provider_id"], first, int(taken.get("nights", 0)), int(taken["units"]), money(taken["amount"]))


def figures(bookings: Iterable[Counted]) -> Sums:
    """What these bookings come to. Nothing of one of which it is not known whose it is, or when it was made."""
    sums: Sums = Counter()
    for booking in bookings:
        booked_on = booking.created_on or booking.earliest
        if booking.parts and booked_on is not None:
            _count(sums, booking, booked_on)
    return Counter({place: total for place, total in sums.items() if total})


def _count(sums: Sums, booking: Counted, booked_on: str) -> None:
    place = booking.parts[0].property_id, booked_on
    confirmed, cancelled = "confirmed" in booking.ends, "cancelled" in booking.ends
    sums[*place, "bookings", ""] += 1
    for end in booking.ends:
        sums[*place, end, ""] += 1
    if cancelled and not confirmed:
        sums[*place, "withdrawn", ""] += 1
    if booking.lead is not None:
        sums[*place, "leads", ""] += 1
        sums[*place, "lead_days", ""] += booking.lead
    for what, day, currency, amount in booking.moved:
        _add(sums, (place[0], day, what, currency), amount)
    if confirmed and not cancelled:
        for part in booking.parts:
            sums[*place, "booked_nights", ""] += part.units * part.nights
            _add(sums, (*place, "booked", booking.currency), part.amount)
            _sell(sums, booking, part, date.fromisoformat(booked_on))


def _sell(sums: Sums, booking: Counted, part: Part, booked_on: date) -> None:
    if not part.nights:
        return _add(sums, (part.property_id, str(part.first), "other", booking.currency), part.amount)
    if booking.rules:
        sums[part.property_id, str(part.first), "arrivals", ""] += part.units
        sums[part.property_id, str(part.first), "arrival_nights", ""] += part.units * part.nights
    # Whole smallest units, as evenly as they go, the rest of a fraction on the last night.
    digits = get_currency_precision(booking.currency)
    whole, before = int(part.amount.scaleb(digits)), Decimal(0)
    for number in range(part.nights):
        night = part.first + timedelta(days=number)
        until = Decimal(whole * (number + 1) // part.nights).scaleb(-digits)
        if number == part.nights - 1:
            until = part.amount
        _add(sums, (part.property_id, str(night), "rooms", booking.currency), until - before)
        before = until
        sums[part.property_id, str(night), "nights", booking.currency] += part.units
        lead = max((night - booked_on).days, 0)
        group = next(group for group in _GROUPS if group <= lead)
        sums[part.property_id, str(night), "leads_of_nights", str(group)] += part.units


def _add(sums: Sums, place: tuple[str, str, str, str], amount: Decimal) -> None:
    sums[place] = sums[place] + amount  # type: ignore[assignment]  # sums of money beside counts
