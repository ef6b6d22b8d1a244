"""What declaring and withdrawing a plan decides."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.inventory import Resource
from domain.plan_declaration import MAX_NAMES, MAX_PLANS, KeptPlan, decide_plan
from streams.events.rate_plans import DeclareRatePlan, RatePlan, RatePlanDeclared, WithdrawRatePlan
from tests.domain.messages import declare
from tests.domain.plans import FLEX

_DECLARED = declare(price="100.00")
ROOM = Resource(**msgspec.structs.asdict(_DECLARED))
WHO = {"provider_id": ROOM.provider_id, "product_id": ROOM.product_id}


def saying(name: str = "flex", plan: RatePlan = FLEX, currency: str = "EUR") -> DeclareRatePlan:
    return DeclareRatePlan(**WHO, rate_plan=name, plan=plan, price_currency=currency)


def withdrawing(name: str = "flex") -> WithdrawRatePlan:
    return WithdrawRatePlan(**WHO, rate_plan=name)


def test_a_plan_is_told_once_and_a_repetition_says_nothing() -> None:
    decision = decide_plan(ROOM, {}, saying())
    kept = KeptPlan("flex", FLEX, "EUR")
    assert decision.state == kept
    told = RatePlanDeclared(
        provider_id=ROOM.provider_id,
        product_id=ROOM.product_id,
        rate_plan="flex",
        plan=FLEX,
        price_currency="EUR",
    )
    assert decision.events == (told,)
    again = decide_plan(ROOM, {"flex": kept}, saying())
    assert (again.state, again.events) == (kept, ())


def test_a_plan_that_is_withdrawn_keeps_its_rules_and_may_come_back() -> None:
    kept = KeptPlan("flex", FLEX, "EUR")
    ended = decide_plan(ROOM, {"flex": kept}, withdrawing())
    assert ended.state == KeptPlan("flex", FLEX, "EUR", withdrawn=True)
    assert [event.withdrawn for event in ended.events if isinstance(event, RatePlanDeclared)] == [True]
    assert decide_plan(ROOM, {"flex": ended.state}, withdrawing()).events == ()
    assert decide_plan(ROOM, {"flex": ended.state}, saying()).state == kept


@pytest.mark.parametrize(
    ("resource", "message"), [(None, saying()), (ROOM, saying(currency="USD")), (ROOM, withdrawing())]
)
def test_what_cannot_be_leaves_everything_as_it_was(
    resource: Resource | None, message: DeclareRatePlan | WithdrawRatePlan
) -> None:
    decision = decide_plan(resource, {}, message)
    assert (decision.state, decision.events) == (None, ())


@given(st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=400))
def test_plans_and_names_are_bounded_as_a_naive_count_says(asked: list[tuple[int, bool]]) -> None:
    known: dict[str, KeptPlan] = {}
    live: set[int] = set()
    names: set[int] = set()
    for number, withdraw in asked:
        name = f"p{number}"
        state = decide_plan(ROOM, known, withdrawing(name) if withdraw else saying(name)).state
        if state is not None:
            known[name] = state
        if withdraw:
            live.discard(number)
        elif number in live or (len(live) < MAX_PLANS and (number in names or len(names) < MAX_NAMES)):
            live.add(number)
            names.add(number)
    assert {name for name, plan in known.items() if not plan.withdrawn} == {f"p{number}" for number in live}
    assert set(known) == {f"p{number}" for number in names}
