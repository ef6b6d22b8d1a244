"""The daily report of a property: the day, the month so far, what is on the books, what was picked up, what is to come
and which alerts stand. As JSON, as CSV for spreadsheets, or as a page to print."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal, get_args

from aiohttp import web
from pydantic import Field

from domain.forecast import error_of, forecast
from domain.kpis import kpis
from tables.analytics import figures_of, prefixes
from web.alerts import AlertOut, alerts_of
from web.analytics import PROPERTY, KpisOut, PickupOut, capacity_of, kpis_out, scan, today_of
from web.answers import Answer
from web.context import context_of
from web.forecast import HISTORY, ForecastErrorOut, OutlookOut, error_out, outlook_out
from web.operations import Operation, Parameter
from web.problems import invalid
from web.report_pages import as_csv, as_page
from web.requests import query_date, query_name

Format = Literal["json", "csv", "html"]
_AHEAD = 30
#: Nothing in a report is fetched from anywhere, and nothing in it runs.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class ReportOut(Answer):
    """`day` is the date it is for. Of a date that is over, figures are as they stand now, and nothing is forecast:
    `nights` has what is on the books by now."""

    property_id: str
    day: date = Field(serialization_alias="date")
    made_at: datetime
    capacity: int | None
    today: KpisOut
    month: KpisOut
    #: Of the date and the 29 nights after it.
    ahead: KpisOut
    #: What was booked on the date and on the day before.
    pickup: list[PickupOut]
    nights: list[OutlookOut]
    error: ForecastErrorOut
    alerts: list[AlertOut]


async def get_report(request: web.Request) -> web.Response:
    asked = _format(request)
    report = await _report(request)
    if asked == "html":
        return web.Response(text=as_page(report), content_type="text/html", charset="utf-8", headers=_PAGE_HEADERS)
    if asked == "csv":
        return web.Response(text=as_csv(report), content_type="text/csv", charset="utf-8")
    return web.Response(text=report.model_dump_json(by_alias=True), content_type="application/json")


def _format(request: web.Request) -> Format:
    """What `format` names; else the first of its kinds that the client accepts; else JSON."""
    named = request.query.get("format")
    if named is not None:
        found = next((each for each in get_args(Format) if each == named), None)
        if found is None:
            raise invalid("format", f"should be one of {', '.join(get_args(Format))}")
        return found  # type: ignore[no-any-return]  # one of the literal's own
    for kind in request.headers.get("Accept", "").split(","):
        media = kind.partition(";")[0].strip().lower()
        if media in _MEDIA:
            return _MEDIA[media]
    return "json"


_MEDIA: dict[str, Format] = {"application/json": "json", "text/csv": "csv", "text/html": "html"}


async def _report(request: web.Request) -> ReportOut:
    context, property_id = context_of(request), query_name(request, "property_id")
    today = today_of(context, property_id)
    day = query_date(request, "date") if "date" in request.query else today
    if day > today:
        raise invalid("date", f"should not be after {today}, the property's today")
    begin, end = min(day.replace(day=1), day - timedelta(days=1), today - HISTORY), day + timedelta(days=_AHEAD - 1)
    days = figures_of(await scan(context, prefixes(property_id, begin, end)), begin, end)
    capacity = capacity_of(context, property_id)

    def over(first: date, last: date) -> KpisOut:
        inside = {each: figures for each, figures in days.items() if first <= each <= last}
        return kpis_out(property_id, first, last, kpis(inside, (last - first).days + 1, capacity))

    nights = [day + timedelta(days=number) for number in range(_AHEAD)]
    # Without comparable nights a forecast is what is on the books, which is all there is to say of the past.
    known = days if day == today else {night: days[night] for night in nights if night in days}
    return ReportOut(
        property_id=property_id,
        day=day,
        made_at=context.clock(),
        capacity=capacity,
        today=over(day, day),
        month=over(day.replace(day=1), day),
        ahead=over(day, end),
        pickup=over(day - timedelta(days=1), day).pickup,
        nights=[outlook_out(forecast(known, night, day, capacity), capacity) for night in nights],
        error=error_out(error_of(days, today)),
        alerts=await alerts_of(request, property_id),
    )


OPERATIONS = (
    Operation(
        "GET",
        "/api/analytics/report",
        get_report,
        "The daily report of a property: JSON, CSV, or a page to print",
        "analytics",
        {200: ReportOut},
        parameters=(
            PROPERTY,
            Parameter("date", "The day; today by the property's clock.", {"type": "string", "format": "date"}),
            Parameter(
                "format",
                "What it comes as; without it by the Accept header, and else JSON.",
                {"type": "string", "enum": list(get_args(Format))},
            ),
        ),
        problems=(422, 503),
    ),
)
