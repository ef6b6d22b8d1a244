"""What a declaration of a rate plan decides: the plan as it stands, from its place in the resource's inbox on."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from domain.decision import Decision
from domain.inventory import Resource
from streams.events.rate_plans import DeclareRatePlan, RatePlan, RatePlanDeclared, WithdrawRatePlan

#: How many plans of a resource may be booked at a time, and how many names they may have had ever.
MAX_PLANS = 20
MAX_NAMES = 100


class KeptPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plan of a resource. One that was withdrawn keeps its rules for the bookings that have it."""

    rate_plan: str
    plan: RatePlan
    currency: str
    withdrawn: bool = False


def decide_plan(
    resource: Resource | None, known: Mapping[str, KeptPlan], message: DeclareRatePlan | WithdrawRatePlan
) -> Decision[KeptPlan | None]:
    """The plan after `message`. Of an unknown resource, in another currency, or one too many, it stays as it was."""
    before = known.get(message.rate_plan)
    after = before
    if isinstance(message, WithdrawRatePlan):
        after = msgspec.structs.replace(before, withdrawn=True) if before is not None else None
    elif resource is not None and message.price_currency == resource.price_currency and _has_room(known, message):
        after = KeptPlan(message.rate_plan, message.plan, message.price_currency)
    if after is None or after == before:
        return Decision(before)
    told = RatePlanDeclared(
        provider_id=message.provider_id,
        product_id=message.product_id,
        rate_plan=message.rate_plan,
        plan=after.plan,
        price_currency=after.currency,
        withdrawn=after.withdrawn,
    )
    return Decision(after, (told,))


def _has_room(known: Mapping[str, KeptPlan], message: DeclareRatePlan) -> bool:
    others = [plan for name, plan in known.items() if name != message.rate_plan]
    return len(others) < MAX_NAMES and sum(not plan.withdrawn for plan in others) < MAX_PLANS
