"""The journey's measuring: the search, what counts as held, the lag, and the waterfall."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from rich.progress import Progress

from bench import journey, waterfall
from bench.journey_load import held, loaded, per_booking
from bench.journey_search import HIGHEST, LOWEST, search
from bench.lag import Lag, settled, watching
from bench.parts import Options
from streams.admin import admin
from tests.bench import results


@dataclass
class Machine:
    """Holds every rate up to its limit, and remembers what it was asked."""

    limit: float
    tried: list[float] = field(default_factory=list)

    async def probe(self, rate: float) -> bool:
        self.tried.append(rate)
        return rate <= self.limit


@pytest.mark.parametrize("limit", [1.0, 3.3, 25.0, 60.0, 166.0, 167.0, 214.0, 1_000.0, 4_321.0])
async def test_the_search_ends_close_below_the_limit(limit: float) -> None:
    machine = Machine(limit)
    known = {rate: rate <= limit for rate in (20.0, 167.0)}
    held = max((rate for rate, holds in known.items() if holds), default=None)
    failed = min((rate for rate, holds in known.items() if not holds), default=None)
    found = await search(machine.probe, held, failed)
    assert found is not None
    assert found <= limit <= found * 1.11
    assert len(machine.tried) == len(set(machine.tried)) < 14


async def test_nothing_is_tried_below_the_lowest_rate_or_above_the_highest() -> None:
    nothing, everything = Machine(0.0), Machine(float("inf"))
    assert await search(nothing.probe, None, 20.0) is None
    assert min(nothing.tried) >= LOWEST
    assert await search(everything.probe, 167.0, None) == HIGHEST == max(everything.tried)


@pytest.mark.parametrize(
    "change",
    [
        {"accepted": 1_200},
        {"unresolved": 1},
        {"errors": 1},
        {"accept_ms": {"p95": 100.0}},
        {"confirm_ms": {"p95": 500.0}},
        {"confirm_ms": None},
        {"lag": {"worst_p95": 100}},
        {"lag": None},
    ],
)
def test_a_rate_is_held_only_within_every_bound(change: dict[str, Any]) -> None:
    load = results.load(20.0)
    assert held(load)
    assert not held(load | change)


def test_the_cost_of_a_booking_is_of_those_that_were_accepted() -> None:
    assert per_booking({"worker-1": 2.0, "broker": 0.5}, 400) == {"worker-1": 5_000, "broker": 1_250}
    assert per_booking({"worker-1": 2.0}, 0) == {"worker-1": 2_000_000}


class Calm:
    """An instance of which every look finds the same, and a demo that does nothing for a while."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def cpu_seconds(self) -> dict[str, float]:
        return {"worker-1": (time.monotonic() - self.began) / 2}

    def resident_mib(self) -> dict[str, int]:
        return {"worker-1": 100}

    def demo(self, rate: float, duration: float, seed: int) -> dict[str, Any]:
        time.sleep(duration)
        latency = {"p50": 1.0, "p95": 2.0, "p99": 3.0, "max": 4.0}
        accepted = round(rate * duration)
        return {
            "rate": rate,
            "seconds": duration,
            "bookings": accepted,
            "accepted": accepted,
            "unresolved": 0,
            "error_count": 0,
            "outcomes": {"CONFIRMED": accepted, "EXPIRED": 0},
            "accept_ms": latency,
            "confirm_ms": latency,
        }


async def test_a_load_is_watched_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.journey_load._LOOK_EVERY_S", 0.02)
    looks = [Lag({"slow": [7, 1], "quick": [1]}), Lag({"slow": [0], "quick": [3]})]

    async def look() -> Lag:
        return looks[0] if len(looks) == 1 else looks.pop(0)

    instance: Any = Calm()
    found = await loaded(instance, look, 100, 0.5, 1)
    assert found["held"]
    assert found["outcomes"] == {"CONFIRMED": 50}
    assert (found["lag"]["worst_p50"], found["lag"]["total_p50"]) == (3, 3)
    assert found["cpu_share"] > 0
    assert set(found["cpu_us_per_booking"]) == {"worker-1"}


class Rehearsed(journey._Journey):
    """A journey whose loads are held up to a limit, for the whole time up to a lower one."""

    limit, lasting = 60.0, 55.0

    async def load(self, rate: float, seconds: float) -> dict[str, Any]:
        limit = self.lasting if seconds == self.seconds else self.limit
        found = results.load(rate, held=rate <= limit) | {"seconds": seconds}
        self.loads.append(found)
        return found


def rehearsed(tmp_path: Path) -> Rehearsed:
    progress, unused = Progress(disable=True), Any
    return Rehearsed(unused, unused, Options(tmp_path), progress, progress.add_task("journey"))  # type: ignore[arg-type]


