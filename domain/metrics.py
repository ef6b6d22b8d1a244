"""Single figures by name: what a trend is drawn of, and what an alert watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from domain.kpis import Kpis, Sums

#: Amounts of money: one for each currency.
AMOUNTS: Mapping[str, Callable[[Kpis], Sums | None]] = {
    "revenue": lambda found: found.revenue,
    "adr": lambda found: found.adr,
    "revpar": lambda found: found.revpar,
}
#: Ratios as fractions of 1, means in days and nights, and counts.
NUMBERS: Mapping[str, Callable[[Kpis], Decimal | int | None]] = {
    "occupancy": lambda found: found.occupancy,
    "nights_sold": lambda found: found.nights_sold,
    "bookings": lambda found: found.bookings,
    "cancellations": lambda found: found.cancelled,
    "pickup": lambda found: sum(each.nights for each in found.pickup),
    "cancellation_rate": lambda found: found.cancellation_rate,
    "no_show_rate": lambda found: found.no_show_rate,
    "lead_time": lambda found: found.average_lead_time,
    "length_of_stay": lambda found: found.average_length_of_stay,
}
METRICS = (*NUMBERS, *AMOUNTS)


def value_of(metric: str, found: Kpis, currency: str | None = None) -> Decimal | None:
    """A figure by its name; of amounts that in one currency. None where it is not known."""
    if metric in AMOUNTS:
        return (AMOUNTS[metric](found) or {}).get(currency or "")
    value = NUMBERS[metric](found)
    return Decimal(value) if value is not None else None


def currencies_of(metric: str, found: Kpis) -> set[str]:
    """The currencies an amount is known in; of other figures none."""
    return set(AMOUNTS[metric](found) or {}) if metric in AMOUNTS else set()
