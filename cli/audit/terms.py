"""What a booking may be cancelled for, by the auditor's own reading of the request, and what was asked and told of it.

A tier of the request's policy ends so many local dates before the arrival, at an hour there, or so many hours before
it. The first tier that has not ended says what is kept; once all have, everything is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from cli.audit.wire import Body, money

_FREE, _EVERYTHING = {"percent": 0}, {"percent": 100}


class Terms(NamedTuple):
    """What the request says of its cancellation."""

    #: None: free until `arrival`, nothing back from then on.
    policy: Body | None
    #: What the tiers are counted back from.
    arrival: datetime
    first: date
    last: date
    time_zone: str
    currency: str

    @property
    def nights(self) -> int:
        return max((self.last - self.first).days, 1)


class Ask(NamedTuple):
    """One record that asks to cancel a booking, or says that its guest left or never came. `at` in milliseconds."""

    offset: int
    at: int
    #: The fee its caller agreed to.
    expected: Decimal | None = None


def terms_of(request: Body) -> Terms | None:
    """The terms of a request; None of one that says none."""
    if not request.get("free_until") or not request.get("lines"):
        return None
    zone = str(request.get("time_zone") or "UTC")
    first, last = dates(((line["start"], line["end"]) for line in request["lines"]), zone)
    arrival = datetime.fromisoformat(request["free_until"])
    return Terms(request.get("policy"), arrival, first, last, zone, str(request["price_currency"]))


def dates(periods: Iterator[tuple[str, str]], time_zone: str) -> tuple[date, date]:
    """The local dates from the earliest start to the latest end."""
    zone, both = ZoneInfo(time_zone), [tuple(map(datetime.fromisoformat, period)) for period in periods]
    return (
        min(start for start, _ in both).astimezone(zone).date(),
        max(end for _, end in both).astimezone(zone).date(),
    )


def fee_at(terms: Terms, price: Decimal, at: int | None) -> Decimal:
    """What is kept of `price` by who cancels at that time (in milliseconds); None is the end of all times."""
    now = None if at is None else datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at)
    for end, fee in _tiers(terms.policy):
        if end is None or (now is not None and now < _instant(terms, end)):
            return min(_kept(fee, terms, price), price)
    return price


def early_refund(terms: Terms, price: Decimal, at: int) -> Decimal:
    """What goes back of `price` to who leaves at that time (in milliseconds), having paid for a night at least."""
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(terms.time_zone)).date()
    given_up = (terms.last - max(local, terms.first + timedelta(days=1))).days
    percent = int((terms.policy or {}).get("early_departure_refund", 0))
    return whole(Fraction(price) * max(given_up, 0) * percent / (terms.nights * 100), terms.currency)


def _tiers(policy: Body | None) -> Iterator[tuple[Body | None, Body]]:
    if policy is None:
        yield {"hours": 0}, _FREE
    else:
        if policy.get("free_until") is not None:
            yield policy["free_until"], _FREE
        yield from ((tier.get("until"), tier["fee"]) for tier in policy.get("then", ()))
    yield None, _EVERYTHING


def _instant(terms: Terms, end: Body) -> datetime:
    if end.get("days") is None:
        return terms.arrival - timedelta(hours=int(end.get("hours") or 0))
    zone = ZoneInfo(terms.time_zone)
    day = terms.arrival.astimezone(zone).date() - timedelta(days=int(end["days"]))
    hour, minute = map(int, str(end.get("at", "00:00")).split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)


def _kept(fee: Body, terms: Terms, price: Decimal) -> Decimal:
    if fee.get("amount") is not None:
        exact = Fraction(money(fee["amount"]))
    elif fee.get("nights") is not None:
        exact = Fraction(price) * int(fee["nights"]) / terms.nights
    else:
        exact = Fraction(price) * int(fee["percent"]) / 100
    return whole(exact, terms.currency)


def whole(exact: Fraction, currency: str) -> Decimal:
    """Half up to the currency's smallest unit."""
    unit: Any = Fraction(1, 10 ** get_currency_precision(currency))
    count = (exact / unit + Fraction(1, 2)).__floor__()
    return (Decimal(count) * Decimal(unit.numerator) / Decimal(unit.denominator)).quantize(
        Decimal(1).scaleb(-get_currency_precision(currency)), ROUND_HALF_UP
    )
