"""Sums at the edge are exact."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.bodies import check, parse
from web.models import MoneyIn
from web.money import fits, written


@pytest.mark.parametrize(
    ("body", "amount"),
    [
        (b'{"amount": 0.1, "currency": "EUR"}', "0.10"),
        (b'{"amount": 19.99, "currency": "EUR"}', "19.99"),
        (b'{"amount": "19.9", "currency": "EUR"}', "19.90"),
        (b'{"amount": 1e3, "currency": "JPY"}', "1000"),
        (b'{"amount": "0.005", "currency": "KWD"}', "0.005"),
        (b'{"amount": 99999999.99, "currency": "EUR"}', "99999999.99"),
    ],
)
def test_an_amount_is_read_with_every_digit_and_written_with_its_currencys(body: bytes, amount: str) -> None:
    money = check(MoneyIn, parse(body))
    assert written(money.amount, money.currency) == amount


@given(st.integers(min_value=0, max_value=10**10))
def test_whole_minor_units_always_fit_and_come_back(minor: int) -> None:
    amount = Decimal(minor).scaleb(-2)
    assert Decimal(written(fits(amount, "EUR"), "EUR")) == amount


@given(st.integers(min_value=1, max_value=10**10), st.integers(min_value=3, max_value=12))
def test_anything_finer_than_the_minor_unit_is_refused(digits: int, places: int) -> None:
    amount = Decimal(digits * 10 + 1).scaleb(-places)
    with pytest.raises(ValueError, match="decimals"):
        fits(amount, "EUR")
