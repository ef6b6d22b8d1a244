"""What is free: each night or slot of a unit type as its owner has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from aiohttp import web

from domain.calendar import MAX_SLOTS, Unbookable, current_slot, night_bounds, slots_of
from domain.inventory import Resource
from streams.events.availability import ResourceDeclared
from web.answers import AvailabilityOut, Money, RateOut, SlotOut
from web.checks import resource_of
from web.context import context_of
from web.operations import Operation, Parameter
from web.problems import invalid, not_found
from web.rate_plans import night_rates
from web.requests import query_date, query_name
from web.wire import SlotCount, SlotCounts


async def get_availability(request: web.Request) -> web.Response:
    context = context_of(request)
    property_id, unit_type = query_name(request, "property_id"), query_name(request, "unit_type")
    start, end = query_date(request, "from"), query_date(request, "to")
    resource = resource_of(context, ("property_id", property_id), ("unit_type", unit_type))
    slots = _slots(resource, start, end)
    counts = await context.rows.slots(property_id, unit_type, slots)
    if counts is None:
        raise not_found("unit type at this property")
    body = AvailabilityOut(
        property_id=property_id,
        unit_type=unit_type,
        time_zone=resource.time_zone,
        nights=_nights(counts, slots, context.clock(), night_rates(context, resource, slots)),
    )
    return web.Response(text=body.model_dump_json(), content_type="application/json")


def _slots(resource: ResourceDeclared, start: date, end: date) -> tuple[str, ...]:
    if end <= start:
        raise invalid("to", "should be after from")
    try:
        return slots_of(resource.slots, resource.time_zone, *night_bounds(start, end, resource.time_zone))
    except Unbookable as refusal:
        raise invalid("to", f"at most {MAX_SLOTS} nights or slots at once ({refusal.reason})") from None


def _nights(
    counts: SlotCounts, slots: tuple[str, ...], now: datetime, rates: Mapping[str, list[RateOut]]
) -> list[SlotOut]:
    resource = counts.resource
    current = current_slot(resource.slots, resource.time_zone, now)
    taken = {count.slot: count for count in counts.slots}
    return [_slot(resource, taken.get(slot) or SlotCount(slot, 0, 0), current, rates.get(slot, [])) for slot in slots]


def _slot(resource: Resource, count: SlotCount, current: str, rates: list[RateOut]) -> SlotOut:
    past, sold_out = count.slot < current, count.held >= resource.limit
    return SlotOut(
        slot=count.slot,
        capacity=resource.capacity,
        held=count.held - count.confirmed,
        confirmed=count.confirmed,
        free=max(resource.capacity - count.held, 0),
        price=Money.of(resource.price_amount, resource.price_currency),
        rates=rates,
        bookable=not past and not sold_out,
        why_not="past" if past else "sold_out" if sold_out else None,
    )


_DATE = {"type": "string", "format": "date"}
_NAME = {"type": "string", "minLength": 1, "maxLength": 100}

OPERATIONS = (
    Operation(
        "GET",
        "/api/availability",
        get_availability,
        "What is free, night by night",
        "availability",
        {200: AvailabilityOut},
        parameters=(
            Parameter("property_id", "The property.", _NAME, required=True),
            Parameter("unit_type", "The unit type.", _NAME, required=True),
            Parameter("from", "The first night.", _DATE, required=True),
            Parameter("to", "The day after the last night, at most 366 nights or slots later.", _DATE, required=True),
        ),
        problems=(404, 422, 503),
    ),
)
