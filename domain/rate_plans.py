"""What nights and stays cost under a rate plan, and why, line by line.

The order is fixed. A night: its base, the season, the weekend, the occupancy step, then floor and ceiling. A stay: the
sum of its nights, then length of stay and advance purchase, both of that sum. A night's price is rounded half up to the
minor unit once, and so is the total; a line shows by how much the rounded price moved, so that lines always add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import NamedTuple, get_args

from domain.pricing import computing, rounded
from streams.events.rate_plans import Day, Occupancy, RatePlan, Season

_DAYS: tuple[str, ...] = get_args(Day)
_NOTHING = Decimal(0)
#: The prices of a unit without a plan.
BASE = RatePlan()


class Adjustment(NamedTuple):
    """A rule that applied, and by how much it moved the price."""

    rule: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class NightPrice:
    """One unit for one night: the base and the adjustments add up to the price."""

    night: str
    base: Decimal
    adjustments: tuple[Adjustment, ...]
    price: Decimal


@dataclass(frozen=True, slots=True)
class StayPrice:
    """A stay: the nights' prices times the quantity, and what is taken off that sum."""

    nights: tuple[NightPrice, ...]
    quantity: int
    subtotal: Decimal
    discounts: tuple[Adjustment, ...]
    total: Decimal


@dataclass(frozen=True, slots=True)
class Base:
    """What a unit costs without a plan: one night, in its currency."""

    amount: Decimal
    currency: str


def night_price(plan: RatePlan, base: Base, night: str, from_percent: Decimal = _NOTHING) -> NightPrice:
    """One unit for the night of that date, on the occupancy step that begins at `from_percent` (0: on none)."""
    with computing():
        return _night(plan, base, night, from_percent)


def _night(plan: RatePlan, base: Base, night: str, from_percent: Decimal) -> NightPrice:
    start = plan.base if plan.base is not None else base.amount
    lines, exact, shown = [], start, rounded(start, base.currency)
    for rule, move in _rules(plan, date.fromisoformat(night), from_percent):
        exact = max(move(exact), _NOTHING)
        after = rounded(exact, base.currency)
        lines.append(Adjustment(rule, after - shown))
        shown = after
    moved = tuple(line for line in lines if line.amount or line.rule not in ("floor", "ceiling"))
    return NightPrice(night, rounded(start, base.currency), moved, shown)


def stay_price(
    plan: RatePlan,
    base: Base,
    nights: Sequence[str],
    quantity: int,
    booked_on: date,
    steps: Mapping[str, Decimal],
) -> StayPrice:
    """A stay over these nights, the first of them first. `booked_on` is a local date of the property, `steps` the
    occupancy steps in force, by night."""
    with computing():
        return _stay(plan, base, nights, quantity, booked_on, steps)


def _stay(
    plan: RatePlan, base: Base, nights: Sequence[str], quantity: int, booked_on: date, steps: Mapping[str, Decimal]
) -> StayPrice:
    priced = tuple(_night(plan, base, night, steps.get(night, _NOTHING)) for night in nights)
    subtotal = sum((night.price for night in priced), _NOTHING) * quantity
    lines, percent, shown = [], _NOTHING, subtotal
    for rule, each in _of_the_sum(plan, nights, booked_on):
        percent += each
        after = max(rounded(_plus(subtotal, percent), base.currency), _NOTHING)
        lines.append(Adjustment(rule, after - shown))
        shown = after
    return StayPrice(priced, quantity, subtotal, tuple(lines), shown)


def step_in_force(rule: Occupancy | None, before: Decimal, held: int, capacity: int) -> Decimal:
    """Where the occupancy step begins that a night is on; 0 for none. `before` is where the one began it was on.

    A step is reached at its threshold, and left when occupancy falls by more than the hysteresis below it.
    """
    if rule is None:
        return _NOTHING
    whole = max(capacity, 1)  # of no units at all, the first that is held is all there is

    def holds(threshold: Decimal) -> bool:
        lowest = threshold - rule.hysteresis_percent if threshold <= before else threshold
        return held > 0 and held * 100 >= lowest * whole

    return max((step.from_percent for step in rule.steps if holds(step.from_percent)), default=_NOTHING)


def _rules(plan: RatePlan, night: date, from_percent: Decimal) -> Iterator[tuple[str, Callable[[Decimal], Decimal]]]:
    season = next((each for each in plan.seasons if each.from_ <= night < each.to), None)
    if season is not None:
        yield f"season {season.from_}/{season.to}", lambda price: _seasonal(season, price)
    weekend = plan.weekend
    if weekend is not None and _DAYS[night.weekday()] in weekend.days:
        more, amount = weekend.percent or _NOTHING, weekend.amount or _NOTHING
        yield "weekend", lambda price: _plus(price, more) + amount
    occupancy = plan.occupancy
    if occupancy is None:
        return
    for step in occupancy.steps:
        if step.from_percent == from_percent:
            yield f"occupancy from {_plain(from_percent)}%", partial(_plus, percent=step.percent)
    floor, ceiling = occupancy.floor, occupancy.ceiling
    if floor is not None:
        yield "floor", lambda price: max(price, floor)
    if ceiling is not None:
        yield "ceiling", lambda price: min(price, ceiling)


def _of_the_sum(plan: RatePlan, nights: Sequence[str], booked_on: date) -> Iterator[tuple[str, Decimal]]:
    """Of each kind the rule that asks for the most of those whose demand is met."""
    ahead = (date.fromisoformat(nights[0]) - booked_on).days
    stays = [rule for rule in plan.length_of_stay if rule.min_nights <= len(nights)]
    if stays:
        longest = max(stays, key=lambda rule: rule.min_nights)
        yield f"length_of_stay from {longest.min_nights} nights", longest.percent
    early = [rule for rule in plan.advance_purchase if rule.min_days <= ahead]
    if early:
        earliest = max(early, key=lambda rule: rule.min_days)
        yield f"advance_purchase from {earliest.min_days} days", earliest.percent


def _seasonal(season: Season, price: Decimal) -> Decimal:
    return season.price if season.price is not None else _plus(price, season.percent or _NOTHING)


def _plain(percent: Decimal) -> str:
    text = f"{percent:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plus(price: Decimal, percent: Decimal) -> Decimal:
    return price * (100 + percent) / 100
