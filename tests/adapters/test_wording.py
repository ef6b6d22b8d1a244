"""Facts in words: what is an amount, a day or an hour is written as one, anything else as it was said."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.wording import day, locale_of, moment, money, what, when


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("de-DE", "de_DE"),
        ("pt_BR", "pt_BR"),
        ("", "en"),
        (None, "en"),
        ("xx-YY", "en"),
        ("../../etc", "en"),
        ("é", "en"),
    ],
)
def test_a_locale_is_one_we_can_write(tag: str | None, locale: str) -> None:
    assert locale_of(tag) == locale


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("240.00", "EUR", "€240.00"),
        ("240", "JPY", "¥240"),
        ("-5.10", "USD", "-$5.10"),
        ("240.00", "XXZ", "240.00 XXZ"),
        ("a lot", "EUR", "a lot EUR"),
        ("1E+999999", "EUR", "1E+999999 EUR"),
        ("NaN", "EUR", "NaN EUR"),
        ("", "", ""),
    ],
)
def test_an_amount(amount: str, currency: str, written: str) -> None:
    assert money(amount, currency) == written


def test_a_day_and_an_hour() -> None:
    assert day("2026-12-24") == "Thursday, 24 December 2026"
    assert moment("2026-12-24 09:05") == "Thursday, 24 December 2026, 09:05"
    assert (day("soon"), moment("later")) == ("soon", "later")


@pytest.mark.parametrize(
    ("facts", "labels"),
    [
        ({"check_in": "2026-12-24", "check_out": "2026-12-26"}, ["Check-in", "Check-out"]),
        ({"kind": "appointment", "start": "2026-12-24 10:00", "end": "2026-12-24 10:15"}, ["When"]),
        ({"start": "2026-12-24 10:00", "end": "2026-12-24 10:15", "time_zone": "Europe/Berlin"}, ["From", "Until"]),
        ({"start": "2026-12-24 10:00"}, ["When"]),
        ({"kind": "order"}, []),
    ],
)
def test_when_it_is(facts: dict[str, Any], labels: list[str]) -> None:
    assert [label for label, _ in when(facts)] == labels


@pytest.mark.parametrize(
    ("facts", "rows"),
    [
        ({"kind": "appointment", "product": "Dr. Mayer"}, [("With", "Dr. Mayer")]),
        ({"kind": "booking", "product": "sauna"}, [("Booked", "sauna")]),
        ({"kind": "stay", "product": "double"}, [("Room", "double")]),
        ({"kind": "stay", "product": "double", "check_in": "x", "check_out": "y"}, [("Room", "double")]),
        ({"lines": ["nonsense"]}, []),
        ({}, []),
    ],
)
def test_what_it_is(facts: dict[str, Any], rows: list[tuple[str, str]]) -> None:
    assert what(facts, "en") == rows
