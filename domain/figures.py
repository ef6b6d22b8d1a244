"""What one booking adds to the figures of its properties, day by day.

A booking's share is a pure function of all that is known of it, and a change of it is the difference of two shares. So
news may come in any order, and figures are the sum over all bookings whatever the order was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from domain.pricing import minor_unit

#: What tells that a booking was confirmed, should that news come last.
_CAME_ABOUT = frozenset({"confirmed", "checked_in", "completed", "no_show"})

#: Days before a night: finer the nearer, so that a row stays small and a forecast is sharp where it matters.
LEADS = (0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 365)

#: A property and a local date.
Place = tuple[str, date]


class Figures(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One property's figures of one local date. Amounts and nights are by currency."""

    # Of the bookings that were made on this date:
    bookings: int = 0
    confirmed: int = 0
    cancelled: int = 0
    #: Those of the cancelled that had not been confirmed.
    withdrawn: int = 0
    rejected: int = 0
    expired: int = 0
    no_shows: int = 0
    #: How many have a lead time, and the sum of those in days.
    leads: int = 0
    lead_days: int = 0
    #: What stands of them, whenever it is for.
    booked_nights: int = 0
    booked: dict[str, Decimal] = {}

    # Of what stands for this date, whenever it was booked:
    nights: dict[str, int] = {}
    rooms: dict[str, Decimal] = {}
    #: The nights again, by how long before them they were booked (`lead_step`).
    leads_of_nights: dict[str, int] = {}
    #: Revenue of what is not taken by the night.
    other: dict[str, Decimal] = {}

    #: Units whose stay begins on this date, and how many nights they stay in all.
    arrivals: int = 0
    arrival_nights: int = 0

    # Of the money that moved on this date:
    captured: dict[str, Decimal] = {}
    refunded: dict[str, Decimal] = {}


NOTHING = Figures()
_COUNTS = tuple(name for name in Figures.__struct_fields__ if getattr(NOTHING, name) == 0)
_BY_CURRENCY = tuple(name for name in Figures.__struct_fields__ if name not in _COUNTS)


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one line takes: units over nights from a local date on, or (0 nights) on that date; the line's price."""

    provider_id: str
    first: date
    nights: int
    units: int
    amount: Decimal


class Moved(msgspec.Struct, frozen=True):
    """Money of a booking that was taken, or (`back`) given back."""

    day: date
    amount: Decimal
    currency: str
    back: bool = False


