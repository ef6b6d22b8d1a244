"""The daily report as a page that prints by itself, and as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined, Template

from web.analytics import KpisOut
from web.answers import Money

if TYPE_CHECKING:
    from web.reports import ReportOut

_WIDTH, _HEIGHT, _TOP, _BOTTOM, _LEFT = 760, 200, 12, 24, 36
#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Bar:
    """One night of the plot, in its units."""

    x: float
    width: float
    sold: float
    sold_y: float
    expected: float
    expected_y: float
    label: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the plot."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Plot:
    width: int
    height: int
    lines: Sequence[Rule]
    bars: Sequence[Bar]


def as_page(report: ReportOut) -> str:
    """One HTML page with everything in it."""
    columns = _columns(report)
    rows = [(name, [_cell(report, kpis, field) for _, kpis in columns]) for field, name in _FIGURES.items()]
    return _template().render(report=report, columns=columns, rows=rows, money=_money, plot=_plot(report))


def as_csv(report: ReportOut) -> str:
    """Section, figure, currency and value in each line; of an amount as many lines as there are currencies."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("section", "figure", "currency", "value"))
    writer.writerows([_safe(cell) for cell in row] for row in _rows(report))
    return out.getvalue()


def _rows(report: ReportOut) -> Iterator[tuple[object, ...]]:
    yield "report", "property_id", "", report.property_id
    yield "report", "date", "", report.day
    for section, kpis in (("day", report.today), ("month_to_date", report.month), ("next_30_days", report.ahead)):
        for name in _FIGURES:
            yield from _figure(section, name, getattr(kpis, name))
    for each in report.pickup:
        section = f"pickup {each.day}"
        for name in ("bookings", "nights", "value"):
            yield from _figure(section, name, getattr(each, name))
    for night in report.nights:
        section = f"night {night.night}"
        for name in ("on_the_books", "expected", "booked", "revenue"):
            yield from _figure(section, name, getattr(night, name))
    for name in ("nights", "days_ahead", "units", "part"):
        yield from _figure("forecast_error", name, getattr(report.error, name))
    for alert in report.alerts:
        yield f"alert {alert.alert_id}", f"{alert.metric} {alert.state}", alert.currency or "", alert.value


def _figure(section: str, name: str, value: Any) -> Iterator[tuple[object, ...]]:
    if isinstance(value, list):
        for sum_ in value:
            yield section, name, sum_.currency, sum_.amount
    else:
        yield section, name, "", value


def _safe(cell: object) -> object:
    """A text that a spreadsheet would take for a formula begins with an apostrophe. Numbers are left alone."""
    if not isinstance(cell, str) or not cell.startswith(_FORMULA):
        return "" if cell is None else cell
    return f"'{cell}"


_FIGURES = {
    "nights_sold": "Nights sold",
    "nights_available": "Nights available",
    "occupancy": "Occupancy",
    "adr": "ADR",
    "revpar": "RevPAR",
    "revenue": "Revenue",
    "bookings": "Bookings made",
    "cancellation_rate": "Cancelled",
    "no_show_rate": "Never came",
    "average_lead_time": "Lead time, days",
    "average_length_of_stay": "Length of stay, nights",
    "captured": "Taken",
    "refunded": "Given back",
}
#: By the date of booking, or of the payment.
_BY_BOOKING = frozenset({"bookings", "cancellation_rate", "no_show_rate", "average_lead_time", "captured", "refunded"})
_PERCENT = frozenset({"occupancy", "cancellation_rate", "no_show_rate"})


def _columns(report: ReportOut) -> list[tuple[str, KpisOut]]:
    return [("Day", report.today), ("Month to date", report.month), ("Next 30 days", report.ahead)]


def _cell(report: ReportOut, kpis: KpisOut, field: str) -> str:
    """Nothing has been booked on days to come: of these only what is for them says anything."""
    return "" if kpis is report.ahead and field in _BY_BOOKING else _shown(kpis, field)


def _shown(kpis: KpisOut, field: str) -> str:
    value = getattr(kpis, field)
    if value is None or value == []:
        return "-"
    if isinstance(value, list):
        return _money(value)
    return f"{value * 100:.1f} %" if field in _PERCENT else f"{value:,}"


def _money(sums: Sequence[Money]) -> str:
    return ", ".join(f"{Decimal(each.amount):,} {each.currency}" for each in sums) or "-"


def _plot(report: ReportOut) -> Plot:
    """A bar for each night: what is on the books, and above it what is expected."""
    top = max([report.capacity or 0, 1, *(max(each.expected, each.on_the_books) for each in report.nights)])
    scale, floor = (_HEIGHT - _TOP - _BOTTOM) / top, _HEIGHT - _BOTTOM
    step = (_WIDTH - _LEFT) / max(len(report.nights), 1)
    bars = []
    for number, each in enumerate(report.nights):
        sold, expected = round(each.on_the_books * scale, 1), round(each.expected * scale, 1)
        label = f"{each.night.day}/{each.night.month}" if number % 5 == 0 else ""
        x, width = round(_LEFT + number * step + step * 0.1, 1), round(step * 0.8, 1)
        bars.append(Bar(x, width, sold, floor - sold, expected, floor - expected, label))
    marks = [Rule(floor - each * scale, f"{each:g}") for each in (0, top / 2, top)]
    return Plot(_WIDTH, _HEIGHT, marks, bars)


@cache
def _template() -> Template:
    text = resources.files("web").joinpath("static", "report.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(text)
