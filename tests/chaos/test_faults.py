"""Which faults a run deals, when, and whom a finding is laid to."""

from __future__ import annotations

import itertools
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition

from bench.chaos.blame import accepted, blamed
from bench.chaos.faults import Blow, Fault, Struck, length, schedule
from bench.chaos.instance import Instance
from bench.chaos.mess import poison
from bench.chaos.plans import INSIDE, OUTSIDE, Kind, fill, plan
from bench.chaos.signals import Kill, Pause
from bench.chaos.stage import Stage
from bench.chaos.track import Track
from bench.chaos.watch import Flow

FAULTS: list[Fault] = [Kill("worker"), Pause("worker", 9), Kill("broker"), Kill("gateway")]
ONE, TWO = TopicPartition("rows", 0), TopicPartition("rows", 1)


def _counts(chosen: list[Fault]) -> dict[str, int]:
    return {name: sum(fault.name == name for fault in chosen) for name in {fault.name for fault in chosen}}


def test_the_same_seed_draws_the_same_schedule() -> None:
    assert schedule(FAULTS, seed=7, first=5) == schedule(FAULTS, seed=7, first=5)
    assert schedule(FAULTS, seed=7, first=5) != schedule(FAULTS, seed=8, first=5)


def test_every_fault_strikes_once_and_no_two_at_a_time() -> None:
    due = schedule(FAULTS, seed=3, first=5)

    assert sorted(each.fault.name for each in due) == sorted(fault.name for fault in FAULTS)
    assert due[0].at >= 5
    for before, after in itertools.pairwise(due):
        assert after.at >= before.at + before.fault.takes + before.fault.rests / 2


def test_each_kind_comes_once_and_then_by_its_weight() -> None:
    often, seldom = Kind(Kill("worker", rests=1), 9), Kind(Kill("broker", rests=1), 1)

    assert _counts(fill([seldom, often], 1)) == {"kill -9 broker": 1}
    assert _counts(fill([seldom, often], 100)) == {"kill -9 worker": 90, "kill -9 broker": 10}


def test_half_an_hour_holds_what_was_promised() -> None:
    asked = plan(30 * 60)
    kills = sum(
        (2 if fault.both else fault.times)
        for fault in asked.faults
        if isinstance(fault, Kill) and fault.part in ("worker", "projector")
    )
    pauses = [fault for fault in asked.faults if isinstance(fault, Pause)]
    workers = [fault for fault in asked.faults if isinstance(fault, Kill) and fault.part == "worker"]
    brokers = [fault for fault in asked.faults if isinstance(fault, Kill) and fault.part == "broker"]

    assert kills >= 100
    assert len(pauses) >= 10
    assert all(fault.takes > 6 for fault in pauses)
    assert sum(2 if fault.both else fault.times for fault in workers) >= 60
    assert len(brokers) >= 10
    # Once each, and again: every kind of fault there is.
    assert set(_counts(list(asked.faults))) == {kind.fault.name for kind in INSIDE}
    assert set(_counts(list(asked.meanwhile))) == {kind.fault.name for kind in OUTSIDE}
    assert min(_counts(list(asked.meanwhile)).values()) >= 3
    for track in (asked.faults, asked.meanwhile):
        assert length(track) <= asked.duration


def test_only_what_is_named_is_dealt() -> None:
    asked = plan(60, only=["broker", "mail"])

    assert {fault.name for fault in asked.faults} == {"kill -9 broker", "SIGTERM broker"}
    assert {fault.name.split(":")[0] for fault in asked.meanwhile} == {"mail"}


def test_events_flow_again_when_the_last_partition_has_moved() -> None:
    flow = Flow()
    for now, ends in enumerate(
        ({ONE: 1, TWO: 1}, {ONE: 2, TWO: 2}, {ONE: 3, TWO: 2}, {ONE: 3, TWO: 2}, {ONE: 4, TWO: 3})
    ):
        flow.see(ends, float(now))

    assert flow.seconds_from(1.5) == 4 - 1.5
    assert flow.seconds_from(3.9) is None  # an echo of what was sent before
    assert flow.seconds_from(0.5) is None  # nothing had moved before: nothing to compare with


def test_a_finding_is_laid_to_the_faults_around_its_booking(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    lines = [{"booking_id": name, "time": datetime.fromtimestamp(at, UTC)} for name, at in (("b1", 1012), ("b2", 1100))]
    journal.write_text("".join(json.dumps(line, default=str) + "\n" for line in lines))
    faults = [Struck("kill", "worker-1", 10, 2.0), Struck("cut", "mail", 105, None), Struck("late", "x", 900, None)]

    at = accepted(journal, 1000.0)

    assert at == {"b1": 12.0, "b2": 100.0}
    assert blamed(["b1", "b2", "b2", "topic/0/7"], at, faults) == {"kill": 1, "cut": 2}


def test_poison_is_of_every_kind_and_the_same_for_a_seed() -> None:
    assert poison(random.Random(1)) == poison(random.Random(1))
    assert {None} < {value for _, value in poison(random.Random(1))}
    assert None in {key for key, _ in poison(random.Random(1))}


class InTheWay:
    """A fault that cannot be dealt so many times."""

    name, takes, rests = "in the way", 0.0, 1.0

    def __init__(self, times: int, missing: str = "") -> None:
        self._left, self._missing = times, missing

    def missing(self, stage: Stage) -> str:
        return self._missing

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        self._left -= 1
        if self._left >= 0:
            raise OSError("no broker")
        return Blow("it", 1.0)


async def test_what_is_in_the_way_delays_a_fault_or_is_told(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr("bench.chaos.track._PAUSE_S", 0)
    faults = [InTheWay(2), InTheWay(99), InTheWay(0, "no such thing here")]
    track = Track(schedule(faults, seed=1, first=-60), 1)

    await track.run(Stage(Instance(tmp_path)), 0.0)

    assert [dealt.blow for dealt in track.dealt] == [Blow("it", 1.0)]
    assert sorted(skipped.why for skipped in track.skipped) == [
        "another fault was in the way: OSError: no broker",
        "no such thing here",
    ]
