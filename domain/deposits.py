"""What is taken at booking where a unit type asks for a deposit."""

from __future__ import annotations

from decimal import Decimal

from domain.pricing import minor_unit, share
from streams.events.policy import Deposit


def deposit_of(deposit: Deposit | None, price: Decimal, currency: str) -> Decimal | None:
    """The share of the price, half up, at least one minor unit; None where the whole price is paid or nothing is."""
    if deposit is None or price <= 0:
        return None
    return min(max(share(price, deposit.percent, 100, currency), minor_unit(currency)), price)
