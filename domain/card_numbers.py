"""Numbers of payment cards in texts: 13 to 19 digits with the right check digit, in one piece or in groups.

Ids of ours and others' are no card numbers, whatever their digits: UUIDs, hexadecimal ids, article numbers (EAN-13) and
dates are left out. Nor are numbers of a length that no network of cards gives out under its first digits; times in
milliseconds and most ids made of a date are some of these.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate

REMOVED = "[card number removed]"

_NOT_ONE = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<!\d)(?:19|2[01])\d\d-[01]\d-[0-3]\d(?!\d)"
    r"|(?<![0-9a-z])(?=[0-9]*[a-f])[0-9a-f]{24,}(?![0-9a-z])",
    re.ASCII | re.IGNORECASE,
)
#: Groups of digits with a space or a dash between two of them.
_DIGITS = re.compile(r"\d+(?:(?: ?[-\u2010-\u2015\u2212] ?| {1,2})\d+)*", re.ASCII)
#: What else parts groups of four digits and more; fewer are thousands, times and versions.
_PARTED = re.compile(r"(?<=\d{4})[./,_](?=\d{4})", re.ASCII)
_GROUP = re.compile(r"\d+", re.ASCII)
_ANY = range(13, 20)
#: Networks of cards: the first four digits, from and to, and how many digits there are in all (ISO/IEC 7812, and the
#: networks' own ranges).
_NETWORKS: tuple[tuple[int, int, range | tuple[int, ...]], ...] = (
    (2200, 2204, range(16, 20)),
    (2221, 2720, (16,)),
    (3000, 3059, range(14, 20)),
    (3400, 3499, (15,)),
    (3528, 3589, range(16, 20)),
    (3600, 3699, range(14, 20)),
    (3700, 3799, (15,)),
    (3800, 3999, range(14, 20)),
    (4000, 4999, (13, 16, 19)),
    (5000, 5099, _ANY),
    (5100, 5599, (16,)),
    (5600, 5899, _ANY),
    (6000, 6999, _ANY),
    (8100, 8299, range(16, 20)),
)
_FEWEST, _MOST = 13, 19


def has_card_number(text: str) -> bool:
    return next(_found(text), None) is not None


def without_card_numbers(text: str) -> str:
    """The text with a note in the place of each card number."""
    plain = unicodedata.normalize("NFKC", text)
    for start, end in sorted(_found(text), reverse=True):
        plain = f"{plain[:start]}{REMOVED}{plain[end:]}"
    return plain if REMOVED in plain else text


def _found(text: str) -> Iterator[tuple[int, int]]:
    """Where card numbers stand, in the text as NFKC has it; none within another."""
    if sum(character.isdigit() for character in text) < _FEWEST:
        return
    plain = unicodedata.normalize("NFKC", text)
    hidden = _PARTED.sub("-", _NOT_ONE.sub(lambda match: "x" * len(match[0]), plain))
    for run in _DIGITS.finditer(hidden):
        yield from _within([match.span() for match in _GROUP.finditer(hidden, *run.span())], hidden)


def _within(groups: list[tuple[int, int]], text: str) -> Iterator[tuple[int, int]]:
    """Neighbouring groups that are a card number together."""
    first = 0
    while first < len(groups):
        parts = [text[start:end] for start, end in groups[first : first + _MOST]]
        ends = (last for last, digits in enumerate(accumulate(parts)) if _is_card_number(digits))
        last = next(ends, None)
        if last is None:
            first += 1
        else:
            yield groups[first][0], groups[first + last][1]
            first += last + 1


def _is_card_number(digits: str) -> bool:
    return _FEWEST <= len(digits) <= _MOST and _is_given_out(digits) and _checks(digits) and not _is_article(digits)


def _is_given_out(digits: str) -> bool:
    first = int(digits[:4])
    return any(low <= first <= high and len(digits) in lengths for low, high, lengths in _NETWORKS)


def _is_article(digits: str) -> bool:
    """A GTIN-13 by its check digit, where goods are named by it."""
    return len(digits) == 13 and sum(int(digit) * (1 + place % 2 * 2) for place, digit in enumerate(digits)) % 10 == 0


def _checks(digits: str) -> bool:
    """Luhn's sum."""
    values = [int(digit) for digit in reversed(digits)]
    doubled = (sum(divmod(2 * value, 10)) for value in values[1::2])
    return (sum(values[::2]) + sum(doubled)) % 10 == 0
