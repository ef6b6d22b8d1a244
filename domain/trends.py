"""How a figure went, step by step: each beside the step before it and the same one a year ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Literal

from domain.figures import Figures
from domain.kpis import Kpis, kpis
from domain.metrics import AMOUNTS, currencies_of, value_of

Step = Literal["day", "week", "month"]
#: A year of whole weeks, so that a day or week is compared with the same weekdays.
YEAR = timedelta(weeks=52)

_EXACT = Context(prec=60, rounding=ROUND_HALF_UP, traps=[])
_RATIO = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, included."""

    first: date
    last: date

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Point:
    """A step's value, and by which part of the other it differs from that of the step before and of a year ago.

    None where one of the two is not known, or the other is nothing.
    """

    period: Period
    value: Decimal | None
    on_step: Decimal | None
    on_year: Decimal | None


def periods(first: date, last: date, step: Step) -> list[Period]:
    """The steps from `first` to `last`, the first and last cut there; weeks begin on Monday."""
    found = []
    while first <= last:
        end = min(_end_of(first, step), last)
        found.append(Period(first, end))
        first = end + timedelta(days=1)
    return found


def reach(first: date, step: Step) -> date:
    """The first day that the trend from `first` on is compared with."""
    before = _before(Period(first, first), step).first
    return min(before, _year_before(Period(first, first), step).first)


def trend(
    days: Mapping[date, Figures], first: date, last: date, step: Step, metric: str, capacity: int | None
) -> dict[str | None, list[Point]]:
    """The points of each currency; of what is no amount, those of None."""
    steps = periods(first, last, step)
    known: dict[Period, Kpis] = {}

    def figure(period: Period, currency: str | None) -> Decimal | None:
        if period not in known:
            inside = {day: each for day, each in days.items() if period.first <= day <= period.last}
            known[period] = kpis(inside, period.length, capacity)
        return value_of(metric, known[period], currency)

    def point(period: Period, currency: str | None) -> Point:
        value = figure(period, currency)
        before = figure(_before(period, step), currency)
        return Point(
            period, value, _change(value, before), _change(value, figure(_year_before(period, step), currency))
        )

    series: list[str | None] = [None]
    if metric in AMOUNTS:
        series = sorted(currencies_of(metric, kpis(dict(days), 1, capacity)))  # type: ignore[assignment]
    return {currency: [point(period, currency) for period in steps] for currency in series}


def _change(value: Decimal | None, other: Decimal | None) -> Decimal | None:
    if value is None or not other:
        return None
    return _EXACT.quantize(_EXACT.divide(value - other, other), _RATIO)


def _end_of(day: date, step: Step) -> date:
    if step == "day":
        return day
    if step == "week":
        return day + timedelta(days=6 - day.weekday())
    return _month_later(day.replace(day=1)) - timedelta(days=1)


def _before(period: Period, step: Step) -> Period:
    """The step before, as much of it as this one has: a month that is not over is compared with as many days."""
    if step != "month":
        back = timedelta(days=1 if step == "day" else 7)
        return Period(period.first - back, period.last - back)
    return _months_back(period, 1)


def _year_before(period: Period, step: Step) -> Period:
    if step != "month":
        return Period(period.first - YEAR, period.last - YEAR)
    return _months_back(period, 12)


def _months_back(period: Period, months: int) -> Period:
    number = period.first.year * 12 + period.first.month - 1 - months
    begin = date(number // 12, number % 12 + 1, 1)
    end = _month_later(begin) - timedelta(days=1)
    whole = period.last == _month_later(period.last.replace(day=1)) - timedelta(days=1)
    last = end if whole else begin.replace(day=min(period.last.day, end.day))
    return Period(begin.replace(day=min(period.first.day, end.day)), last)


def _month_later(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
