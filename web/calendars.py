"""Calendars: what holds for single nights of a unit type, said for a range of them at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import get_args

from aiohttp import web

from domain.calendar import MAX_SLOTS, Unbookable, nights_between
from domain.property_calendar import weekday_of
from streams.events.availability import ResourceDeclared
from streams.events.night_rules import RuleName, SetCalendar
from streams.keys import resource_key
from web.bodies import check, read_json
from web.calendar_models import CalendarNightOut, CalendarOut, CalendarRequest
from web.context import SOURCE, Context, context_of, correlation_of
from web.operations import Operation, Parameter
from web.problems import FieldError, Problem, invalid, not_found
from web.requests import name_in_path, query_date
from web.shapes import as_json
from web.units import readable

_RULES: tuple[RuleName, ...] = get_args(RuleName)
#: The first is not above the second.
_ORDERED: tuple[tuple[RuleName, RuleName], ...] = (("min_stay", "max_stay"), ("min_advance_days", "max_advance_days"))


async def put_calendar(request: web.Request) -> web.Response:
    context, unit = context_of(request), unit_in_path(request)
    asked = check(CalendarRequest, await read_json(request))
    nights = nights_of(asked.from_date, asked.to_date)
    if asked.weekdays and not any(weekday_of(night) in asked.weekdays for night in nights):
        raise invalid("weekdays", "none of them is in the range")
    said = {name: getattr(asked, name) for name in _RULES if name in asked.model_fields_set}
    _check_rules(said)
    event = SetCalendar(
        provider_id=unit.provider_id,
        product_id=unit.product_id,
        from_date=asked.from_date,
        to_date=asked.to_date,
        weekdays=tuple(asked.weekdays),
        **{name: value for name, value in said.items() if value is not None},
        clears=tuple(name for name, value in said.items() if value is None),
    )
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    by_night(await readable(context, unit.provider_id, unit.product_id, appended.offset))
    return await _answer(context, unit, nights, after=appended.offset)


async def get_calendar(request: web.Request) -> web.Response:
    context, unit = context_of(request), unit_in_path(request)
    return await _answer(context, unit, nights_of(query_date(request, "from"), query_date(request, "to")))


def unit_in_path(request: web.Request) -> ResourceDeclared:
    """The unit type of the path. Raises Problem 404, and 409 where it is not sold by the night."""
    property_id, unit_type = name_in_path(request, "property_id"), name_in_path(request, "unit_type")
    declared = context_of(request).rates.get(resource_key(property_id, unit_type))
    if declared is None:
        raise not_found("unit type at this property")
    return by_night(declared)


def by_night(declared: ResourceDeclared) -> ResourceDeclared:
    """The resource, if it is sold by the night. Raises Problem 409."""
    if declared.slots == "nights":
        return declared
    cut = "as stock" if declared.slots == "none" else f"in slots of {declared.slots} minutes"
    detail = f"{declared.provider_id} / {declared.product_id} is sold {cut}; calendars and blocks are of nights."
    raise Problem(409, "not-by-the-night", "Not sold by the night", detail, [FieldError("unit_type", f"is sold {cut}")])


def nights_of(from_date: date, to_date: date) -> tuple[str, ...]:
    """The nights of a range. Raises Problem 422 where it has none, or too many."""
    try:
        return nights_between(from_date, to_date)
    except Unbookable as refusal:
        why = "should be after from" if refusal.reason == "invalid_period" else f"at most {MAX_SLOTS} nights at once"
        raise invalid("to", why) from None


def _check_rules(said: Mapping[RuleName, object]) -> None:
    if not said:
        raise invalid("body", f"says nothing; send one of {', '.join(_RULES)}")
    for least, most in _ORDERED:
        low, high = said.get(least), said.get(most)
        if isinstance(low, int) and isinstance(high, int) and low > high:
            raise invalid(most, f"should be at least {least}, which is {low}")


async def _answer(
    context: Context, unit: ResourceDeclared, nights: tuple[str, ...], *, after: int | None = None
) -> web.Response:
    counts = await context.rows.slots(unit.provider_id, unit.product_id, nights, after=after)
    if counts is None:
        raise not_found("unit type at this property")
    body = CalendarOut(
        property_id=unit.provider_id,
        unit_type=unit.product_id,
        nights=[CalendarNightOut.of(night, counts.rules_of(night)) for night in nights],
    )
    return as_json(body)


_DATE = {"type": "string", "format": "date"}
_PATH = "/api/properties/{property_id}/units/{unit_type}/calendar"

OPERATIONS = (
    Operation(
        "PUT",
        _PATH,
        put_calendar,
        "Close nights, say how long and how early stays are booked, for a range of nights at once",
        "calendar",
        {200: CalendarOut},
        request=CalendarRequest,
        problems=(404, 409, 503),
    ),
    Operation(
        "GET",
        _PATH,
        get_calendar,
        "What holds for single nights",
        "calendar",
        {200: CalendarOut},
        parameters=(
            Parameter("from", "The first night.", _DATE, required=True),
            Parameter("to", "The day after the last night, at most 366 nights later.", _DATE, required=True),
        ),
        problems=(404, 409, 422, 503),
    ),
)
