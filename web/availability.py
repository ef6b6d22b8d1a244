"""What is free: each night or slot of a unit type as its owner has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from aiohttp import web

from domain.calendar import MAX_SLOTS, Unbookable, night_bounds, slots_of
from domain.night_rules import NightRules
from domain.restrictions import no_arrival, unbookable
from streams.events.availability import ResourceDeclared
from web.answers import Money, RateOut
from web.calendar_models import AvailabilityOut, SlotOut
from web.checks import resource_of
from web.context import context_of
from web.operations import Operation, Parameter
from web.problems import invalid, not_found
from web.rate_plans import night_rates
from web.requests import query_date, query_name
from web.shapes import as_json
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
    return as_json(body)


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
    taken = {count.slot: count for count in counts.slots}
    return [_slot(counts, taken.get(slot) or SlotCount(slot, 0, 0), now, rates.get(slot, [])) for slot in slots]


def _slot(counts: SlotCounts, count: SlotCount, now: datetime, rates: list[RateOut]) -> SlotOut:
    resource, rules = counts.resource, counts.rules_of(count.slot)
    blocked = rules.blocked(now)
    unsold = list(unbookable(resource, rules, count.slot, count.held, now))
    unarrived = list(no_arrival(resource, rules, count.slot, now))
    least = resource.min_stay if rules.min_stay is None else rules.min_stay
    return SlotOut(
        slot=count.slot,
        capacity=resource.capacity,
        held=count.held - count.confirmed,
        confirmed=count.confirmed,
        blocked=blocked,
        free=max(resource.for_sale(blocked) - count.held, 0),
        price=Money.of(resource.price_amount, resource.price_currency),
        rates=rates,
        bookable=not unsold,
        why_not=unsold[0] if unsold else None,
        arrival=not unsold and not unarrived,
        departure=not rules.closed_to_departure,
        min_stay=least,
        max_stay=rules.max_stay,
        reasons=[*unsold, *unarrived, *_on_stays(rules, least)],
    )


def _on_stays(rules: NightRules, least: int) -> Iterator[str]:
    if rules.closed_to_departure:
        yield "closed_to_departure"
    if least > 1:
        yield f"min_stay {least}"
    if rules.max_stay is not None:
        yield f"max_stay {rules.max_stay}"


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
