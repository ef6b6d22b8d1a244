"""Key figures from the figures of days (HTL-06, HTL-23)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from domain.figures import Figures
from domain.kpis import kpis

DAY, NEXT = date(2026, 12, 24), date(2026, 12, 25)
EUR, USD = "EUR", "USD"


@pytest.mark.proves("HTL-06", "HTL-23")
def test_occupancy_adr_and_revpar_are_of_the_nights_in_the_period() -> None:
    days = {
        DAY: Figures(nights={EUR: 3}, rooms={EUR: Decimal("300.00")}),
        NEXT: Figures(nights={EUR: 1}, rooms={EUR: Decimal("50.01")}, other={EUR: Decimal("9.99")}),
    }
    found = kpis(days, length=2, capacity=5)
    assert (found.nights_sold, found.nights_available, found.occupancy) == (4, 10, Decimal("0.4000"))
    assert found.adr == {EUR: Decimal("87.50")}
    assert found.revpar == {EUR: Decimal("35.00")}
    assert found.revenue == {EUR: Decimal("360.00")}


def test_currencies_are_never_mixed() -> None:
    days = {
        DAY: Figures(nights={EUR: 1, USD: 2}, rooms={EUR: Decimal(100), USD: Decimal(300)}),
        NEXT: Figures(other={"JPY": Decimal(5000)}),
    }
    found = kpis(days, length=2, capacity=3)
    assert found.adr == {EUR: Decimal(100), USD: Decimal(150)}
    assert found.revpar == {EUR: Decimal("16.67"), USD: Decimal(50)}
    assert found.revenue == {EUR: Decimal(100), USD: Decimal(300), "JPY": Decimal(5000)}


def test_nights_that_cost_nothing_have_a_rate_of_nothing() -> None:
    found = kpis({DAY: Figures(nights={EUR: 2})}, length=1, capacity=2)
    assert (found.adr, found.revpar, found.revenue) == ({EUR: Decimal("0.00")}, None, {})


@pytest.mark.proves("HTL-06")
def test_rates_are_of_the_bookings_that_came_about() -> None:
    made = Figures(
        bookings=10, confirmed=7, cancelled=3, withdrawn=1, rejected=1, expired=1, no_shows=1, leads=4, lead_days=10
    )
    found = kpis({DAY: made}, length=1, capacity=None)
    assert (found.bookings, found.rejected, found.expired, found.no_shows) == (10, 1, 1, 1)
    assert (found.cancellation_rate, found.no_show_rate) == (Decimal("0.3750"), Decimal("0.1429"))
    assert found.average_lead_time == Decimal("2.5")


def test_pickup_is_what_was_booked_on_each_day_and_stands() -> None:
    days = {
        NEXT: Figures(bookings=2, booked_nights=3, booked={EUR: Decimal(90)}),
        DAY: Figures(bookings=1),
        date(2026, 12, 26): Figures(nights={EUR: 1}),
    }
    found = kpis(days, length=3, capacity=1)
    assert [(each.day, each.bookings, each.nights, each.value) for each in found.pickup] == [
        (DAY, 1, 0, {}),
        (NEXT, 2, 3, {EUR: Decimal(90)}),
    ]


def test_money_is_summed_as_it_moved() -> None:
    days = {
        DAY: Figures(captured={EUR: Decimal("10.10")}),
        NEXT: Figures(captured={EUR: Decimal("0.90")}, refunded={EUR: Decimal(1)}),
    }
    found = kpis(days, length=2, capacity=1)
    assert (found.captured, found.refunded) == ({EUR: Decimal("11.00")}, {EUR: Decimal(1)})


def test_what_is_not_known_is_not_made_up() -> None:
    found = kpis({}, length=30, capacity=None)
    assert (found.bookings, found.nights_sold, found.revenue, found.pickup) == (0, 0, {}, ())
    unknown = (
        found.nights_available,
        found.occupancy,
        found.adr,
        found.revpar,
        found.cancellation_rate,
        found.no_show_rate,
        found.average_lead_time,
    )
    assert set(unknown) == {None}
    assert kpis({}, length=30, capacity=0).occupancy is None
    assert kpis({}, length=30, capacity=1).occupancy == 0