async def test_what_a_probe_holds_has_to_hold_for_the_whole_time(tmp_path: Path) -> None:
    measuring = rehearsed(tmp_path)
    for rate in (20.0, 167.0):
        await measuring.load(rate, measuring.seconds)
    highest = await measuring.highest()
    assert highest is not None
    assert highest["seconds"] == measuring.seconds
    assert highest["rate"] <= measuring.lasting < highest["rate"] * 1.11


async def test_where_no_rate_is_held_there_is_no_highest(tmp_path: Path) -> None:
    measuring = rehearsed(tmp_path)
    measuring.limit = measuring.lasting = 0.5
    await measuring.load(20.0, measuring.seconds)
    assert await measuring.highest() is None


async def test_where_only_probes_hold_more_the_highest_is_what_lasted(tmp_path: Path) -> None:
    measuring = rehearsed(tmp_path)
    measuring.limit, measuring.lasting = 100.0, 20.0
    for rate in (20.0, 167.0):
        await measuring.load(rate, measuring.seconds)
    highest = await measuring.highest()
    assert highest is not None
    assert highest["rate"] == 20.0


def marks(begin: float, step: float) -> waterfall.Marks:
    names = ("asked", "request", "created", "hold", "authorize", "reserved", "call", "answered", "authorized")
    seen = {name: begin + step * number for number, name in enumerate(names)}
    return seen | {"complete": seen["authorized"], "confirmed": seen["authorized"] + step}


def test_a_hop_begins_and_lasts_as_its_bookings_say() -> None:
    found = waterfall.waterfall([marks(1e12, 2.0), marks(2e12, 4.0), marks(3e12, 6.0)])
    assert found is not None
    hops = {hop["hop"]: hop for hop in found["hops"]}
    assert hops["request appended"] == {
        "hop": "request appended",
        "by": "gateway",
        "begins_ms": 0.0,
        "p50_ms": 4.0,
        "p95_ms": 6.0,
    }
    assert hops["hold decided"]["begins_ms"] == 12.0
    assert found["whole"]["p50_ms"] == 36.0
    assert (found["bookings"], found["afterwards"]) == (3, [])
    assert waterfall.waterfall([]) is None


def test_a_stamp_cut_to_the_millisecond_takes_no_negative_time() -> None:
    seen = marks(1e12 + 0.9, 2.0) | {"request": 1e12}
    found = waterfall.waterfall([seen])
    assert found is not None
    assert found["hops"][0]["p50_ms"] == 0.0


@pytest.mark.broker
async def test_marks_are_the_first_records_of_a_booking_that_was_confirmed(kafka: str) -> None:
    topic = await _topic(kafka, "journey-marks")
    kinds = [model.event_type for name, model in waterfall.MARKS.items() if name not in ("captured", "receipt", "mail")]
    said = [("whole", kind) for kind in kinds] + [("cut", kind) for kind in kinds[:4]] + [("whole", kinds[4])]
    await _write(kafka, topic, [orjson.dumps(_body(*each)) for each in said] + [b'{"event_type": "no.mark"}'])
    found = await waterfall.marks(kafka, {TopicPartition(topic, 0): 0})
    assert len(found) == 1
    assert found[0]["asked"] == 1_700_000_000_000.0
    assert found[0]["complete"] == max(found[0]["reserved"], found[0]["authorized"])


@pytest.mark.broker
async def test_lag_is_what_a_group_has_not_committed(kafka: str) -> None:
    topic = await _topic(kafka, "journey-lag")
    await _write(kafka, topic, [b"{}"] * 10)
    group, tp = "journey-lag-group", TopicPartition(topic, 0)
    reader = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await reader.start()
    try:
        reader.assign([tp])
        await reader.commit({tp: 4})
        async with watching(kafka) as look:
            assert (await look()).behind[group] == [6]
            await reader.commit({tp: 10})
            assert (await look()).behind[group] == [0]
    finally:
        await reader.stop()


async def test_waiting_for_rest_ends_with_the_patience_or_the_lag() -> None:
    lags = iter([Lag({"one": [2], "two": [1]}), Lag({"one": [0], "two": [0]})])

    async def falling() -> Lag:
        return next(lags)

    async def lasting() -> Lag:
        await asyncio.sleep(0)
        return Lag({"one": [1]})

    assert await settled(falling, 60)
    assert not await settled(lasting, 0)


async def _topic(bootstrap: str, name: str) -> str:
    async with admin(bootstrap) as client:
        await client.create_topics([NewTopic(name, 1, 1)])
    return name


async def _write(bootstrap: str, topic: str, values: list[bytes]) -> None:
    writer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await writer.start()
    try:
        for value in values:
            await writer.send_and_wait(topic, value, partition=0)
    finally:
        await writer.stop()


def _body(correlation: str, kind: str) -> dict[str, Any]:
    return {"event_type": kind, "correlation_id": correlation, "timestamp": "2023-11-14T22:13:20+00:00"}