class Tracked(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What analytics knows of one booking."""

    #: As the latest news had it, which was told at `as_of`; that of its creation counts only until there is other.
    taken: tuple[Span, ...] = ()
    as_of: datetime | None = None
    currency: str = ""
    #: The local date of its creation; of the earliest news while that is unknown.
    booked_on: date | None = None
    lead_days: int | None = None
    #: What became of it: "created", "confirmed", "cancelled"...
    outcomes: tuple[str, ...] = ()
    money: tuple[Moved, ...] = ()
    #: By which rules it is counted (`streams.events.analytics.Observe`).
    rules: int = 0

    @property
    def confirmed(self) -> bool:
        return not _CAME_ABOUT.isdisjoint(self.outcomes)

    @property
    def stands(self) -> bool:
        """Whether its nights are sold. A guest who never came has them too: nobody else was let in."""
        return self.confirmed and "cancelled" not in self.outcomes


def changes(before: Tracked | None, after: Tracked | None) -> dict[Place, Figures]:
    """What has to be added to the figures when all that is known of a booking changes."""
    old, new = share(before), share(after)
    moved = [place for place in {**old, **new} if old.get(place) != new.get(place)]
    differences = {place: summed(new.get(place, NOTHING), old.get(place, NOTHING), -1) for place in moved}
    return {place: figures for place, figures in differences.items() if figures != NOTHING}


@lru_cache(maxsize=4_096)
def share(booking: Tracked | None) -> Mapping[Place, Figures]:
    """A booking's part of the figures: none while it is unknown whose it is.

    Remembered, for what it was after one piece of news it is before the next.
    """
    found: dict[Place, Figures] = {}
    if booking is not None and booking.taken and booking.booked_on is not None:
        for place, figures in _parts(booking, booking.taken[0].provider_id, booking.booked_on):
            found[place] = summed(found.get(place, NOTHING), figures)
    return found


def summed(one: Figures, other: Figures, sign: int = 1) -> Figures:
    """`one` plus `other`, or minus it. What comes to nothing is left out, here and in what is given."""
    if other is NOTHING:
        return one
    if one is NOTHING and sign == 1:
        return other
    changed: dict[str, Any] = {}
    for name in _COUNTS:
        if more := getattr(other, name):
            changed[name] = getattr(one, name) + sign * more
    for name in _BY_CURRENCY:
        if more := getattr(other, name):
            changed[name] = _sum(getattr(one, name), more, sign)
    return msgspec.structs.replace(one, **changed) if changed else one


def lead_step(night: date, booked_on: date) -> str:
    """How long before a night it was booked, as the days its step of `LEADS` begins with."""
    lead = max((night - booked_on).days, 0)
    return str(LEADS[bisect_right(LEADS, lead) - 1])


def spread(amount: Decimal, currency: str, parts: int) -> list[Decimal]:
    """An amount as so many parts that differ by at most the currency's smallest unit, and whose sum it is."""
    unit = minor_unit(currency)
    whole = int(amount / unit)
    shares = [unit * (whole * (part + 1) // parts - whole * part // parts) for part in range(parts)]
    return [*shares[:-1], amount - sum(shares[:-1], Decimal(0))]


def _parts(booking: Tracked, provider_id: str, booked_on: date) -> Iterator[tuple[Place, Figures]]:
    yield (provider_id, booked_on), _made(booking)
    if booking.stands:
        for span in booking.taken:
            yield from _sold(span, booking.currency, booked_on)
            if span.nights and booking.rules:
                yield (span.provider_id, span.first), _arrived(span)
    for moved in booking.money:
        sums = _in(moved.currency, moved.amount)
        yield (provider_id, moved.day), Figures(refunded=sums) if moved.back else Figures(captured=sums)


def _made(booking: Tracked) -> Figures:
    said, stands = booking.outcomes, booking.stands
    return Figures(
        bookings=1,
        confirmed=int(booking.confirmed),
        cancelled=int("cancelled" in said),
        withdrawn=int("cancelled" in said and not booking.confirmed),
        rejected=int("rejected" in said),
        expired=int("expired" in said),
        no_shows=int("no_show" in said),
        leads=int(booking.lead_days is not None),
        lead_days=booking.lead_days or 0,
        booked_nights=sum(span.units * span.nights for span in booking.taken) if stands else 0,
        booked=_in(booking.currency, sum((span.amount for span in booking.taken), Decimal(0))) if stands else {},
    )


def _sold(span: Span, currency: str, booked_on: date) -> Iterator[tuple[Place, Figures]]:
    if not span.nights:
        yield (span.provider_id, span.first), Figures(other=_in(currency, span.amount))
    for night, amount in enumerate(spread(span.amount, currency, span.nights) if span.nights else ()):
        day = span.first + timedelta(days=night)
        yield (
            (span.provider_id, day),
            Figures(
                nights=_in(currency, span.units),
                rooms=_in(currency, amount),
                leads_of_nights={lead_step(day, booked_on): span.units},
            ),
        )


def _arrived(span: Span) -> Figures:
    return Figures(arrivals=span.units, arrival_nights=span.units * span.nights)


def _in(currency: str, amount: Any) -> dict[str, Any]:
    """An amount as `_sum` has it."""
    total = 0 + amount
    return {currency: total} if total else {}


def _sum(one: Mapping[str, Any], other: Mapping[str, Any], sign: int) -> dict[str, Any]:
    both = {name: one.get(name, 0) + sign * other.get(name, 0) for name in sorted({**one, **other})}
    return {name: total for name, total in both.items() if total}
