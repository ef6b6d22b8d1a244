"""What a property's nights to come will bring: what is on the books, and what past nights of that weekday still got.

The additive pickup method of hotel revenue management: a night so many days ahead gets, on top of what it has, what
comparable nights got on the mean from that many days before them on. Its error is told with it: the same forecast made
for nights that are over, with what was known then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

from domain.figures import LEADS, NOTHING, Figures
from domain.kpis import Sums
from domain.pricing import minor_unit

#: Comparable nights: those of the same weekday of so many weeks.
WEEKS = 8
#: The nights, over by now, that the error is taken from, and how many days ahead they are forecast for that.
TESTED, TESTED_AHEAD = 28, 7

_EXACT = Context(prec=60, rounding=ROUND_HALF_UP, traps=[])
_TENTH, _RATIO = Decimal("0.1"), Decimal("0.0001")
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One night: units on the books, units expected to come, and the revenue of both. Units with one digit."""

    night: date
    on_the_books: int
    pickup: Decimal
    expected: Decimal
    #: Revenue on the books.
    booked: Sums
    #: With what is expected to come, at the mean rate of the night or of comparable ones.
    revenue: Sums
    #: How many nights that are over it was compared with; none: what is on the books is all there is to say.
    comparable: int


@dataclass(frozen=True, slots=True)
class Error:
    """How far forecasts of nights that are over were off, on the mean: in units, and as a part of what came."""

    nights: int
    days_ahead: int
    units: Decimal | None
    part: Decimal | None


def forecast(days: Mapping[date, Figures], night: date, today: date, capacity: int | None) -> Outlook:
    """The outlook of a night from `today` on. `days` has the figures there are, also of the weeks before; `capacity`
    the units there are, which no forecast exceeds unless more is sold already.
    """
    figures = days.get(night, NOTHING)
    sold, past = units_of(figures), comparable(days, night, today)
    pickup = _mean([booked_within(each, (night - today).days) for each in past])
    if capacity is not None:
        pickup = min(pickup, Decimal(max(capacity - sold, 0)))
    return Outlook(
        night=night,
        on_the_books=sold,
        pickup=_EXACT.quantize(pickup, _TENTH),
        expected=_EXACT.quantize(sold + pickup, _TENTH),
        booked=figures.rooms,
        revenue=_revenue(figures, past, pickup),
        comparable=len(past),
    )


def error_of(days: Mapping[date, Figures], today: date) -> Error:
    """The mean error of the last nights that are over, each forecast as it would have been then."""
    tried = [(night, night - timedelta(days=TESTED_AHEAD)) for night in _before(today, TESTED)]
    misses, came = [], Decimal(0)
    for night, then in tried:
        past = comparable(days, night, then)
        if not past:
            continue
        figures = days.get(night, NOTHING)
        known = units_of(figures) - booked_within(figures, TESTED_AHEAD)
        actual = Decimal(units_of(figures))
        misses.append(abs(known + _mean([booked_within(each, TESTED_AHEAD) for each in past]) - actual))
        came += actual
    if not misses:
        return Error(0, TESTED_AHEAD, None, None)
    part = _EXACT.quantize(_EXACT.divide(sum(misses, Decimal(0)), came), _RATIO) if came else None
    return Error(len(misses), TESTED_AHEAD, _EXACT.quantize(_mean(misses), _TENTH), part)


def comparable(days: Mapping[date, Figures], night: date, today: date) -> list[Figures]:
    """Nights of the same weekday that are over on `today`, the latest ones; from the first that anything was sold of
    on, for before that the property was not there yet.
    """
    first = min((day for day, figures in days.items() if figures.leads_of_nights), default=today)
    latest = night
    while latest >= today:
        latest -= _WEEK
    found = [latest - number * _WEEK for number in range(WEEKS)]
    return [days.get(day, NOTHING) for day in found if day >= first]


def _before(today: date, number: int) -> list[date]:
    return [today - timedelta(days=back) for back in range(1, number + 1)]


def units_of(figures: Figures) -> int:
    return sum(figures.nights.values())


def booked_within(figures: Figures, days: int) -> Decimal:
    """Units booked at most so many days before their night; of the step that this cuts, its part."""
    found = Decimal(0)
    for number, begin in enumerate(LEADS):
        units = figures.leads_of_nights.get(str(begin), 0)
        if units and begin <= days:
            end = LEADS[number + 1] if number + 1 < len(LEADS) else begin + 365
            found += units * min(Decimal(days + 1 - begin) / (end - begin), Decimal(1))
    return max(found, Decimal(0))


def _mean(values: list[Decimal]) -> Decimal:
    return _EXACT.divide(sum(values, Decimal(0)), Decimal(len(values))) if values else Decimal(0)


def _revenue(figures: Figures, past: list[Figures], pickup: Decimal) -> Sums:
    """What comes is expected in the currencies, and at the rates, that the night or comparable ones were sold in."""
    basis = [figures] if units_of(figures) else past
    nights: dict[str, int] = {}
    rooms: dict[str, Decimal] = {}
    for each in basis:
        for currency, units in each.nights.items():
            nights[currency] = nights.get(currency, 0) + units
            rooms[currency] = rooms.get(currency, Decimal(0)) + each.rooms.get(currency, Decimal(0))
    total = sum(nights.values())
    found = dict(figures.rooms)
    for currency in nights if pickup and total else ():
        # Its share of the units, at its mean rate: rooms / units * pickup * units / total.
        more = _EXACT.divide(_EXACT.multiply(rooms[currency], pickup), Decimal(total))
        found[currency] = _EXACT.quantize(found.get(currency, Decimal(0)) + more, minor_unit(currency))
    return found
