"""Blocks over HTTP: units out of order, or kept for a group (HTL-03)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from streams.envelope import originate
from streams.events.availability import NightOverbooked, NightUpdated
from streams.events.night_rules import BlockDue
from streams.working import WorkingRows
from tables.availability import Availability, due
from tests.web.conftest import Gateway, day
from tests.web.instance import NOW
from tests.web.test_calendars import outcome

PATH = "/api/properties/PROP-001/units/standard/blocks"
BLOCK = {"from": str(day(30)), "to": str(day(32)), "units": 2, "reason": "maintenance"}


async def _night(gateway: Gateway, night: int) -> dict[str, Any]:
    query = f"property_id=PROP-001&unit_type=standard&from={day(night)}&to={day(night + 1)}"
    found: dict[str, Any] = (await (await gateway.call("GET", f"/api/availability?{query}")).json())["nights"][0]
    return found


@pytest.mark.proves("HTL-03")
async def test_what_is_blocked_is_not_sold_until_the_block_is_removed(gateway: Gateway) -> None:
    await gateway.unit()
    answer = await gateway.call("PUT", f"{PATH}/boiler", BLOCK)
    body = {"block_id": "boiler", **BLOCK, "release_at": None, "released": False}
    assert (answer.status, await answer.json()) == (200, body)
    night = await _night(gateway, 30)
    assert (night["blocked"], night["free"], night["why_not"]) == (2, 0, "sold_out")
    assert await outcome(gateway) == ("REJECTED", "sold_out")
    removed = await gateway.call("DELETE", f"{PATH}/boiler")
    assert (removed.status, await removed.json()) == (200, body)
    assert await outcome(gateway) == ("CONFIRMED", None)
    assert (await gateway.call("DELETE", f"{PATH}/boiler")).status == 404


async def test_the_blocks_of_a_unit_type_are_listed(gateway: Gateway) -> None:
    await gateway.unit()
    release = (NOW + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    for name, more in {"a|b": {}, "conference": {"reason": "group", "release_at": release}}.items():
        quoted = name.replace("|", "%7C")
        assert (await gateway.call("PUT", f"{PATH}/{quoted}", {**BLOCK, "units": 1, **more})).status == 200
    gateway.instance.now += timedelta(hours=1)
    blocks = (await (await gateway.call("GET", PATH)).json())["blocks"]
    assert [(block["block_id"], block["released"], block["release_at"]) for block in blocks] == [
        ("a|b", False, None),
        ("conference", True, release),
    ]
    assert (await _night(gateway, 30))["blocked"] == 1


async def test_blocking_what_is_sold_is_told_as_overbooked(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.book()
    gateway.instance.published.clear()
    assert (await gateway.call("PUT", f"{PATH}/boiler", BLOCK)).status == 200
    told = [envelope.data for envelope in gateway.instance.published]
    assert [event.slot for event in told if isinstance(event, NightUpdated)] == [str(day(30)), str(day(31))]
    assert {(event.held, event.blocked) for event in told if isinstance(event, NightOverbooked)} == {(1, 2)}


async def test_a_group_block_is_released_by_its_tick_and_then_waits_for_none(gateway: Gateway) -> None:
    await gateway.unit()
    at = NOW + timedelta(hours=1)
    group = {**BLOCK, "reason": "group", "release_at": at.isoformat()}
    for release in (at + timedelta(hours=1), at):  # the second moves it
        body = {**group, "release_at": release.isoformat()}
        assert (await gateway.call("PUT", f"{PATH}/conference", body)).status == 200
    (tick,) = _due(gateway, at + timedelta(days=1))
    assert _due(gateway, at - timedelta(seconds=1)) == []
    gateway.instance.now = at
    gateway.instance.published.clear()
    await gateway.instance.append(tick, source="ticker")
    told = [envelope.data for envelope in gateway.instance.published]
    assert [event.free for event in told if isinstance(event, NightUpdated)] == [2, 2]
    assert _due(gateway, at + timedelta(days=1)) == []
    (block,) = (await (await gateway.call("GET", PATH)).json())["blocks"]
    assert (block["released"], (await _night(gateway, 30))["free"]) == (True, 2)


async def test_a_tick_for_no_block_takes_its_entry_out(gateway: Gateway) -> None:
    """An entry that a zombie put back is found by the ticker again and again, if nobody deletes it."""
    await gateway.unit()
    group = {**BLOCK, "reason": "group", "release_at": NOW.isoformat()}
    assert (await gateway.call("PUT", f"{PATH}/conference", group)).status == 200
    (tick,) = _due(gateway, NOW + timedelta(days=1))
    assert (await gateway.call("DELETE", f"{PATH}/conference")).status == 200
    assert _due(gateway, NOW + timedelta(days=1)) == []
    rows = WorkingRows(gateway.instance.stores["availability"].partition(0).local)
    name = "d|2026-11-21T12:00:00.000+00:00|PROP-001/standard|conference"
    rows.put(name, tick)
    envelope = originate(tick, source="ticker", now=NOW)
    Availability().apply(rows, envelope, NOW, 7)
    assert rows.get(name, BlockDue) is None


def _due(gateway: Gateway, now: datetime) -> list[BlockDue]:
    store = gateway.instance.stores["availability"]
    return [tick for number in range(store.partitions) for tick in due(store, number, now, 10)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"units": 3}, "units"),
        ({"units": 0}, "units"),
        ({"to": str(day(30))}, "to"),
        ({"to": str(day(400))}, "to"),
        ({"reason": "mood"}, "reason"),
        ({"release_at": "noon"}, "release_at"),
        ({"from": None}, "from"),
    ],
    ids=str,
)
async def test_what_cannot_be_a_block_names_its_field(gateway: Gateway, change: dict[str, Any], field: str) -> None:
    await gateway.unit()
    answer = await gateway.call("PUT", f"{PATH}/boiler", {**BLOCK, **change})
    assert answer.status == 422, await answer.text()
    assert (await answer.json())["errors"][0]["field"] == field
    assert gateway.instance.appended == []


async def test_blocks_are_of_nights_alone(gateway: Gateway) -> None:
    assert (await gateway.call("GET", PATH)).status == 404
    await gateway.unit(slots=60)
    assert (await gateway.call("GET", PATH)).status == 409
    assert (await gateway.call("PUT", f"{PATH}/boiler", BLOCK)).status == 409
