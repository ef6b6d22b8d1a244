"""What a property's nights to come will bring (HTL-23): on the books, expected, and how far such forecasts were off."""

from __future__ import annotations

from datetime import date, timedelta

from aiohttp import web
from pydantic import Field

from domain.forecast import TESTED, TESTED_AHEAD, WEEKS, Error, Outlook, error_of, forecast
from tables.analytics import figures_of, prefixes
from web.analytics import MAX_DAYS, PROPERTY, capacity_of, money, number, period, scan, today_of
from web.answers import Answer, Money
from web.context import context_of
from web.operations import Operation, Parameter
from web.problems import invalid
from web.requests import query_name

#: What lies before the nights asked for and is compared with them.
HISTORY = timedelta(weeks=WEEKS + 1, days=TESTED + TESTED_AHEAD)


class OutlookOut(Answer):
    """One night: units sold, units expected to be sold by then, and the revenue of both."""

    night: date
    on_the_books: int
    pickup: float
    expected: float
    occupancy: float | None
    booked: list[Money]
    revenue: list[Money]
    comparable: int


class ForecastErrorOut(Answer):
    """The mean error of the same forecast for nights that are over: in units, and as a part of what was sold."""

    nights: int
    days_ahead: int
    units: float | None
    part: float | None


class ForecastOut(Answer):
    property_id: str
    from_: date = Field(serialization_alias="from")
    to: date
    nights: list[OutlookOut]
    error: ForecastErrorOut


async def get_forecast(request: web.Request) -> web.Response:
    context = context_of(request)
    property_id, (first, last) = query_name(request, "property_id"), period(request)
    today = today_of(context, property_id)
    if first < today:
        raise invalid("from", f"should not be before {today}, the property's today; what is over is in the key figures")
    rows = await scan(context, prefixes(property_id, today - HISTORY, last))
    days, capacity = figures_of(rows, today - HISTORY, last), capacity_of(context, property_id)
    nights = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    body = ForecastOut(
        property_id=property_id,
        from_=first,
        to=last,
        nights=[outlook_out(forecast(days, night, today, capacity), capacity) for night in nights],
        error=error_out(error_of(days, today)),
    )
    return web.Response(text=body.model_dump_json(by_alias=True), content_type="application/json")


def outlook_out(found: Outlook, capacity: int | None) -> OutlookOut:
    return OutlookOut(
        night=found.night,
        on_the_books=found.on_the_books,
        pickup=float(found.pickup),
        expected=float(found.expected),
        occupancy=round(float(found.expected) / capacity, 4) if capacity else None,
        booked=money(found.booked),
        revenue=money(found.revenue),
        comparable=found.comparable,
    )


def error_out(found: Error) -> ForecastErrorOut:
    return ForecastErrorOut(
        nights=found.nights, days_ahead=found.days_ahead, units=number(found.units), part=number(found.part)
    )


_DATE = {"type": "string", "format": "date"}

OPERATIONS = (
    Operation(
        "GET",
        "/api/analytics/forecast",
        get_forecast,
        "What is sold of the nights to come, and what is still expected",
        "analytics",
        {200: ForecastOut},
        parameters=(
            PROPERTY,
            Parameter("from", "The first night, today at the earliest.", _DATE, required=True),
            Parameter("to", f"The last night, included; at most {MAX_DAYS} nights in all.", _DATE, required=True),
        ),
        problems=(422, 503),
    ),
)
