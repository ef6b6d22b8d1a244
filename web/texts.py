"""The texts, dates and times a request may carry, as annotated types: what is refused here never reaches the log."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, Any

from babel import Locale, UnknownLocaleError
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_ONLY_DIGITS = re.compile(r"[\d -]{12,25}", re.ASCII)
#: Years outside of these are mistakes, and arithmetic with them could overflow.
_YEARS = range(1990, 2200)


def _clean(value: str) -> str:
    # Control, surrogate, line and paragraph separators: they forge headers, log lines and mail. None is printable.
    if not value.isprintable() and any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value
    ):
        raise ValueError("has control characters")
    if not value.strip():
        raise ValueError("is blank")
    return value


def _email(value: str) -> str:
    try:
        return validate_email(_clean(value), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise ValueError("is not an e-mail address") from None


def _token(value: str) -> str:
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise ValueError("should be printable ASCII without spaces")
    if _ONLY_DIGITS.fullmatch(value):
        raise ValueError("looks like a card number; send the payment provider's token")
    return value


def _date(value: Any) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("should be a date like 2026-12-24")
    found = date.fromisoformat(value)
    if found.year not in _YEARS:
        raise ValueError("is not a plausible date")
    return found


def _instant(value: Any) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("should be a time with its zone like 2026-12-24T15:00:00Z")
    found = datetime.fromisoformat(value.upper())
    if found.year not in _YEARS:
        raise ValueError("is not a plausible time")
    return found.astimezone(UTC)


def _hour(value: Any) -> str:
    if not isinstance(value, str) or not _HOUR.fullmatch(value):
        raise ValueError("should be a local hour from 00:00 to 23:59 like 15:00")
    return value


def _locale(tag: str) -> str:
    try:
        if _TAG.fullmatch(tag):
            Locale.parse(tag, sep="-")
            return tag
    except (ValueError, UnknownLocaleError):
        pass
    raise ValueError('should be a language like "en", "de-CH" or "pt-BR"')


read_date = _date
read_instant = _instant

#: A name or other short text: 1 to 200 characters, no control characters, not blank.
Text = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_clean)]
#: An identifier given by a caller.
IdIn = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_clean)]
Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=254),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9 ().\-/]{3,40}$")]
Token = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_token)]
DateIn = Annotated[date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
HourIn = Annotated[str, BeforeValidator(_hour), WithJsonSchema({"type": "string", "examples": ["15:00"]})]
InstantIn = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
#: The language a user is written to in, and whose way of writing sums and dates holds (BCP 47).
LocaleIn = Annotated[str, StringConstraints(max_length=35), AfterValidator(_locale)]
