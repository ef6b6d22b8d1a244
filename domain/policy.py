"""What a cancellation policy says at a time: which of its tiers holds, until when, and the fee.

A tier ends so many local calendar days before the arrival, at an hour there, or so many elapsed hours before it. An
hour that a change of clocks skips comes as much later, and one that it repeats is the first of the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.calendar import Unbookable, zone
from domain.pricing import share
from streams.events.policy import Before, CancellationPolicy, Fee

_NOTHING, _EVERYTHING = Fee(percent=0), Fee(percent=100)


@dataclass(frozen=True, slots=True)
class Sold:
    """What a policy is asked about: from when its tiers are counted back, and what is paid for."""

    arrival: datetime
    time_zone: str
    price: Decimal
    currency: str
    nights: int


@dataclass(frozen=True, slots=True)
class Term:
    """A tier as it holds for one booking."""

    fee: Decimal
    #: As it was declared.
    rule: Fee
    #: The first instant it does not hold any more; None if it holds for good.
    until: datetime | None


def term_at(policy: CancellationPolicy, sold: Sold, now: datetime) -> Term:
    """The tier that holds at `now`: the first one that has not ended."""
    return next(term for term in terms(policy, sold) if term.until is None or now < term.until)


def terms(policy: CancellationPolicy, sold: Sold) -> Iterator[Term]:
    """Every tier in order; the last one has no end."""
    for end, fee in _tiers(policy):
        until = instant_of(end, sold.arrival, sold.time_zone) if end is not None else None
        yield Term(fee_of(fee, sold), fee, until)


def final_term(policy: CancellationPolicy, sold: Sold) -> Term:
    """The tier that holds in the end, for a guest who never comes."""
    return next(term for term in terms(policy, sold) if term.until is None)


def fee_of(fee: Fee, sold: Sold) -> Decimal:
    """In whole minor units, half up, and never more than the price."""
    match fee:
        case Fee(percent=int(percent)):
            amount = share(sold.price, percent, 100, sold.currency)
        case Fee(nights=int(nights)):
            amount = share(sold.price, nights, sold.nights, sold.currency)
        case Fee(amount=Decimal() as fixed):
            amount = share(fixed, 1, 1, sold.currency)
        case _:
            amount = sold.price
    return min(amount, sold.price)


def instant_of(before: Before, arrival: datetime, time_zone: str) -> datetime:
    """The instant, in UTC, that is so long before an arrival."""
    if before.days is None:
        return arrival - timedelta(hours=before.hours or 0)
    local = _zone(time_zone)
    day = arrival.astimezone(local).date() - timedelta(days=before.days)
    return datetime.combine(day, time.fromisoformat(before.at), local).astimezone(UTC)


def _tiers(policy: CancellationPolicy) -> Iterator[tuple[Before | None, Fee]]:
    if policy.free_until is not None:
        yield policy.free_until, _NOTHING
    for tier in policy.then:
        yield tier.until, tier.fee
    yield None, _EVERYTHING


def _zone(name: str) -> ZoneInfo:
    """The zone of a booking; the gateway knew it when it was declared."""
    try:
        return zone(name)
    except Unbookable:
        return ZoneInfo("UTC")
