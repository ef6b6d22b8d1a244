"""Trends and pace: steps, and what each is compared with."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.figures import Figures
from domain.kpis import kpis
from domain.metrics import METRICS, value_of
from domain.pace import pace
from domain.trends import Period, periods, reach, trend

MONDAY = date(2026, 11, 30)


def sold(units: int, price: str = "0", leads: dict[str, int] | None = None) -> Figures:
    rooms = {"EUR": Decimal(price)} if Decimal(price) else {}
    return Figures(nights={"EUR": units}, rooms=rooms, leads_of_nights=leads or {"0": units})


def test_steps_are_cut_at_the_ends_and_weeks_begin_on_monday() -> None:
    assert periods(MONDAY, MONDAY + timedelta(days=1), "day") == [
        Period(MONDAY, MONDAY),
        Period(date(2026, 12, 1), date(2026, 12, 1)),
    ]
    assert periods(date(2026, 11, 27), date(2026, 12, 8), "week") == [
        Period(date(2026, 11, 27), date(2026, 11, 29)),
        Period(MONDAY, date(2026, 12, 6)),
        Period(date(2026, 12, 7), date(2026, 12, 8)),
    ]
    assert periods(date(2026, 11, 15), date(2027, 1, 2), "month") == [
        Period(date(2026, 11, 15), MONDAY),
        Period(date(2026, 12, 1), date(2026, 12, 31)),
        Period(date(2027, 1, 1), date(2027, 1, 2)),
    ]


def test_a_day_is_compared_with_the_day_before_and_the_same_weekday_a_year_ago() -> None:
    days = {MONDAY: sold(12), date(2026, 11, 29): sold(8), MONDAY - timedelta(days=364): sold(10)}
    (point,) = trend(days, MONDAY, MONDAY, "day", "nights_sold", None)[None]
    # 12 beside 8, and beside 10.
    assert (point.value, point.on_step, point.on_year) == (Decimal(12), Decimal("0.5000"), Decimal("0.2000"))
    assert (MONDAY - timedelta(days=364)).weekday() == MONDAY.weekday() == 0


def test_a_month_that_is_not_over_is_compared_with_as_many_days() -> None:
    days = {
        date(2026, 12, 5): sold(6),
        date(2026, 11, 5): sold(3),
        date(2026, 11, 20): sold(50),
        date(2025, 12, 1): sold(4),
    }
    (point,) = trend(days, date(2026, 12, 1), date(2026, 12, 10), "month", "nights_sold", None)[None]
    assert (point.on_step, point.on_year) == (Decimal("1.0000"), Decimal("0.5000"))
    (whole,) = trend({**days}, date(2026, 12, 1), date(2026, 12, 31), "month", "nights_sold", None)[None]
    assert whole.on_step == Decimal("-0.8868"), "6 beside 53, of all of November"


def test_weeks_are_compared_with_weeks_and_what_is_not_there_with_nothing() -> None:
    days = {MONDAY: sold(4)}
    (point,) = trend(days, MONDAY, MONDAY + timedelta(days=6), "week", "occupancy", 2)[None]
    assert (point.value, point.on_step) == (Decimal("0.2857"), None), "4 of 14; the week before had none"
    (unknown,) = trend(days, MONDAY, MONDAY, "day", "no_show_rate", None)[None]
    assert (unknown.value, unknown.on_step) == (None, None)


def test_amounts_have_a_series_for_each_currency() -> None:
    days = {
        MONDAY: sold(1, "100"),
        date(2026, 12, 1): Figures(nights={"USD": 1}, rooms={"USD": Decimal(90)}),
    }
    found = trend(days, MONDAY, date(2026, 12, 1), "day", "adr", None)
    assert {currency: [each.value for each in points] for currency, points in found.items()} == {
        "EUR": [Decimal("100.00"), None],
        "USD": [None, Decimal("90.00")],
    }
    assert trend({}, MONDAY, MONDAY, "day", "revpar", None) == {}


def test_what_it_is_compared_with_begins_a_year_before() -> None:
    assert reach(MONDAY, "day") == MONDAY - timedelta(days=364)
    assert reach(MONDAY, "week") == MONDAY - timedelta(days=364)
    assert reach(date(2026, 3, 31), "month") == date(2025, 3, 31)
    assert reach(date(2024, 2, 29), "month") == date(2023, 2, 28)


@pytest.mark.parametrize("metric", METRICS)
def test_every_figure_has_a_name(metric: str) -> None:
    figures = Figures(
        bookings=2,
        confirmed=2,
        cancelled=1,
        no_shows=1,
        leads=2,
        lead_days=4,
        booked_nights=3,
        nights={"EUR": 2},
        rooms={"EUR": Decimal(80)},
        arrivals=1,
        arrival_nights=2,
    )
    expected = {
        "occupancy": "0.5000",
        "nights_sold": "2",
        "bookings": "2",
        "cancellations": "1",
        "pickup": "3",
        "cancellation_rate": "0.5000",
        "no_show_rate": "0.5000",
        "lead_time": "2.0",
        "length_of_stay": "2.00",
        "revenue": "80",
        "adr": "40.00",
        "revpar": "20.00",
    }
    assert value_of(metric, kpis({MONDAY: figures}, 1, 4), "EUR") == Decimal(expected[metric])


def test_pace_is_beside_the_same_weekdays_at_the_same_distance() -> None:
    night, earlier = MONDAY, MONDAY - timedelta(weeks=52)
    # A year ago four were booked a month before, two in the last week: ten days before it there were four.
    days = {night: sold(5, leads={"30": 5}), earlier: sold(6, leads={"30": 4, "5": 2})}
    found = pace(days, night, night, None, 52, night - timedelta(days=10))
    assert (found.nights, found.compared, found.final) == (Decimal("5.0"), Decimal("4.0"), 6)
    assert found.change == Decimal("0.2500")


def test_pace_as_of_a_date_leaves_out_what_was_booked_since() -> None:
    days = {MONDAY: sold(5, leads={"30": 3, "2": 2})}
    found = pace(days, MONDAY, MONDAY, MONDAY - timedelta(days=14), 52, MONDAY)
    assert (found.nights, found.compared, found.change) == (Decimal("3.0"), Decimal("0.0"), None)
    assert pace(days, MONDAY, MONDAY, MONDAY, 52, MONDAY).nights == Decimal("5.0")
