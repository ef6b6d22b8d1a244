"""Prices: what a stay would cost and why, what a night's price was, and how plans were used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec
from aiohttp import web

from domain.calendar import night_bounds
from domain.dynamic_prices import StepChange, TermsChange
from domain.price_history import PriceChange, base_history, plan_history, plans_named
from domain.rate_plans import Adjustment, StayPrice
from domain.rates import PlanUsage, Usage
from streams.events.availability import ResourceDeclared
from streams.keys import resource_key
from streams.services import RATE
from web.answers import Answer, Money
from web.bodies import check, read_json
from web.checks import check_quantity, resource_of, stay_bounds
from web.context import Context, context_of
from web.money import written
from web.operations import Operation, Parameter
from web.problems import Problem
from web.rate_plan_models import QuoteRequest
from web.requests import query_date, query_name
from web.shapes import as_json
from web.stay_prices import stay_price_of

#: So many changes are looked back at, of the resource and of the night alike.
_MOST_CHANGES = 1000


class AdjustmentOut(Answer):
    """A rule, and by how much it moves the price: below zero where it takes off."""

    rule: str
    amount: str


class NightPriceOut(Answer):
    """One unit for one night: `base` and the adjustments add up to `price`."""

    night: date
    base: str
    adjustments: list[AdjustmentOut]
    price: str


class QuoteOut(Answer):
    """What the stay costs if it is booked now. `subtotal` is the nights' prices times the quantity; it and the
    discounts add up to the total."""

    property_id: str
    unit_type: str
    check_in: date
    check_out: date
    quantity: int
    rate_plan: str | None
    currency: str
    nights: list[NightPriceOut]
    subtotal: str
    discounts: list[AdjustmentOut]
    total: Money


class PriceChangeOut(Answer):
    #: None stands for the price without a plan.
    rate_plan: str | None
    at: datetime
    #: None: it could not be booked under the plan any more.
    price: Money | None
    why: str


class PriceHistoryOut(Answer):
    property_id: str
    unit_type: str
    night: date
    prices: list[PriceChangeOut]


class PlanUsageOut(Answer):
    """Counted when a booking is asked for, whatever becomes of it."""

    #: None stands for the price without a plan.
    rate_plan: str | None
    bookings: int
    units: int
    revenue: list[Money]


class UsageOut(Answer):
    property_id: str
    unit_type: str
    bookings: int
    #: Nights of stays times their units.
    units: int
    revenue: list[Money]
    rate_plans: list[PlanUsageOut]


async def quote_stay(request: web.Request) -> web.Response:
    asked, context = check(QuoteRequest, await read_json(request)), context_of(request)
    resource = resource_of(context, ("property_id", asked.property_id), ("unit_type", asked.unit_type))
    check_quantity(asked.quantity, context)
    start, end = stay_bounds(resource, asked.check_in, asked.check_out, context)
    price = stay_price_of(context, resource, start, end, asked.quantity, asked.rate_plan)
    return _answer(_quote_out(asked, price, resource.price_currency))


async def get_history(request: web.Request) -> web.Response:
    context, resource = _asked_of(request)
    night = query_date(request, "night")
    key = resource_key(resource.provider_id, resource.product_id)
    _, end = night_bounds(night, night + timedelta(days=1), resource.time_zone)
    changes = await context.rows.list(RATE.name, key, f"c|{key}|", limit=_MOST_CHANGES)
    moved = await context.rows.list(RATE.name, key, f"e|{key}|{night}|", limit=_MOST_CHANGES)
    terms = [each for row in changes if (each := msgspec.json.decode(row, type=TermsChange)).at < end]
    steps = [msgspec.json.decode(row, type=StepChange) for row in moved]
    prices = _changes_out(None, base_history(terms))
    for name in plans_named(terms):
        prices += _changes_out(name, plan_history(terms, steps, name, night.isoformat()))
    body = PriceHistoryOut(property_id=resource.provider_id, unit_type=resource.product_id, night=night, prices=prices)
    return _answer(body)


async def get_usage(request: web.Request) -> web.Response:
    context, resource = _asked_of(request)
    key = resource_key(resource.provider_id, resource.product_id)
    row = await context.rows.row(RATE.name, key, f"u|{key}")
    usage = msgspec.json.decode(row, type=Usage) if row is not None else Usage()
    body = UsageOut(
        property_id=resource.provider_id,
        unit_type=resource.product_id,
        bookings=usage.bookings,
        units=usage.units,
        revenue=_money(usage.revenue),
        rate_plans=[_plan_usage(name, used) for name, used in sorted(usage.plans.items())],
    )
    return _answer(body)


def _asked_of(request: web.Request) -> tuple[Context, ResourceDeclared]:
    context = context_of(request)
    if RATE.name not in context.layout.running:
        detail = f"The layout {context.layout.name} has no rate service: nothing counts rates or remembers them."
        raise Problem(404, "no-rate-service", "Not found", detail)
    property_id, unit_type = query_name(request, "property_id"), query_name(request, "unit_type")
    return context, resource_of(context, ("property_id", property_id), ("unit_type", unit_type))


def _quote_out(asked: QuoteRequest, price: StayPrice, currency: str) -> QuoteOut:
    nights = [
        NightPriceOut(
            night=date.fromisoformat(each.night),
            base=written(each.base, currency),
            adjustments=_lines(each.adjustments, currency),
            price=written(each.price, currency),
        )
        for each in price.nights
    ]
    return QuoteOut(
        **asked.model_dump(),
        currency=currency,
        nights=nights,
        subtotal=written(price.subtotal, currency),
        discounts=_lines(price.discounts, currency),
        total=Money.of(price.total, currency),
    )


def _lines(lines: Iterable[Adjustment], currency: str) -> list[AdjustmentOut]:
    return [AdjustmentOut(rule=line.rule, amount=written(line.amount, currency)) for line in lines]


def _changes_out(rate_plan: str | None, changes: Iterable[PriceChange]) -> list[PriceChangeOut]:
    return [
        PriceChangeOut(
            rate_plan=rate_plan,
            at=change.at,
            price=Money.of(change.price, change.currency) if change.price is not None else None,
            why=change.why,
        )
        for change in changes
    ]


def _plan_usage(name: str, used: PlanUsage) -> PlanUsageOut:
    revenue = _money(used.revenue)
    return PlanUsageOut(rate_plan=name or None, bookings=used.bookings, units=used.units, revenue=revenue)


def _money(sums: Mapping[str, Decimal]) -> list[Money]:
    return [Money.of(amount, currency) for currency, amount in sorted(sums.items())]


def _answer(body: Answer) -> web.Response:
    return as_json(body)


_NAME = {"type": "string", "minLength": 1, "maxLength": 100}
_UNIT = (
    Parameter("property_id", "The property.", _NAME, required=True),
    Parameter("unit_type", "The unit type.", _NAME, required=True),
)

OPERATIONS = (
    Operation(
        "POST",
        "/api/rates/quote",
        quote_stay,
        "What a stay costs if it is booked now, and why",
        "rates",
        {200: QuoteOut},
        request=QuoteRequest,
        problems=(422,),
    ),
    Operation(
        "GET",
        "/api/rates/history",
        get_history,
        "What the price of a night was, from when, and why",
        "rates",
        {200: PriceHistoryOut},
        parameters=(*_UNIT, Parameter("night", "The night.", {"type": "string", "format": "date"}, required=True)),
        problems=(404, 422, 503),
    ),
    Operation(
        "GET",
        "/api/rates/usage",
        get_usage,
        "How a unit type was booked, by rate plan",
        "rates",
        {200: UsageOut},
        parameters=_UNIT,
        problems=(404, 422, 503),
    ),
)
