"""How a property's figures go: one of them step by step, and the booking pace of nights to come."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

from aiohttp import web
from pydantic import Field

from domain.metrics import METRICS
from domain.pace import Pace, pace
from domain.trends import Point, Step, reach, trend
from tables.analytics import figures_of, prefixes
from web.analytics import MAX_DAYS, PROPERTY, capacity_of, number, period, scan, today_of
from web.answers import Answer
from web.context import context_of
from web.operations import Operation, Parameter
from web.problems import invalid
from web.requests import query_date, query_name

_STEPS: tuple[Step, ...] = get_args(Step)
_MOST_WEEKS = 104


class PointOut(Answer):
    """A step, and by which part its value differs from that of the step before and of the same one a year ago."""

    from_: date = Field(serialization_alias="from")
    to: date
    #: An amount as a decimal string in a series with a currency, else a number.
    value: float | str | None
    change: float | None
    change_on_year: float | None


class SeriesOut(Answer):
    currency: str | None
    points: list[PointOut]


class TrendsOut(Answer):
    property_id: str
    metric: str
    step: str
    from_: date = Field(serialization_alias="from")
    to: date
    series: list[SeriesOut]


class PaceOut(Answer):
    """Units on the books of these nights, beside what the same weekdays `weeks` earlier had as long before them, and
    what those came to. Counted is what still stands."""

    property_id: str
    from_: date = Field(serialization_alias="from")
    to: date
    as_of: date
    weeks: int
    nights: float
    compared: float
    change: float | None
    final: int


async def get_trends(request: web.Request) -> web.Response:
    property_id, (first, last) = query_name(request, "property_id"), period(request)
    metric, step = request.query.get("metric", ""), request.query.get("step", "day")
    if metric not in METRICS:
        raise invalid("metric", f"should be one of {', '.join(METRICS)}")
    known = next((each for each in _STEPS if each == step), None)
    if known is None:
        raise invalid("step", f"should be one of {', '.join(_STEPS)}")
    context, begin = context_of(request), reach(first, known)
    days = figures_of(await scan(context, prefixes(property_id, begin, last)), begin, last)
    found = trend(days, first, last, known, metric, capacity_of(context, property_id))
    body = TrendsOut(
        property_id=property_id,
        metric=metric,
        step=known,
        from_=first,
        to=last,
        series=[
            SeriesOut(currency=currency, points=[_point(each, currency) for each in points])
            for currency, points in found.items()
        ],
    )
    return web.Response(text=body.model_dump_json(by_alias=True), content_type="application/json")


def _point(point: Point, currency: str | None) -> PointOut:
    value = point.value
    return PointOut(
        from_=point.period.first,
        to=point.period.last,
        value=str(value) if currency is not None and value is not None else number(value),
        change=number(point.on_step),
        change_on_year=number(point.on_year),
    )


async def get_pace(request: web.Request) -> web.Response:
    context = context_of(request)
    property_id, (first, last) = query_name(request, "property_id"), period(request)
    today = today_of(context, property_id)
    as_of = query_date(request, "as_of") if "as_of" in request.query else None
    if as_of is not None and as_of > today:
        raise invalid("as_of", f"should not be after {today}, the property's today")
    weeks = _weeks(request)
    begin = first - timedelta(weeks=weeks)
    days = figures_of(await scan(context, prefixes(property_id, begin, last)), begin, last)
    found = pace(days, first, last, as_of, weeks, today)
    body = _pace_out(property_id, (first, last), as_of or today, weeks, found)
    return web.Response(text=body.model_dump_json(by_alias=True), content_type="application/json")


def _weeks(request: web.Request) -> int:
    given = request.query.get("weeks", "52")
    if not (given.isascii() and given.isdecimal() and len(given) <= 3 and 1 <= int(given) <= _MOST_WEEKS):
        raise invalid("weeks", f"should be a whole number from 1 to {_MOST_WEEKS}")
    return int(given)


def _pace_out(property_id: str, nights: tuple[date, date], as_of: date, weeks: int, found: Pace) -> PaceOut:
    return PaceOut(
        property_id=property_id,
        from_=nights[0],
        to=nights[1],
        as_of=as_of,
        weeks=weeks,
        nights=float(found.nights),
        compared=float(found.compared),
        change=number(found.change),
        final=found.final,
    )


_DATE = {"type": "string", "format": "date"}
_FROM = Parameter("from", "The first day.", _DATE, required=True)
_TO = Parameter("to", f"The last day, included; at most {MAX_DAYS} days in all.", _DATE, required=True)

OPERATIONS = (
    Operation(
        "GET",
        "/api/analytics/trends",
        get_trends,
        "How a figure of a property went, step by step",
        "analytics",
        {200: TrendsOut},
        parameters=(
            PROPERTY,
            Parameter("metric", "The figure.", {"type": "string", "enum": list(METRICS)}, required=True),
            _FROM,
            _TO,
            Parameter("step", "Weeks begin on Monday.", {"type": "string", "enum": list(_STEPS), "default": "day"}),
        ),
        problems=(422, 503),
    ),
    Operation(
        "GET",
        "/api/analytics/pace",
        get_pace,
        "What is on the books, beside the same weekdays of earlier weeks",
        "analytics",
        {200: PaceOut},
        parameters=(
            PROPERTY,
            _FROM,
            _TO,
            Parameter("as_of", "As of that date; today when left out.", _DATE),
            Parameter(
                "weeks",
                "How many weeks earlier the nights are that it is compared with.",
                {"type": "integer", "minimum": 1, "maximum": _MOST_WEEKS, "default": 52},
            ),
        ),
        problems=(422, 503),
    ),
)
