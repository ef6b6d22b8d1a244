"""A receipt's facts as its page shows them: in the guest's language, dates and amounts as they are written there.

A language that the page has no words for, or that nobody knows, is English.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_interval
from babel.numbers import format_currency, format_decimal

_WORDS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("templates").joinpath("receipt.toml").read_text("utf-8")
)
#: A word longer than this may be broken anywhere, so that it stays on the paper; and of a text so much is shown.
_WORD, _TEXT = 20, 300
_BREAK = "\u200b"
#: Where a currency's letters would touch its digits.
_TOGETHER = re.compile(r"(?<=[A-Z])(?=\d)")
_TO = " \u2013 "


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What was paid for: over the nights `[start, end)`, between two hours on the property's clock, or of no time."""

    what: str
    quantity: int
    amount: Decimal
    start: date | datetime | None = None
    end: date | datetime | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What one receipt says. The same facts are the same page, byte for byte."""

    number: str
    receipt_id: str
    payment_id: str
    booking_id: str
    #: On the hour of the property's clock.
    paid_at: datetime
    amount: Decimal
    currency: str
    #: What the whole booking costs, where that was told.
    price: Decimal | None = None
    provider: str = ""
    confirmation_number: str = ""
    lines: tuple[Line, ...] = ()
    #: The guest's name; None where it is not known (any more).
    guest: str | None = None
    #: What was paid with: "card", its brand and last digits.
    method: str = "card"
    brand: str | None = None
    last4: str | None = None
    #: A BCP 47 tag as the guest gave it.
    locale: str | None = None
    #: Where this receipt is read without a key.
    link: str


def shown(facts: Facts) -> dict[str, Any]:
    """What the page is filled with, all of it JSON."""
    locale = locale_of(facts.locale)
    words = _WORDS[locale.language]

    def money(amount: Decimal) -> str:
        return _TOGETHER.sub("\u00a0", format_currency(amount, facts.currency, locale=locale))

    page = {
        "words": {name: word for name, word in words.items() if isinstance(word, str)},
        "language": locale.language,
        "title": f"{words['receipt']} {facts.number}",
        "number": facts.number,
        "provider": facts.provider,
        "paid_on": format_date(facts.paid_at, "long", locale=locale),
        "confirmation_number": facts.confirmation_number,
        "guest": facts.guest or "",
        "lines": [
            {
                "what": line.what,
                "when": _when(line, locale),
                "quantity": format_decimal(line.quantity, locale=locale),
                "amount": money(line.amount),
            }
            for line in facts.lines
        ],
        "price": money(facts.price) if facts.price is not None and facts.price != facts.amount else "",
        "amount": money(facts.amount),
        "method": _method(facts, words),
        "link": facts.link,
        "payment_id": facts.payment_id,
        "booking_id": facts.booking_id,
        "receipt_id": facts.receipt_id,
    }
    return {name: _printable(value, name) for name, value in page.items()}


def locale_of(tag: str | None) -> Locale:
    """The locale of a BCP 47 tag if the page has words for its language, else English."""
    try:
        found = Locale.parse((tag or "en").replace("-", "_"))
    except (ValueError, TypeError, UnknownLocaleError):
        return Locale("en")
    return found if found.language in _WORDS and found.script is None else Locale("en")


def _when(line: Line, locale: Locale) -> str:
    """ "Dec 24 - 26, 2026 · 2 nights", or the hours where it has any."""
    start, end = line.start, line.end
    if start is None or end is None:
        return ""
    if isinstance(start, datetime) and isinstance(end, datetime):
        return _hours(start, end, locale)
    nights = (end - start).days
    counted = _WORDS[locale.language]["nights"]["one" if locale.plural_form(nights) == "one" else "other"]
    period = format_interval(start, end, "yMMMd", locale=locale)
    return f"{period} · {counted.format(n=format_decimal(nights, locale=locale))}"


def _hours(start: datetime, end: datetime, locale: Locale) -> str:
    if start.date() == end.date():
        return f"{format_date(start, 'medium', locale=locale)}, {format_interval(start, end, 'Hm', locale=locale)}"
    return _TO.join(f"{format_date(time, 'medium', locale=locale)}, {time:%H:%M}" for time in (start, end))


def _method(facts: Facts, words: dict[str, Any]) -> str:
    """ "Visa •••• 4242", as far as it is known."""
    kind = words["card"] if facts.method == "card" else facts.method
    name = facts.brand.title() if facts.brand else kind
    return f"{name} •••• {facts.last4}" if facts.last4 else name


def _printable(value: Any, name: str) -> Any:
    """Texts without control characters, of bounded length, that can be broken into lines; the link as it is."""
    if isinstance(value, list):
        return [_printable(each, name) for each in value]
    if isinstance(value, dict):
        return {key: _printable(each, key) for key, each in value.items()}
    if name == "link" or not isinstance(value, str):
        return value
    plain = "".join(sign if sign.isprintable() or sign in "\u00a0\u202f" else " " for sign in value)
    plain = plain if len(plain) <= _TEXT else f"{plain[:_TEXT]}…"
    return " ".join(_breakable(word) for word in plain.split(" "))


def _breakable(word: str) -> str:
    return word if len(word) <= _WORD else _BREAK.join(word)
