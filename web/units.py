"""Units: what a property has, and what it costs. A declaration is answered once every reader here knows it."""

from __future__ import annotations

import time

import msgspec
from aiohttp import web

from domain.declaration import declaration_of
from domain.inventory import Resource
from streams.events.availability import DeclareResource, ResourceDeclared
from streams.events.stay import StayRules
from streams.keys import resource_key
from web.answers import Money, UnitOut
from web.bodies import check, read_json
from web.context import SOURCE, Context, context_of, correlation_of
from web.models import UnitRequest
from web.operations import Operation
from web.owners import OwnerUnavailable
from web.policy_models import deposit_in, deposit_out, policy_of, policy_out
from web.problems import FieldError, Problem, not_found
from web.requests import name_in_path
from web.shapes import as_json

#: How long the view is followed before the owner is asked again, in seconds.
_FOLLOW_S = 1.0


async def put_unit(request: web.Request) -> web.Response:
    property_id, unit_type = name_in_path(request, "property_id"), name_in_path(request, "unit_type")
    asked = check(UnitRequest, await read_json(request))
    context = context_of(request)
    event = DeclareResource(
        provider_id=property_id,
        product_id=unit_type,
        capacity=asked.capacity,
        overbooking_limit=asked.overbooking_limit,
        slots=asked.slots,
        time_zone=asked.time_zone,
        price_amount=asked.base_price.amount,
        price_currency=asked.base_price.currency,
        min_stay=asked.min_stay,
        cancellation=policy_of(asked.cancellation, asked.base_price.currency, by_night=asked.slots == "nights"),
        stay=_stay_rules(asked),
        deposit=deposit_in(asked.deposit, by_night=asked.slots == "nights"),
    )
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    declared = await readable(context, property_id, unit_type, appended.offset)
    if declared.slots != asked.slots:
        raise Problem(
            409,
            "slots-in-use",
            "Time is not cut anew while something is held",
            f"slots stays {declared.slots!r}; everything else was taken over.",
            [FieldError("slots", "cannot change while nights or slots are held, or nights have rules or blocks")],
            more={"unit": unit_out(declared).model_dump()},
        )
    return _answer(declared)


def _stay_rules(asked: UnitRequest) -> StayRules | None:
    """The hours it names, with the usual ones for those it leaves out; None if it names none."""
    named = {name: getattr(asked, name) for name in StayRules.__struct_fields__ if getattr(asked, name) is not None}
    return StayRules(**named) if named else None


async def readable(context: Context, property_id: str, unit_type: str, offset: int) -> ResourceDeclared:
    """The resource as its owner has it after `offset`, once the view that requests are priced from has it too."""
    end = time.monotonic() + context.limits.patience
    while True:
        counts = await context.rows.slots(property_id, unit_type, (), after=offset)
        if counts is None:
            raise OwnerUnavailable(resource_key(property_id, unit_type))
        try:
            return await _followed(context, counts.resource)
        except TimeoutError:
            if time.monotonic() > end:
                raise OwnerUnavailable(resource_key(property_id, unit_type)) from None


async def _followed(context: Context, resource: Resource) -> ResourceDeclared:
    told, key = declaration_of(resource), resource_key(resource.provider_id, resource.product_id)
    return await context.rates.until(key, lambda declared: declared == told, _FOLLOW_S)


async def get_unit(request: web.Request) -> web.Response:
    property_id, unit_type = name_in_path(request, "property_id"), name_in_path(request, "unit_type")
    declared = context_of(request).rates.get(resource_key(property_id, unit_type))
    if declared is None:
        raise not_found("unit type at this property")
    return _answer(declared)


def unit_out(declared: ResourceDeclared) -> UnitOut:
    return UnitOut(
        property_id=declared.provider_id,
        unit_type=declared.product_id,
        capacity=declared.capacity,
        overbooking_limit=declared.overbooking_limit,
        base_price=Money.of(declared.price_amount, declared.price_currency),
        min_stay=declared.min_stay,
        time_zone=declared.time_zone,
        slots=declared.slots,
        cancellation=policy_out(declared.cancellation, declared.price_currency),
        deposit=deposit_out(declared.deposit),
        **(msgspec.structs.asdict(declared.stay) if declared.stay is not None else {}),
    )


def _answer(declared: ResourceDeclared) -> web.Response:
    return as_json(unit_out(declared))


OPERATIONS = (
    Operation(
        "PUT",
        "/api/properties/{property_id}/units/{unit_type}",
        put_unit,
        "Say how much there is of a unit type, and what it costs",
        "units",
        {200: UnitOut},
        request=UnitRequest,
        problems=(409, 503),
    ),
    Operation(
        "GET",
        "/api/properties/{property_id}/units/{unit_type}",
        get_unit,
        "A unit type as it stands",
        "units",
        {200: UnitOut},
        problems=(404, 422),
    ),
)
