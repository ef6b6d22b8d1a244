"""The plans of a resource, in the availability service's table beside it: `p|{resource}|{plan}`."""

from __future__ import annotations

from collections.abc import Sequence

from domain.inventory import Resource
from domain.plan_declaration import KeptPlan, decide_plan
from streams.events import Event
from streams.events.availability import ResourceDeclared
from streams.events.rate import KeepRates
from streams.events.rate_plans import DeclareRatePlan, RatePlanDeclared, WithdrawRatePlan
from streams.keys import KEYS, quoted
from streams.working import WorkingRows


def plan_row(resource: str, rate_plan: str) -> str:
    return f"p|{resource}|{quoted(rate_plan)}"


def apply(rows: WorkingRows, message: DeclareRatePlan | WithdrawRatePlan) -> Sequence[Event]:
    """Decides a plan on the row of its resource and those of the plans beside it."""
    resource = KEYS["resource"](message)
    known = {plan.rate_plan: plan for _, plan in rows.scan(plan_row(resource, ""), KeptPlan)}
    decision = decide_plan(rows.get(f"r|{resource}", Resource), known, message)
    if decision.state is not None and decision.events:
        rows.put(plan_row(resource, message.rate_plan), decision.state)
    return decision.events


def kept_by_rates(rows: WorkingRows, said: Sequence[Event]) -> list[KeepRates]:
    """What the rate service has to know of what was said of a resource and its plans."""
    return [
        _keep(resource, event)
        for event in said
        if isinstance(event, ResourceDeclared | RatePlanDeclared)
        and (resource := rows.get(f"r|{KEYS['resource'](event)}", Resource)) is not None
    ]


def _keep(resource: Resource, told: ResourceDeclared | RatePlanDeclared) -> KeepRates:
    plan = told if isinstance(told, RatePlanDeclared) else None
    return KeepRates(
        provider_id=resource.provider_id,
        product_id=resource.product_id,
        price_amount=resource.price_amount,
        price_currency=resource.price_currency,
        slots=resource.slots,
        time_zone=resource.time_zone,
        rate_plan=plan.rate_plan if plan else None,
        plan=plan.plan if plan and not plan.withdrawn else None,
        plan_currency=plan.price_currency if plan else "",
    )
