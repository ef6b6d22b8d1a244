"""The key figures of a property over some days, from its figures of each day (design 8). What is not known is None.

Two ways of counting stand side by side, as hotels have them: bookings, rates and pickup by the date a booking was made
on; nights, revenue and occupancy by the date they are for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

from domain.figures import NOTHING, Figures, summed
from domain.pricing import minor_unit

# A context of our own: the process's ambient one must not change a figure.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP, traps=[])
_RATIO = Decimal("0.0001")
_DAYS, _NIGHTS = Decimal("0.1"), Decimal("0.01")

#: Amounts by currency.
Sums = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Pickup:
    """What was booked on one date and stands, whenever it is for."""

    day: date
    bookings: int
    nights: int
    value: Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpis:
    """Ratios are fractions of 1 with four digits, amounts in the currency's digits."""

    bookings: int
    confirmed: int
    cancelled: int
    no_shows: int
    rejected: int
    expired: int
    nights_sold: int
    #: None without a resource that is taken by the night.
    nights_available: int | None
    occupancy: Decimal | None
    #: Of what stands, for these dates.
    revenue: Sums
    #: Room revenue by night sold, and by night available.
    adr: Sums | None
    revpar: Sums | None
    captured: Sums
    refunded: Sums
    #: Of the bookings that came about.
    cancellation_rate: Decimal | None
    #: Of those that were confirmed.
    no_show_rate: Decimal | None
    #: In days.
    average_lead_time: Decimal | None
    #: In nights, of the stays that begin in these days and stand.
    average_length_of_stay: Decimal | None
    pickup: tuple[Pickup, ...] = field(default=())


def kpis(days: Mapping[date, Figures], length: int, capacity: int | None) -> Kpis:
    """The key figures of `length` days; `days` has those with any, `capacity` the units there are of every night.

    The capacity in force now counts for all of them: what it was on a night that is over is not remembered.
    """
    total = NOTHING
    for figures in days.values():
        total = summed(total, figures)
    sold = sum(total.nights.values())
    available = None if capacity is None else capacity * length
    return Kpis(
        bookings=total.bookings,
        confirmed=total.confirmed,
        cancelled=total.cancelled,
        no_shows=total.no_shows,
        rejected=total.rejected,
        expired=total.expired,
        nights_sold=sold,
        nights_available=available,
        occupancy=_ratio(sold, available or 0),
        revenue=_revenue(total),
        adr={currency: _each(total, currency, nights) for currency, nights in total.nights.items()} or None,
        revpar={currency: _each(total, currency, available) for currency in total.rooms} or None if available else None,
        captured=total.captured,
        refunded=total.refunded,
        cancellation_rate=_ratio(total.cancelled, total.confirmed + total.withdrawn),
        no_show_rate=_ratio(total.no_shows, total.confirmed),
        average_lead_time=_ratio(total.lead_days, total.leads, _DAYS),
        average_length_of_stay=_ratio(total.arrival_nights, total.arrivals, _NIGHTS),
        pickup=tuple(
            Pickup(day, figures.bookings, figures.booked_nights, figures.booked)
            for day, figures in sorted(days.items())
            if figures.bookings
        ),
    )


def _revenue(total: Figures) -> Sums:
    return summed(Figures(other=total.rooms), Figures(other=total.other)).other


def _each(total: Figures, currency: str, nights: int) -> Decimal:
    return _EXACT.quantize(_EXACT.divide(total.rooms.get(currency, Decimal(0)), Decimal(nights)), minor_unit(currency))


def _ratio(part: int, whole: int, digits: Decimal = _RATIO) -> Decimal | None:
    return _EXACT.quantize(_EXACT.divide(Decimal(part), Decimal(whole)), digits) if whole else None
