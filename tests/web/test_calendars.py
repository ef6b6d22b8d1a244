"""Calendars over HTTP: a range of nights at once, in force as soon as it is answered (HTL-03)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

import msgspec
import pytest

from streams.envelope import originate
from streams.events.night_rules import SetCalendar
from streams.keys import partition_of
from streams.local import LocalRows
from streams.working import WorkingRows
from tables.availability import Availability
from tests.domain.messages import hold
from tests.web.conftest import Gateway, day, stay
from tests.web.instance import NOW

R = TypeVar("R", bound=msgspec.Struct)

PATH = "/api/properties/PROP-001/units/standard/calendar"


async def put(gateway: Gateway, start: int = 30, end: int = 32, path: str = PATH, **rules: object) -> list[Any]:
    answer = await gateway.call("PUT", path, {"from": str(day(start)), "to": str(day(end)), **rules})
    assert answer.status == 200, await answer.text()
    nights: list[Any] = (await answer.json())["nights"]
    return nights


async def outcome(gateway: Gateway, **more: object) -> tuple[str, str | None]:
    booked = await gateway.book(**more)
    found = await (await gateway.call("GET", f"/api/reservations/{booked['booking_id']}?wait=1")).json()
    return found["status"], found["reason"]


@pytest.mark.proves("HTL-03")
async def test_a_range_is_one_message_and_stands_as_soon_as_it_is_answered(gateway: Gateway) -> None:
    await gateway.unit()
    nights = await put(gateway, 0, 366, stop_sell=True)
    assert [type(event) for event in gateway.instance.appended] == [SetCalendar]
    assert len(nights) == 366
    assert all(night["stop_sell"] for night in nights)
    read = await gateway.call("GET", f"{PATH}?from={day(365)}&to={day(367)}")
    assert [night["stop_sell"] for night in (await read.json())["nights"]] == [True, False]
    assert await outcome(gateway) == ("REJECTED", "stop_sell")


async def test_null_clears_a_rule_and_what_is_left_out_stays(gateway: Gateway) -> None:
    await gateway.unit()
    await put(gateway, min_stay=3, closed_to_arrival=True, overbooking_limit=2)
    (first, _) = await put(gateway, min_stay=None, closed_to_arrival=None)
    assert (first["min_stay"], first["closed_to_arrival"], first["overbooking_limit"]) == (None, False, 2)


async def test_weekdays_are_picked_from_the_range(gateway: Gateway) -> None:
    """2026-11-21, today, is a Saturday."""
    await gateway.unit()
    nights = await put(gateway, 0, 8, weekdays=["fri", "sat"], min_stay=2)
    assert [night["min_stay"] for night in nights] == [2, None, None, None, None, None, 2, 2]


async def test_a_night_may_be_sold_for_less_than_the_unit_types_minimum(gateway: Gateway) -> None:
    """The gateway leaves the length to the nights' owner once any night has rules."""
    await gateway.unit(min_stay=3)
    short = {"property_id": "PROP-001", "unit_type": "standard", "check_out": str(day(31))}
    refused = await gateway.call("POST", "/api/reservations", {**stay(), **short})
    assert refused.status == 422
    await put(gateway, 30, 31, min_stay=1)
    assert await outcome(gateway, check_out=str(day(31))) == ("CONFIRMED", None)
    gap = {"check_in": str(day(33)), "check_out": str(day(34))}
    assert await outcome(gateway, **gap) == ("REJECTED", "below_min_stay")


