"""What nights and stays cost under a plan, and why."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import night_bounds
from domain.pricing import quote
from domain.rate_plans import BASE, Base, night_price, stay_price, step_in_force
from streams.events.rate_plans import LongStay, Occupancy, RatePlan, Season, Step
from tests.domain.messages import declare
from tests.domain.plans import DAY, FLEX, occupancies, plans

EUR = Base(Decimal("100.00"), "EUR")
NONE = Decimal(0)


def nights(first: date, count: int) -> list[str]:
    return [(first + timedelta(days=number)).isoformat() for number in range(count)]


def lines(plan: RatePlan, night: str, step: str = "0") -> list[tuple[str, str]]:
    return [(line.rule, str(line.amount)) for line in night_price(plan, EUR, night, Decimal(step)).adjustments]


@pytest.mark.proves("HTL-04")
def test_a_night_takes_season_weekend_and_step_in_this_order() -> None:
    """Friday in the season at 180.00: 180.00, a fifth more is 216.00, 25 percent more 270.00, held at 250.00."""
    found = night_price(FLEX, EUR, "2026-12-25", Decimal(80))
    assert (found.base, found.price) == (Decimal("100.00"), Decimal("250.00"))
    assert lines(FLEX, "2026-12-25", "80") == [
        ("season 2026-12-24/2026-12-27", "80.00"),
        ("weekend", "36.00"),
        ("occupancy from 80%", "54.00"),
        ("ceiling", "-20.00"),
    ]


def test_a_plan_without_rules_is_the_base_price() -> None:
    assert night_price(BASE, EUR, "2026-12-25").price == Decimal("100.00")
    assert lines(BASE, "2026-12-25") == []


def test_a_plan_may_have_its_own_base() -> None:
    assert night_price(RatePlan(base=Decimal("70.00")), EUR, "2026-12-14").price == Decimal("70.00")


def test_a_season_ends_on_the_morning_it_is_declared_to() -> None:
    found = [night_price(FLEX, EUR, f"2026-12-{day}").price for day in (23, 24, 26, 27)]
    assert found == [Decimal("100.00"), Decimal("180.00"), Decimal("216.00"), Decimal("100.00")]  # the 26th: Saturday


def test_the_floor_holds_a_cheap_night_up() -> None:
    """January is 15 percent off, 85.00; at a third off it would be 66.67, and the floor is 80.00."""
    cheap = RatePlan(
        seasons=(Season(from_=date(2027, 1, 4), to=date(2027, 1, 9), percent=Decimal("-33.33")),),
        occupancy=FLEX.occupancy,
    )
    assert lines(cheap, "2027-01-05") == [("season 2027-01-04/2027-01-09", "-33.33"), ("floor", "13.33")]


@pytest.mark.proves("HTL-04")
def test_a_long_stay_booked_early_is_cheaper_by_both_of_the_sum() -> None:
    """Seven nights from a Monday in January: 5 at 85.00 and 2 weekend nights at 102.00 are 629.00, times two 1258.00.
    A tenth off is -125.80, a twentieth -62.90: 1069.30."""
    found = stay_price(FLEX, EUR, nights(date(2027, 1, 11), 7), 2, date(2026, 11, 1), {})
    assert found.subtotal == Decimal("1258.00")
    assert [(line.rule, str(line.amount)) for line in found.discounts] == [
        ("length_of_stay from 7 nights", "-125.80"),
        ("advance_purchase from 60 days", "-62.90"),
    ]
    assert found.total == Decimal("1069.30")


def test_a_night_is_rounded_half_up_once_and_so_is_the_total() -> None:
    """10.05 and 50 percent is 15.075, so 15.08; three of them are 45.24, less 12.5 percent 39.585, so 39.59."""
    plan = RatePlan(
        base=Decimal("10.05"),
        seasons=(Season(from_=DAY, to=DAY + timedelta(days=9), percent=Decimal(50)),),
        length_of_stay=(LongStay(min_nights=3, percent=Decimal("-12.5")),),
    )
    found = stay_price(plan, EUR, nights(DAY, 3), 1, DAY, {})
    assert [night.price for night in found.nights] == [Decimal("15.08")] * 3
    assert found.total == Decimal("39.59")


def test_the_process_cannot_change_what_a_stay_costs() -> None:
    with localcontext() as context:
        context.prec = 3
        assert stay_price(FLEX, EUR, nights(date(2027, 1, 11), 7), 2, date(2026, 11, 1), {}).total == Decimal("1069.30")


@given(st.decimals(0, 100_000, places=2), st.integers(1, 30), st.integers(1, 20))
def test_without_a_plan_a_stay_costs_what_it_always_did(amount: Decimal, count: int, quantity: int) -> None:
    resource = declare(price=str(amount))
    start, end = night_bounds(DAY, DAY + timedelta(days=count), resource.time_zone)
    base = Base(resource.price_amount, resource.price_currency)
    assert stay_price(BASE, base, nights(DAY, count), quantity, DAY, {}).total == quote(resource, start, end, quantity)


# --- a naive oracle: fractions, one rule after the other, no lines ---


def half_up(value: Fraction) -> Fraction:
    return Fraction(int(value * 100 + Fraction(1, 2)), 100)


def naive_night(plan: RatePlan, night: date, step: Decimal) -> Fraction:
    price = Fraction(plan.base if plan.base is not None else EUR.amount)
    for season in plan.seasons:
        if season.from_ <= night and night < season.to:
            price = Fraction(season.price) if season.price is not None else price * raised(season.percent)
    if plan.weekend is not None and night.strftime("%a").lower() in plan.weekend.days:
        price = price * raised(plan.weekend.percent) + Fraction(plan.weekend.amount or 0)
    if plan.occupancy is not None:
        for each in plan.occupancy.steps:
            if each.from_percent == step:
                price *= raised(each.percent)
        if plan.occupancy.floor is not None and price < plan.occupancy.floor:
            price = Fraction(plan.occupancy.floor)
        if plan.occupancy.ceiling is not None and price > plan.occupancy.ceiling:
            price = Fraction(plan.occupancy.ceiling)
    return half_up(price)


def raised(percent: Decimal | None) -> Fraction:
    return 1 + Fraction(percent or 0) / 100


def naive_stay(plan: RatePlan, first: date, count: int, quantity: int, ahead: int, step: Decimal) -> Fraction:
    total = sum((naive_night(plan, first + timedelta(days=number), step) for number in range(count)), Fraction(0))
    off = Fraction(0)
    for least in range(count, 0, -1):
        if found := [rule.percent for rule in plan.length_of_stay if rule.min_nights == least]:
            off += Fraction(found[0])
            break
    for least in range(ahead, -1, -1):
        if found := [rule.percent for rule in plan.advance_purchase if rule.min_days == least]:
            off += Fraction(found[0])
            break
    return max(half_up(total * quantity * (1 + off / 100)), Fraction(0))


@given(plans(), st.integers(0, 12), st.integers(1, 14), st.integers(1, 5), st.integers(0, 25), st.data())
def test_a_stay_costs_what_the_naive_sum_says_and_its_lines_add_up(
    plan: RatePlan, offset: int, count: int, quantity: int, ahead: int, data: st.DataObject
) -> None:
    begins = [each.from_percent for each in plan.occupancy.steps] if plan.occupancy else []
    step = data.draw(st.sampled_from([NONE, *begins]))
    first = DAY + timedelta(days=offset)
    these = nights(first, count)
    found = stay_price(plan, EUR, these, quantity, first - timedelta(days=ahead), dict.fromkeys(these, step))
    assert Fraction(found.total) == naive_stay(plan, first, count, quantity, ahead, step)
    for night in found.nights:
        assert night.base + sum((line.amount for line in night.adjustments), NONE) == night.price >= 0
    assert sum((night.price for night in found.nights), NONE) * quantity == found.subtotal
    assert found.subtotal + sum((line.amount for line in found.discounts), NONE) == found.total


# --- occupancy steps ---

STEPS = Occupancy(
    steps=(Step(from_percent=Decimal(50), percent=Decimal(10)), Step(from_percent=Decimal(80), percent=Decimal(25))),
    hysteresis_percent=Decimal(5),
)


@pytest.mark.proves("HTL-25")
def test_a_step_is_reached_at_its_threshold_and_left_only_below_the_hysteresis() -> None:
    """Of 20 rooms: 10 reach 50 percent. 9 are 45, not more than 5 below: the step holds. 8 are 40: it is left."""
    step, found = NONE, []
    for held in (9, 10, 16, 15, 14, 9, 8, 9):
        step = step_in_force(STEPS, step, held, 20)
        found.append(int(step))
    assert found == [0, 50, 80, 80, 50, 50, 0, 0]


def test_an_empty_night_and_a_plan_without_steps_are_on_none() -> None:
    assert step_in_force(STEPS, Decimal(50), 0, 20) == 0
    assert step_in_force(None, Decimal(50), 20, 20) == 0
    assert step_in_force(STEPS, NONE, 1, 0) == 80  # a capacity of none: what is held is more than all


@given(occupancies(), st.lists(st.integers(0, 12), max_size=30), st.integers(1, 10))
def test_steps_follow_the_naive_walk(rule: Occupancy, helds: list[int], capacity: int) -> None:
    step, naive = NONE, NONE
    for held in helds:
        step = step_in_force(rule, step, held, capacity)
        naive = walked(rule, naive, Fraction(held * 100, capacity))
        assert step == naive
        reached = [each.from_percent for each in rule.steps if held * 100 >= each.from_percent * capacity]
        assert step >= max(reached, default=NONE)
        assert step_in_force(rule, step, held, capacity) == step  # it comes to rest at once


def walked(rule: Occupancy, step: Decimal, occupancy: Fraction) -> Decimal:
    """One step at a time, down and then up."""
    ladder = [NONE, *(each.from_percent for each in rule.steps)]
    at = ladder.index(step)
    while at and (occupancy == 0 or occupancy < Fraction(ladder[at]) - Fraction(rule.hysteresis_percent)):
        at -= 1
    while at + 1 < len(ladder) and occupancy >= ladder[at + 1]:
        at += 1
    return ladder[at]
