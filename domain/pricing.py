"""What a line costs: slots times price times quantity, in whole minor units of the currency. No taxes.

What rate plans make of it stands in `domain.rate_plans`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import cache
from typing import Any, Protocol

from babel.numbers import get_currency_precision

from domain.calendar import slots_of
from streams.events.availability import Slots

# A context of our own: the process's ambient one must not change what something costs. NaN instead of exceptions.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP, traps=[])


class Priced(Protocol):
    """What pricing needs to know of a resource: a row's `Resource` and the event `ResourceDeclared` both have it."""

    @property
    def slots(self) -> Slots: ...
    @property
    def time_zone(self) -> str: ...
    @property
    def price_amount(self) -> Decimal: ...
    @property
    def price_currency(self) -> str: ...


def quote(resource: Priced, start: datetime, end: datetime, quantity: int) -> Decimal:
    """The price of `quantity` over `[start, end)`, rounded half up to the minor unit. Raises Unbookable (calendar)."""
    count = len(slots_of(resource.slots, resource.time_zone, start, end))
    total = _EXACT.multiply(resource.price_amount, Decimal(count * quantity))
    return _EXACT.quantize(total, minor_unit(resource.price_currency))


def without_plan(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details of a booking that is priced by its resource alone, whatever plan another program named in them."""
    return {name: value for name, value in details.items() if name != "rate_plan"}


def computing() -> AbstractContextManager[Context]:
    """Arithmetic within is exact enough for any price, whatever the process's own context says."""
    return localcontext(_EXACT)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount half up to the minor unit of its currency."""
    return _EXACT.quantize(amount, minor_unit(currency))


def share(amount: Decimal, part: int, whole: int, currency: str) -> Decimal:
    """`part` of `whole` of an amount, e.g. 1 of 3 nights or 50 of 100, rounded half up to the minor unit."""
    return _EXACT.quantize(_EXACT.divide(_EXACT.multiply(amount, Decimal(part)), Decimal(whole)), minor_unit(currency))


def is_precise(amount: Decimal, currency: str) -> bool:
    """Whether the currency can pay this amount to the last digit: 1.005 EUR and 0.5 JPY are not."""
    return _EXACT.quantize(amount, minor_unit(currency)) == amount


@cache
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for EUR, 1 for JPY, 0.001 for KWD."""
    return Decimal(1).scaleb(-get_currency_precision(currency))
