"""Key figures of a property, and how much was told of what: summed over the rows of all analytics partitions."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import msgspec
from aiohttp import web
from pydantic import Field

from domain.calendar import zone
from domain.kpis import Kpis, Sums, kpis
from streams.services import ANALYTICS
from tables.analytics import News, figures_of, news_prefixes, prefixes
from web.answers import Answer, Money
from web.context import Context, context_of
from web.operations import Operation, Parameter
from web.problems import invalid
from web.requests import query_date, query_name

#: The most days one answer is about.
MAX_DAYS = 366
#: At least as many as there are days in a year: what one prefix of ours stands for.
_LIMIT = 500


class PickupOut(Answer):
    """What was booked on one day; nights and value of that as far as it is confirmed and not cancelled."""

    day: date
    bookings: int
    nights: int
    value: list[Money]


class KpisOut(Answer):
    """Bookings, rates and pickup go by the day a booking was made on, nights and revenue by the day they are for."""

    property_id: str
    from_: date = Field(serialization_alias="from")
    to: date
    bookings: int
    confirmed: int
    cancelled: int
    no_shows: int
    rejected: int
    expired: int
    nights_sold: int
    nights_available: int | None
    occupancy: float | None
    revenue: list[Money]
    adr: list[Money] | None
    revpar: list[Money] | None
    captured: list[Money]
    refunded: list[Money]
    cancellation_rate: float | None
    no_show_rate: float | None
    average_lead_time: float | None
    average_length_of_stay: float | None
    pickup: list[PickupOut]


class NewsDay(Answer):
    """How many events of each canonical type were told on one day (in UTC where no property is concerned)."""

    day: date
    counts: dict[str, int]


class NewsOut(Answer):
    days: list[NewsDay]


async def get_kpis(request: web.Request) -> web.Response:
    context = context_of(request)
    property_id, (first, last) = query_name(request, "property_id"), period(request)
    rows = await scan(context, prefixes(property_id, first, last))
    found = kpis(figures_of(rows, first, last), (last - first).days + 1, capacity_of(context, property_id))
    return _answer(kpis_out(property_id, first, last, found))


async def get_news(request: web.Request) -> web.Response:
    first, last = period(request)
    days: defaultdict[date, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key, raw in await scan(context_of(request), news_prefixes(first, last)):
        day = date.fromisoformat(key.rpartition("|")[2])
        if first <= day <= last:
            for name, count in msgspec.json.decode(raw, type=News).counts.items():
                days[day][name] += count
    return _answer(NewsOut(days=[NewsDay(day=day, counts=dict(sorted(days[day].items()))) for day in sorted(days)]))


def period(request: web.Request) -> tuple[date, date]:
    first, last = query_date(request, "from"), query_date(request, "to")
    if last < first:
        raise invalid("to", "should not be before from")
    if (last - first).days >= MAX_DAYS:
        raise invalid("to", f"at most {MAX_DAYS} days at once")
    return first, last


async def scan(context: Context, names: Iterable[str]) -> list[tuple[str, bytes]]:
    questions = [
        context.rows.scan(ANALYTICS.name, partition, name, limit=_LIMIT)
        for name in names
        for partition in range(context.layout.partitions)
    ]
    return [row for rows in await asyncio.gather(*questions) for row in rows]


def capacity_of(context: Context, property_id: str) -> int | None:
    """The units there are of every night; None where nothing is taken by the night."""
    nightly = [
        resource.capacity
        for _, resource in context.rates.items()
        if resource.provider_id == property_id and resource.slots == "nights"
    ]
    return sum(nightly) if nightly else None


def zone_of(context: Context, property_id: str) -> str:
    """The time zone of the property, as far as it has declared one."""
    zones = (each.time_zone for _, each in context.rates.items() if each.provider_id == property_id)
    return next(zones, "UTC")


def today_of(context: Context, property_id: str) -> date:
    """By the clock of the property."""
    return context.clock().astimezone(zone(zone_of(context, property_id))).date()


def kpis_out(property_id: str, first: date, last: date, found: Kpis) -> KpisOut:
    return KpisOut(
        property_id=property_id,
        from_=first,
        to=last,
        bookings=found.bookings,
        confirmed=found.confirmed,
        cancelled=found.cancelled,
        no_shows=found.no_shows,
        rejected=found.rejected,
        expired=found.expired,
        nights_sold=found.nights_sold,
        nights_available=found.nights_available,
        occupancy=number(found.occupancy),
        revenue=money(found.revenue),
        adr=money(found.adr) if found.adr is not None else None,
        revpar=money(found.revpar) if found.revpar is not None else None,
        captured=money(found.captured),
        refunded=money(found.refunded),
        cancellation_rate=number(found.cancellation_rate),
        no_show_rate=number(found.no_show_rate),
        average_lead_time=number(found.average_lead_time),
        average_length_of_stay=number(found.average_length_of_stay),
        pickup=[
            PickupOut(day=each.day, bookings=each.bookings, nights=each.nights, value=money(each.value))
            for each in found.pickup
        ],
    )


def money(sums: Sums) -> list[Money]:
    return [Money.of(amount, currency) for currency, amount in sorted(sums.items())]


def number(value: Decimal | None) -> float | None:
    return float(value) if value is not None else None


def _answer(body: Answer) -> web.Response:
    return web.Response(text=body.model_dump_json(by_alias=True), content_type="application/json")


_DATE = {"type": "string", "format": "date"}
PROPERTY = Parameter(
    "property_id", "The property.", {"type": "string", "minLength": 1, "maxLength": 100}, required=True
)
_FROM = Parameter("from", "The first day.", _DATE, required=True)
_TO = Parameter("to", f"The last day, included; at most {MAX_DAYS} days in all.", _DATE, required=True)

OPERATIONS = (
    Operation(
        "GET",
        "/api/analytics/kpis",
        get_kpis,
        "Occupancy, ADR, RevPAR, revenue, rates and pickup of a property",
        "analytics",
        {200: KpisOut},
        parameters=(
            PROPERTY,
            _FROM,
            _TO,
        ),
        problems=(422, 503),
    ),
    Operation(
        "GET",
        "/api/analytics/events",
        get_news,
        "How many events of each type were told, day by day",
        "analytics",
        {200: NewsOut},
        parameters=(_FROM, _TO),
        problems=(422, 503),
    ),
)
