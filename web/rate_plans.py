"""Rate plans of a unit type: declared, read and withdrawn. An answer is given once every reader here knows it."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from domain.plan_declaration import MAX_NAMES, MAX_PLANS, KeptPlan
from domain.rate_plans import Base, night_price
from streams.events import Event
from streams.events.availability import ResourceDeclared
from streams.events.rate_plans import DeclareRatePlan, PlanNews, RatePlanDeclared, WithdrawRatePlan
from streams.keys import rate_key, resource_key
from streams.services import AVAILABILITY
from tables.rate_plans import plan_row
from web.answers import Answer, Money, RateOut
from web.bodies import check, read_json
from web.context import SOURCE, Context, context_of, correlation_of
from web.money import fits
from web.operations import Operation
from web.owners import OwnerUnavailable
from web.problems import FieldError, Problem, invalid, not_found, unprocessable
from web.rate_plan_models import RatePlanRequest
from web.requests import name_in_path
from web.shapes import as_json
from web.stay_prices import plan_of, steps_of

#: How long the view is followed before the owner is asked again, in seconds.
_FOLLOW_S = 1.0


class RatePlanOut(Answer):
    """A plan as it stands. One that is withdrawn is booked no more; bookings that have it keep it."""

    property_id: str
    unit_type: str
    rate_plan: str
    #: Of all its sums.
    currency: str
    withdrawn: bool
    #: As it was declared; what does not apply is left out.
    plan: dict[str, Any]


class RatePlansOut(Answer):
    property_id: str
    unit_type: str
    rate_plans: list[RatePlanOut]


async def put_rate_plan(request: web.Request) -> web.Response:
    rate_plan, asked = name_in_path(request, "plan_id"), check(RatePlanRequest, await read_json(request))
    context, resource = context_of(request), _unit(request)
    if resource.slots != "nights":
        raise invalid("unit_type", "is not sold by the night, which is what rate plans price")
    _check_sums(asked, resource.price_currency)
    event = DeclareRatePlan(
        provider_id=resource.provider_id,
        product_id=resource.product_id,
        rate_plan=rate_plan,
        plan=asked.plan(),
        price_currency=resource.price_currency,
    )
    kept = await _decided(request, context, resource, event)
    if kept is None or kept.withdrawn or kept.plan != event.plan:
        detail = f"A unit has at most {MAX_PLANS} plans at a time, of at most {MAX_NAMES} names ever: withdraw one."
        raise Problem(409, "plan-refused", "The rate plan was not taken", detail, [FieldError("plan_id", "no room")])
    return _answer(_out(resource, kept))


async def delete_rate_plan(request: web.Request) -> web.Response:
    context, resource, rate_plan = context_of(request), _unit(request), name_in_path(request, "plan_id")
    names = {"provider_id": resource.provider_id, "product_id": resource.product_id, "rate_plan": rate_plan}
    kept = await _decided(request, context, resource, WithdrawRatePlan(**names))
    if kept is None:
        raise not_found("rate plan of this unit type")
    return _answer(_out(resource, kept))


async def get_rate_plan(request: web.Request) -> web.Response:
    resource = _unit(request)
    found = plan_of(context_of(request), resource, name_in_path(request, "plan_id"))
    if found is None:
        raise not_found("rate plan of this unit type")
    return _answer(_out(resource, KeptPlan(found.rate_plan, found.plan, found.price_currency, found.withdrawn)))


async def list_rate_plans(request: web.Request) -> web.Response:
    resource = _unit(request)
    plans = [_out(resource, kept) for kept in plans_in_force(context_of(request), resource)]
    body = RatePlansOut(property_id=resource.provider_id, unit_type=resource.product_id, rate_plans=plans)
    return _answer(body)


def plans_in_force(context: Context, resource: ResourceDeclared) -> list[KeptPlan]:
    """The plans of a resource that may be booked, by name."""
    found = [
        KeptPlan(news.rate_plan, news.plan, news.price_currency)
        for _, news in context.plans.items()
        if isinstance(news, RatePlanDeclared)
        and (news.provider_id, news.product_id) == (resource.provider_id, resource.product_id)
        and not news.withdrawn
        and news.price_currency == resource.price_currency
    ]
    return sorted(found, key=lambda kept: kept.rate_plan)


def night_rates(context: Context, resource: ResourceDeclared, nights: tuple[str, ...]) -> dict[str, list[RateOut]]:
    """What each night costs under each plan that may be booked."""
    if resource.slots != "nights":
        return {}
    base, found = Base(resource.price_amount, resource.price_currency), dict[str, list[RateOut]]()
    for kept in plans_in_force(context, resource):
        steps = steps_of(context, resource, kept.rate_plan, nights)
        for night in nights:
            price = night_price(kept.plan, base, night, steps.get(night, Decimal(0))).price
            rate = RateOut(rate_plan=kept.rate_plan, price=Money.of(price, kept.currency))
            found.setdefault(night, []).append(rate)
    return found


async def _decided(
    request: web.Request, context: Context, resource: ResourceDeclared, event: DeclareRatePlan | WithdrawRatePlan
) -> KeptPlan | None:
    """The plan as its owner has it after `event`, once the view that requests are priced from has it too."""
    offset = await _append(request, context, event)
    key = resource_key(resource.provider_id, resource.product_id)
    end = time.monotonic() + context.limits.patience
    while True:
        row = await context.rows.row(AVAILABILITY.name, key, plan_row(key, event.rate_plan), after=offset)
        if row is None:
            return None
        kept = msgspec.json.decode(row, type=KeptPlan)
        try:
            await _followed(context, resource, kept)
        except TimeoutError:
            if time.monotonic() > end:
                raise OwnerUnavailable(key) from None
        else:
            return kept


async def _append(request: web.Request, context: Context, event: Event) -> int:
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    return appended.offset


async def _followed(context: Context, resource: ResourceDeclared, kept: KeptPlan) -> None:
    def says_so(news: PlanNews) -> bool:
        return isinstance(news, RatePlanDeclared) and (news.plan, news.withdrawn) == (kept.plan, kept.withdrawn)

    key = rate_key(resource.provider_id, resource.product_id, kept.rate_plan)
    await context.plans.until(key, says_so, _FOLLOW_S)


def _unit(request: web.Request) -> ResourceDeclared:
    property_id, unit_type = name_in_path(request, "property_id"), name_in_path(request, "unit_type")
    found = context_of(request).rates.get(resource_key(property_id, unit_type))
    if found is None:
        raise not_found("unit type at this property")
    return found


def _check_sums(asked: RatePlanRequest, currency: str) -> None:
    wrong = []
    for field, amount in asked.sums():
        try:
            if amount is not None:
                fits(amount, currency)
        except ValueError as error:
            wrong.append(FieldError(field, str(error)))
    if wrong:
        raise unprocessable(wrong)


def _out(resource: ResourceDeclared, kept: KeptPlan) -> RatePlanOut:
    return RatePlanOut(
        property_id=resource.provider_id,
        unit_type=resource.product_id,
        rate_plan=kept.rate_plan,
        currency=kept.currency,
        withdrawn=kept.withdrawn,
        plan=msgspec.to_builtins(kept.plan),
    )


def _answer(body: Answer) -> web.Response:
    return as_json(body)


_PLANS = "/api/properties/{property_id}/units/{unit_type}/rate-plans"
_PLAN = _PLANS + "/{plan_id}"

OPERATIONS = (
    Operation(
        "PUT",
        _PLAN,
        put_rate_plan,
        "Say how a unit type is priced under a rate plan",
        "rates",
        {200: RatePlanOut},
        request=RatePlanRequest,
        problems=(404, 409, 503),
    ),
    Operation(
        "GET", _PLAN, get_rate_plan, "A rate plan as it stands", "rates", {200: RatePlanOut}, problems=(404, 422)
    ),
    Operation(
        "DELETE",
        _PLAN,
        delete_rate_plan,
        "Withdraw a rate plan; bookings that have it keep it",
        "rates",
        {200: RatePlanOut},
        problems=(404, 422, 503),
    ),
    Operation(
        "GET",
        _PLANS,
        list_rate_plans,
        "The rate plans of a unit type that may be booked",
        "rates",
        {200: RatePlansOut},
        problems=(404, 422, 503),
    ),
)