async def test_a_change_is_refused_by_the_calendar_with_its_reason(gateway: Gateway) -> None:
    await gateway.unit()
    booked = await gateway.book()
    await put(gateway, 32, 33, stop_sell=True)
    path = f"/api/reservations/{booked['booking_id']}"
    shorter = await gateway.call("PATCH", path, {"check_out": str(day(31))})
    assert shorter.status == 200
    await put(gateway, 29, 33, stop_sell=True)
    moved = await gateway.call("PATCH", path, {"check_in": str(day(29)), "check_out": str(day(30))})
    assert (moved.status, (await moved.json())["reason"]) == (409, "stop_sell")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"min_stay": 0}, "min_stay"),
        ({"min_stay": 4, "max_stay": 3}, "max_stay"),
        ({"min_advance_days": 9, "max_advance_days": 3}, "max_advance_days"),
        ({"stop_sell": "yes"}, "stop_sell"),
        ({"weekdays": ["friday"], "min_stay": 2}, "weekdays.0"),
        ({"weekdays": ["mon"], "min_stay": 2}, "weekdays"),
        ({"to": "2026-11-21", "min_stay": 2}, "to"),
        ({"to": "2028-11-21", "min_stay": 2}, "to"),
        ({"from": "tomorrow", "min_stay": 2}, "from"),
        ({"closed": True}, "closed"),
    ],
    ids=str,
)
async def test_what_cannot_be_a_calendar_names_its_field(gateway: Gateway, body: dict[str, Any], field: str) -> None:
    await gateway.unit()
    answer = await gateway.call("PUT", PATH, {"from": str(day(0)), "to": str(day(2)), **body})
    assert answer.status == 422, await answer.text()
    assert (await answer.json())["errors"][0]["field"] == field
    assert gateway.instance.appended == []


async def test_only_what_is_sold_by_the_night_has_a_calendar(gateway: Gateway) -> None:
    await gateway.unit(slots=60)
    body = {"from": str(day(0)), "to": str(day(1)), "stop_sell": True}
    answer = await gateway.call("PUT", PATH, body)
    assert (answer.status, (await answer.json())["detail"]) == (
        409,
        "PROP-001 / standard is sold in slots of 60 minutes; calendars and blocks are of nights.",
    )
    price = {"amount": "5.00", "currency": "EUR"}
    assert (await gateway.call("PUT", "/api/stock/soap", {"quantity": 5, "price": price})).status == 200
    stock = await gateway.call("PUT", "/api/properties/stock/units/soap/calendar", body)
    assert (stock.status, (await stock.json())["errors"][0]["message"]) == (409, "is sold as stock")
    nobody = await gateway.call("PUT", "/api/properties/PROP-001/units/none/calendar", body)
    assert nobody.status == 404


async def test_time_is_not_cut_anew_while_nights_have_rules(gateway: Gateway) -> None:
    await gateway.unit()
    await put(gateway, min_stay=2)
    unit = {"capacity": 2, "base_price": {"amount": "100.00", "currency": "EUR"}, "slots": 60}
    assert (await gateway.call("PUT", "/api/properties/PROP-001/units/standard", unit)).status == 409
    await put(gateway, min_stay=None)
    assert (await gateway.call("PUT", "/api/properties/PROP-001/units/standard", unit)).status == 200


async def test_a_calendar_that_nobody_decides_is_503(gateway: Gateway) -> None:
    await gateway.unit()
    gateway.instance.paused.add("availability")
    answer = await gateway.call("PUT", PATH, {"from": str(day(0)), "to": str(day(1)), "stop_sell": True})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


class Noting(WorkingRows):
    """Remembers which rows were read."""

    def __init__(self, local: LocalRows) -> None:
        super().__init__(local)
        self.read: list[str] = []

    def get(self, key: str, model: type[R]) -> R | None:
        self.read.append(key)
        return super().get(key, model)


async def test_where_no_night_has_rules_a_hold_reads_none(gateway: Gateway) -> None:
    await gateway.unit()
    assert "c" not in _read_by_a_hold(gateway)
    await put(gateway, 100, 101, stop_sell=True)
    assert _read_by_a_hold(gateway).count("c") == 2, "the night's, and those of the date the stay ends on"


def _read_by_a_hold(gateway: Gateway) -> list[str]:
    """The kinds of rows that one hold of one night reads."""
    start = datetime.combine(day(30), time.min, UTC)
    asked = hold(start=start, end=start + timedelta(days=1))
    asked = msgspec.structs.replace(asked, provider_id="PROP-001", product_id="standard")
    store = gateway.instance.stores["availability"]
    rows = Noting(store.partition(partition_of("PROP-001/standard", store.partitions)).local)
    Availability().apply(rows, originate(asked, source="test", now=NOW), NOW, 9)
    assert rows.take_changes() != {}
    return [key[0] for key in rows.read]
