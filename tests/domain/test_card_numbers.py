"""Card numbers are found however they are written; ids, dates and phone numbers' neighbours are not taken for one."""

from __future__ import annotations

import re
import uuid
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.card_numbers import REMOVED, has_card_number, without_card_numbers

VISA = "4111111111111111"
#: What numbers of cards begin with, and how long they are: Visa, Mastercard, American Express, Diners, JCB, Discover,
#: UnionPay, Maestro, Mir.
NETWORKS = [
    ("4", 16),
    ("4", 19),
    ("2221", 16),
    ("2720", 16),
    ("51", 16),
    ("55", 16),
    ("34", 15),
    ("37", 15),
    ("36", 14),
    ("3528", 16),
    ("6011", 16),
    ("62", 16),
    ("62", 19),
    ("5018", 14),
    ("6304", 14),
    ("2200", 16),
]
DATES = st.dates(date(1900, 1, 1), date(2199, 12, 31))


def check_digit(digits: str) -> str:
    """By trying: exactly one digit makes Luhn's sum come out."""
    return next(last for last in "0123456789" if _sum(digits + last) % 10 == 0)


def _sum(digits: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A number that a network may have given out."""
    begin, size = draw(st.sampled_from(NETWORKS))
    body = begin + draw(st.text("0123456789", min_size=size - 1 - len(begin), max_size=size - 1 - len(begin)))
    return body + check_digit(body)


@st.composite
def written(draw: st.DrawFn) -> str:
    """A card number in groups of three to six digits."""
    rest, separator, groups = draw(cards()), draw(st.sampled_from(["", " ", "-", " - ", "\u2013", "\u00a0"])), []
    while rest:
        size = draw(st.integers(3, 6))
        groups.append(rest[:size])
        rest = rest[size:]
    return separator.join(groups)


@pytest.mark.proves("HTL-21")
@given(written(), st.sampled_from(["", "my card is ", "PAN:", "x"]), st.sampled_from(["", ".", " exp 12/27", "y"]))
def test_every_card_number_is_found_and_taken_out(number: str, before: str, after: str) -> None:
    text = f"{before}{number}{after}"
    assert has_card_number(text)
    assert not has_card_number(without_card_numbers(text))
    assert REMOVED in without_card_numbers(text)


@given(cards(), st.sampled_from("./,_"))
def test_groups_of_four_may_be_parted_by_other_signs(number: str, sign: str) -> None:
    groups = [number[at : at + 4] for at in range(0, len(number), 4)]
    if len(groups[-1]) < 4:
        groups[-2:] = ["".join(groups[-2:])]
    assert has_card_number(sign.join(groups))
    assert not has_card_number(f"from 1,234,567,890,123 on 2026.12.24 at 10.0.200.100 to 1234{sign}5")


@given(cards(), st.integers(1, 9))
def test_another_check_digit_is_no_card_number(number: str, by: int) -> None:
    assert not has_card_number(number[:-1] + str((int(number[-1]) + by) % 10))


@given(st.uuids(), DATES, DATES)
def test_ids_and_dates_are_none(some: uuid.UUID, first: object, last: object) -> None:
    assert not has_card_number(f"{some} {first} {last} {str(some).upper()}")


@given(st.uuids(), st.binary(min_size=12, max_size=32))
def test_hexadecimal_ids_are_none(some: uuid.UUID, digest: bytes) -> None:
    """One in seven hundred has digits in a row that would pass for a card's."""
    assert not has_card_number(f"{some.hex}")
    assert not any(c in "abcdef" for c in digest.hex()) or not has_card_number(digest.hex())


def test_articles_are_sold_by_their_numbers_and_bookings_numbered_by_their_dates() -> None:
    assert not has_card_number("4006381300063")
    assert not any(has_card_number(f"20261124-{number:06}") for number in range(1_000))
    assert not has_card_number("ef72c85372784150808e32c1afec042d")


@given(st.integers(1_500_000_000_000, 1_999_999_999_999))
def test_times_in_milliseconds_are_none(at: int) -> None:
    assert not has_card_number(str(at))


@given(st.text())
def test_a_text_without_one_stays_as_it_is(text: str) -> None:
    if not has_card_number(text):
        assert without_card_numbers(text) == text


@pytest.mark.parametrize(
    "text",
    ["RSV-2026-000123", "+31 20 555 0100", "192.168.100.200", "tok_4242", "00000000-0000-4000-8000-000000000000"],
)
def test_what_looks_like_one_and_is_none(text: str) -> None:
    assert not has_card_number(text)


def test_the_rest_of_a_text_stays() -> None:
    assert without_card_numbers(f"pay with {VISA[:4]} {VISA[4:8]} {VISA[8:12]} {VISA[12:]} please") == (
        f"pay with {REMOVED} please"
    )
    assert re.fullmatch(r"\D+", without_card_numbers("378282246310005, 5555-5555-5555-4444"))
