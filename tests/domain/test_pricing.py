"""What a line costs, to the minor unit of its currency."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, localcontext

import pytest

from domain.calendar import Unbookable
from domain.pricing import is_precise, minor_unit, quote
from tests.domain.messages import declare, night


def test_a_stay_costs_its_nights_times_its_units() -> None:
    assert quote(declare(price="120.50"), night(0), night(3), 2) == Decimal("723.00")


def test_minutes_cost_by_the_slot_touched() -> None:
    practice = declare(price="40", slots=15)
    assert quote(practice, night(0), night(0) + timedelta(minutes=20), 1) == Decimal("80.00")


@pytest.mark.parametrize(
    ("price", "currency", "expected"), [("33.335", "EUR", "33.34"), ("100.5", "JPY", "101"), ("1.0005", "KWD", "1.001")]
)
def test_a_price_is_rounded_to_what_the_currency_can_pay(price: str, currency: str, expected: str) -> None:
    total = quote(declare(price=price, currency=currency), night(0), night(1), 1)
    assert str(total) == expected


def test_the_process_cannot_change_what_something_costs() -> None:
    with localcontext() as context:
        context.prec = 3
        assert quote(declare(price="1234.56"), night(0), night(7), 3) == Decimal("25925.76")


def test_a_period_without_slots_has_no_price() -> None:
    with pytest.raises(Unbookable, match="invalid_period"):
        quote(declare(), night(1), night(0), 1)


@pytest.mark.parametrize(
    ("amount", "currency", "precise"),
    [
        ("10", "EUR", True),
        ("10.50", "EUR", True),
        ("10.500000", "EUR", True),
        ("10.505", "EUR", False),
        ("10", "JPY", True),
        ("10.5", "JPY", False),
        ("1.234", "KWD", True),
        ("1E+90", "EUR", False),
        ("NaN", "EUR", False),
    ],
)
def test_an_amount_is_precise_if_the_currency_can_pay_it(amount: str, currency: str, precise: bool) -> None:
    assert is_precise(Decimal(amount), currency) is precise


def test_minor_units_follow_the_currency() -> None:
    assert [minor_unit(code) for code in ("EUR", "JPY", "KWD")] == [Decimal("0.01"), Decimal(1), Decimal("0.001")]
