"""What the rate service keeps: at which prices a resource was booked, and what is left of its nights (HTL-22, 25).

Prices themselves are declared with the resource (docs/decisions/0008). Here stands what a dynamic price reacts to; how
it does, in `domain.dynamic_prices`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.calendar import Unbookable, slots_of
from domain.decision import Decision
from streams.events import Envelope, Event
from streams.events.about import About
from streams.events.availability import NightUpdated
from streams.events.booking_news import BookingCreated
from streams.events.rate import RateApplied, RecordRate, ReviewRate


def rate_messages_of(news: Envelope) -> list[Event]:
    """What a piece of news asks of the rate service."""
    match news.data:
        case BookingCreated() as created:
            return list(_records(created))
        case NightUpdated() as night:
            review = ReviewRate(
                provider_id=night.provider_id,
                product_id=night.product_id,
                slot=night.slot,
                capacity=night.capacity,
                held=night.held,
                updated_at=night.updated_at,
            )
            return [review]
        case _:
            return []


def _records(created: BookingCreated) -> tuple[RecordRate, ...]:
    """One for each resource: lines that take the same one are one use of its rate."""
    about = created.about
    if about is None or not about.lines:
        units = _units(created.start_time, created.end_time, created.quantity, None)
        return (_record(created, created.provider_id, created.product_id, created.price_amount, units),)
    found: dict[tuple[str, str], tuple[Decimal, int]] = {}
    for line in about.lines:
        price, units = found.get((line.provider_id, line.product_id), (Decimal(0), 0))
        more = _units(line.start, line.end, line.quantity, about)
        found[line.provider_id, line.product_id] = price + line.price_amount, units + more
    return tuple(_record(created, *resource, price, units) for resource, (price, units) in found.items())


def _record(created: BookingCreated, provider_id: str, product_id: str, price: Decimal, units: int) -> RecordRate:
    rate_plan = created.about.details.get("rate_plan") if created.about is not None else None
    return RecordRate(
        provider_id=provider_id,
        product_id=product_id,
        booking_id=created.booking_id,
        price_amount=price,
        price_currency=created.price_currency,
        units=units,
        rate_plan=rate_plan if isinstance(rate_plan, str) else None,
    )


def _units(start: datetime, end: datetime, quantity: int, about: About | None) -> int:
    """Nights of a stay; of everything else the quantity, whose slots the news does not tell."""
    if about is None or about.kind != "stay":
        return quantity
    try:
        return quantity * len(slots_of("nights", about.time_zone, start, end))
    except Unbookable:
        return quantity


class PlanUsage(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a resource was booked under one plan so far."""

    bookings: int = 0
    units: int = 0
    #: By currency.
    revenue: dict[str, Decimal] = {}


class Usage(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a resource was booked so far. Counted when a booking is asked for, whatever becomes of it."""

    bookings: int = 0
    units: int = 0
    #: By currency.
    revenue: dict[str, Decimal] = {}
    last_price: Decimal = Decimal(0)
    last_currency: str = ""
    last_booked_at: datetime | None = None
    #: By plan; "" stands for the base price. What was booked before plans were counted is in the sums only.
    plans: dict[str, PlanUsage] = {}


class Applied(msgspec.Struct, frozen=True):
    """The price one booking was made at."""

    price_amount: Decimal
    price_currency: str
    units: int
    applied_at: datetime


class Outlook(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is left of one night or slot, as last heard."""

    capacity: int
    held: int
    updated_at: datetime
    reviewed_at: datetime
    #: How many times it was found changed.
    reviews: int = 1


@dataclass(frozen=True, slots=True)
class RateBook:
    """What one decision looks at: the resource's usage, and the booking or the night in question."""

    usage: Usage | None = None
    applied: Applied | None = None
    outlook: Outlook | None = None


def decide(book: RateBook, message: RecordRate | ReviewRate, now: datetime) -> Decision[RateBook]:
    """The next state of the rows, and `RateApplied` the first time a booking's price is recorded."""
    if isinstance(message, ReviewRate):
        return Decision(_review(book, message, now))
    return Decision(book) if book.applied is not None else _apply(book, message, now)


def _apply(book: RateBook, message: RecordRate, now: datetime) -> Decision[RateBook]:
    before, price, currency = book.usage or Usage(), message.price_amount, message.price_currency
    usage = Usage(
        bookings=before.bookings + 1,
        units=before.units + message.units,
        revenue={**before.revenue, currency: before.revenue.get(currency, Decimal(0)) + price},
        last_price=price,
        last_currency=currency,
        last_booked_at=now,
        plans=_by_plan(before, message),
    )
    told = RateApplied(
        provider_id=message.provider_id,
        product_id=message.product_id,
        booking_id=message.booking_id,
        price_amount=price,
        price_currency=currency,
        applied_at=now,
    )
    return Decision(replace(book, usage=usage, applied=Applied(price, currency, message.units, now)), (told,))


def _by_plan(before: Usage, message: RecordRate) -> dict[str, PlanUsage]:
    name, currency = message.rate_plan or "", message.price_currency
    known = before.plans.get(name) or PlanUsage()
    after = PlanUsage(
        bookings=known.bookings + 1,
        units=known.units + message.units,
        revenue={**known.revenue, currency: known.revenue.get(currency, Decimal(0)) + message.price_amount},
    )
    return {**before.plans, name: after}


def _review(book: RateBook, message: ReviewRate, now: datetime) -> RateBook:
    """Takes what is new; what was told before the last news, or says the same, changes nothing."""
    before, told_at = book.outlook, message.updated_at or now
    if before is None:
        return replace(book, outlook=Outlook(message.capacity, message.held, told_at, now))
    if told_at < before.updated_at or (message.capacity, message.held) == (before.capacity, before.held):
        return book
    return replace(book, outlook=Outlook(message.capacity, message.held, told_at, now, before.reviews + 1))
