"""Sums of money at the edge: read exactly from decimal strings or JSON numbers, written as decimal strings."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from babel.numbers import is_currency
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from domain.pricing import is_precise, minor_unit

#: Events carry sums as JSON numbers, exact up to 2^53 minor units; a price times nights and quantity must stay below.
MAX_MINOR_UNITS = 10**10
_DECIMAL = re.compile(r"-?\d{1,12}(\.\d{1,12})?", re.ASCII)


def decimals(currency: str) -> int:
    """How many decimals a currency has: 2 for EUR, 0 for JPY."""
    return -minor_unit(currency).adjusted()


def written(amount: Decimal, currency: str) -> str:
    """The amount as a decimal string with the currency's decimals, e.g. "120.00"."""
    return f"{amount:.{decimals(currency)}f}"


def fits(amount: Decimal, currency: str) -> Decimal:
    """The amount, if its currency can express it; raises ValueError saying why not."""
    unit = minor_unit(currency)
    if not is_precise(amount, currency):
        raise ValueError(f"has more decimals than {currency}, which has {decimals(currency)}")
    if amount > MAX_MINOR_UNITS * unit:
        raise ValueError("is too large")
    return amount.quantize(unit)


def _read(value: Any) -> Decimal:
    """The amount of a JSON number or a decimal string, with every digit that was sent."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        amount = Decimal(value)
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        amount = _short(value)
    else:
        raise ValueError("should be a decimal string or a number")
    if amount < 0:
        raise ValueError("should not be negative")
    exponent = amount.as_tuple().exponent
    if amount.adjusted() > 11 or not isinstance(exponent, int) or exponent < -12:
        raise ValueError("has too many digits")
    return abs(amount)


def _short(value: int | Decimal) -> Decimal:
    if isinstance(value, int) and abs(value) > MAX_MINOR_UNITS:
        raise ValueError("is too large")
    return Decimal(value)


def _known(value: str) -> str:
    if not (len(value) == 3 and value.isascii() and value.isupper() and is_currency(value)):
        raise ValueError("should be an ISO 4217 code like EUR")
    return value


#: A sum as a request gives it; whether its currency can express it is checked where the currency is known.
SumIn = Annotated[
    Decimal,
    BeforeValidator(_read),
    WithJsonSchema(
        {"oneOf": [{"type": "string", "pattern": r"^\d{1,12}(\.\d{1,3})?$"}, {"type": "number", "minimum": 0}]}
    ),
]
CurrencyIn = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]
