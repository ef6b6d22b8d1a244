"""What a stay costs at this moment: quotes, bookings and changes are all priced by the same function."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from domain.calendar import slots_of
from domain.pricing import minor_unit
from domain.rate_plans import BASE, Base, StayPrice, stay_price
from streams.events.about import Line
from streams.events.availability import ResourceDeclared
from streams.events.rate_plans import NightStepped, RatePlan, RatePlanDeclared
from streams.keys import rate_key
from web.checks import line_of
from web.context import Context
from web.problems import invalid

#: Events carry sums as JSON numbers, which other programs read exactly up to so many minor units.
_MOST = 2**53


def plan_of(context: Context, resource: ResourceDeclared, rate_plan: str) -> RatePlanDeclared | None:
    """A plan of a resource as it stands, withdrawn or not."""
    found = context.plans.get(rate_key(resource.provider_id, resource.product_id, rate_plan))
    return found if isinstance(found, RatePlanDeclared) else None


def stay_price_of(
    context: Context,
    resource: ResourceDeclared,
    start: datetime,
    end: datetime,
    quantity: int,
    rate_plan: str | None,
    *,
    kept: bool = False,
) -> StayPrice:
    """The price of a stay in these bounds, at the unit's base price or under one of its plans.

    A booking that has a plan is `kept` under it: then it may be one that was withdrawn, and a unit without the plan is
    the fault of the unit chosen. Raises Problem 422.
    """
    field = "unit_type" if kept else "rate_plan"
    plan = _bookable(context, resource, rate_plan, field, kept=kept) if rate_plan is not None else BASE
    nights = slots_of("nights", resource.time_zone, start, end)
    booked_on = context.clock().astimezone(ZoneInfo(resource.time_zone)).date()
    steps = steps_of(context, resource, rate_plan, nights) if rate_plan is not None else {}
    base = Base(resource.price_amount, resource.price_currency)
    price = stay_price(plan, base, nights, quantity, booked_on, steps)
    if price.subtotal > _MOST * minor_unit(base.currency):
        raise invalid(field, "a stay at this price costs more than can be booked")
    return price


def stay_line(
    context: Context,
    resource: ResourceDeclared,
    start: datetime,
    end: datetime,
    quantity: int,
    rate_plan: str | None,
    *,
    kept: bool = False,
) -> Line:
    """The one line of a stay, at its price as of now."""
    price = stay_price_of(context, resource, start, end, quantity, rate_plan, kept=kept)
    return msgspec.structs.replace(line_of(resource, start, end, quantity), price_amount=price.total)


def steps_of(
    context: Context, resource: ResourceDeclared, rate_plan: str, nights: tuple[str, ...]
) -> dict[str, Decimal]:
    """The occupancy steps in force, by night; those on none are left out."""
    who = resource.provider_id, resource.product_id, rate_plan
    found = {night: context.plans.get(rate_key(*who, night)) for night in nights}
    return {night: step.from_percent for night, step in found.items() if isinstance(step, NightStepped)}


def _bookable(context: Context, resource: ResourceDeclared, rate_plan: str, field: str, *, kept: bool) -> RatePlan:
    found = plan_of(context, resource, rate_plan)
    where = f"{resource.provider_id} / {resource.product_id}"
    if found is None or (found.withdrawn and not kept):
        raise invalid(field, f"{where} has no rate plan {rate_plan}")
    if found.price_currency != resource.price_currency:
        raise invalid(
            field, f"the rate plan {rate_plan} is in {found.price_currency}, {where} in {resource.price_currency}"
        )
    return found.plan
