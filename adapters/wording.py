"""Facts in words a guest reads: amounts as their locale writes them, days with their names, a booking as a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, is_currency

#: In which the texts are written, and what a guest who says nothing gets.
LANGUAGE = "en"
_TIMES = "\N{MULTIPLICATION SIGN}"
_DAY = "EEEE, d MMMM y"
#: A label and a value.
Row = tuple[str, str]


@lru_cache(maxsize=1_000)
def locale_of(tag: str | None) -> str:
    """A locale we can write amounts in: that of a BCP 47 tag, English for none and for one that nobody knows."""
    try:
        return str(Locale.parse((tag or LANGUAGE).replace("-", "_")[:40]))
    except (ValueError, UnknownLocaleError):
        return LANGUAGE


@lru_cache(maxsize=10_000)
def money(amount: str, currency: str, locale: str = LANGUAGE) -> str:
    """An amount with its currency, e.g. "€240.00"; what is no amount as it was said."""
    try:
        value = Decimal(amount)
    except InvalidOperation:
        return f"{amount} {currency}".strip()
    if not value.is_finite() or abs(value.adjusted()) > 40 or not is_currency(currency, locale):
        return f"{amount} {currency}".strip()
    return str(format_currency(value, currency, locale=locale))


@lru_cache(maxsize=10_000)
def day(said: str) -> str:
    """ "2026-12-24" as "Thursday, 24 December 2026"; what is no date as it was said."""
    try:
        return str(format_date(date.fromisoformat(said), _DAY, locale=LANGUAGE))
    except ValueError:
        return said


@lru_cache(maxsize=10_000)
def moment(said: str) -> str:
    """ "2026-12-24 15:30" as "Thursday, 24 December 2026, 15:30"; what is no time as it was said."""
    try:
        time = datetime.fromisoformat(said)
    except ValueError:
        return said
    return f"{format_date(time.date(), _DAY, locale=LANGUAGE)}, {time:%H:%M}"


def when(facts: Mapping[str, Any]) -> list[Row]:
    """From when until when a booking is: days of a stay, hours of anything else, nothing of goods."""
    if facts.get("check_in") and facts.get("check_out"):
        return [("Check-in", day(str(facts["check_in"]))), ("Check-out", day(str(facts["check_out"])))]
    if not facts.get("start"):
        return []
    start = f"{moment(str(facts['start']))} ({facts.get('time_zone') or 'UTC'})"
    if facts.get("kind") == "appointment" or not facts.get("end"):
        return [("When", start)]
    return [("From", start), ("Until", f"{moment(str(facts['end']))} ({facts.get('time_zone') or 'UTC'})")]


def what(facts: Mapping[str, Any], locale: str) -> list[Row]:
    """What was booked: its lines with their prices, or the one thing it is."""
    currency = str(facts.get("currency") or "")
    lines = facts.get("lines")
    if isinstance(lines, list) and lines:
        return [_line(line, currency, locale) for line in lines if isinstance(line, Mapping)]
    product, rows = facts.get("product"), []
    if not product:
        return []
    if facts.get("kind") == "appointment":
        return [("With", str(product))]
    booked = f"{facts['quantity']} {_TIMES} {product}" if facts.get("quantity") else str(product)
    rows.append(("Room" if facts.get("kind") == "stay" else "Booked", booked))
    if facts.get("kind") == "stay":
        if nights := _nights(facts):
            rows.append(("Nights", str(nights)))
        if facts.get("provider"):
            rows.append(("Property", str(facts["provider"])))
    return rows


def _line(line: Mapping[str, Any], currency: str, locale: str) -> Row:
    booked = f"{line.get('quantity')} {_TIMES} {line.get('product')}"
    return booked, money(str(line.get("amount")), currency, locale)


def _nights(facts: Mapping[str, Any]) -> int:
    """How many there are; 0 where nobody can tell."""
    try:
        return (date.fromisoformat(str(facts["check_out"])) - date.fromisoformat(str(facts["check_in"]))).days
    except (KeyError, ValueError):
        return 0
