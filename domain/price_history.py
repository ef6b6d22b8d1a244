"""What one night's price was, from when, and why: told from the changes that the rate service keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from domain.dynamic_prices import StepChange, Terms, TermsChange
from domain.rate_plans import night_price
from streams.events.rate_plans import RatePlan


@dataclass(frozen=True, slots=True)
class PriceChange:
    """The price of a night from a time on; None once it cannot be booked under the plan."""

    at: datetime
    price: Decimal | None
    currency: str
    why: str


@dataclass(frozen=True, slots=True)
class _Standing:
    terms: Terms | None = None
    plan: RatePlan | None = None
    currency: str = ""
    step: Decimal = Decimal(0)


def base_history(terms: Iterable[TermsChange]) -> list[PriceChange]:
    """The prices of a resource without a plan. `terms` in their order."""
    found = [(change.at, change.terms) for change in terms if change.terms is not None]
    changes = [PriceChange(at, each.price_amount, each.price_currency, "base price") for at, each in found]
    return list(_different(changes))


def plan_history(
    terms: Iterable[TermsChange], steps: Iterable[StepChange], rate_plan: str, night: str
) -> list[PriceChange]:
    """The prices of a night under a plan. Both are in the order they came; at the same time, terms came first."""
    changes: list[TermsChange | StepChange] = [*terms, *steps]
    standing = _Standing()
    prices: list[PriceChange] = []
    for change in sorted(changes, key=lambda each: each.at):
        if isinstance(change, StepChange):
            if change.rate_plan != rate_plan:
                continue
            standing, why = replace(standing, step=change.from_percent), _occupancy(change)
        elif change.rate_plan == rate_plan:
            why = "rate plan" if change.plan is not None else "rate plan withdrawn"
            standing = replace(standing, plan=change.plan, currency=change.currency)
        elif change.terms is not None:
            standing, why = replace(standing, terms=change.terms), "base price"
        else:
            continue
        if standing.plan is not None or prices:
            prices.append(_price(standing, night, change.at, why))
    return list(_different(prices))


def plans_named(terms: Sequence[TermsChange]) -> list[str]:
    """Every plan there was."""
    return sorted({change.rate_plan for change in terms if change.rate_plan is not None})


def _price(standing: _Standing, night: str, at: datetime, why: str) -> PriceChange:
    terms, plan = standing.terms, standing.plan
    if terms is None or plan is None or terms.price_currency != standing.currency:
        return PriceChange(at, None, standing.currency, why)
    return PriceChange(at, night_price(plan, terms.base, night, standing.step).price, standing.currency, why)


def _occupancy(change: StepChange) -> str:
    reached = f"the step from {change.from_percent.normalize():f}%" if change.from_percent else "no step"
    return f"occupancy {change.held} of {change.capacity}: {reached}"


def _different(changes: Iterable[PriceChange]) -> Iterator[PriceChange]:
    last: tuple[Decimal | None, str] | None = None
    for change in changes:
        if (change.price, change.currency) != last:
            yield change
        last = change.price, change.currency
