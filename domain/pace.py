"""Booking pace: what is on the books for some nights, beside what the same weekdays had as long before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

from domain.figures import NOTHING, Figures
from domain.forecast import booked_within, units_of

_EXACT = Context(prec=60, rounding=ROUND_HALF_UP, traps=[])
_TENTH, _RATIO = Decimal("0.1"), Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Pace:
    """Units on the books, as of the same distance to their nights: of these nights, and of those they are compared
    with, of which `final` is what they came to. `change` is the part by which there are more or less; None of nothing.

    Counted is what still stands: what was cancelled since is on neither side.
    """

    nights: Decimal
    compared: Decimal
    final: int
    change: Decimal | None


def pace(days: Mapping[date, Figures], first: date, last: date, as_of: date | None, weeks: int, today: date) -> Pace:
    """The pace of the nights from `first` to `last` as of a date, beside the nights so many weeks earlier.

    Without a date it is as of today, and then that of these nights is exact. How long before its night a unit was
    booked is known to the step (`domain.figures.LEADS`): of one that a date cuts its part counts.
    """
    back = timedelta(weeks=weeks)
    nights = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if as_of is None:
        now = Decimal(sum(units_of(days.get(night, NOTHING)) for night in nights))
    else:
        now = sum((_on_the_books(days.get(night, NOTHING), night, as_of) for night in nights), Decimal(0))
    earlier = [(days.get(night - back, NOTHING), night - back) for night in nights]
    then = sum((_on_the_books(figures, night, (as_of or today) - back) for figures, night in earlier), Decimal(0))
    return Pace(
        nights=_EXACT.quantize(now, _TENTH),
        compared=_EXACT.quantize(then, _TENTH),
        final=sum(units_of(figures) for figures, _ in earlier),
        change=_EXACT.quantize(_EXACT.divide(now - then, then), _RATIO) if then else None,
    )


def _on_the_books(figures: Figures, night: date, as_of: date) -> Decimal:
    """Units booked on `as_of` at the latest: all but those booked nearer to the night than it is."""
    nearer = (night - as_of).days - 1
    return units_of(figures) - (booked_within(figures, nearer) if nearer >= 0 else Decimal(0))
