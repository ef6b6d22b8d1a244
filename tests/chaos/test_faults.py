"""The schedule and the watch by themselves."""

from __future__ import annotations

import itertools

from aiokafka import TopicPartition

from bench.chaos.faults import Fault, schedule
from bench.chaos.watch import Flow

FAULTS = [Fault("worker"), Fault("worker", paused=9), Fault("broker"), Fault("gateway")]
ONE, TWO = TopicPartition("rows", 0), TopicPartition("rows", 1)


def test_the_same_seed_draws_the_same_schedule() -> None:
    assert schedule(FAULTS, seed=7, first=5, every=10) == schedule(FAULTS, seed=7, first=5, every=10)
    assert schedule(FAULTS, seed=7, first=5, every=10) != schedule(FAULTS, seed=8, first=5, every=10)


def test_every_fault_strikes_once_and_no_two_at_a_time() -> None:
    due = schedule(FAULTS, seed=3, first=5, every=10)

    assert sorted(each.fault.name for each in due) == sorted(fault.name for fault in FAULTS)
    assert due[0].at >= 5
    for before, after in itertools.pairwise(due):
        assert after.at >= before.at + before.fault.paused + 5


def test_events_flow_again_when_the_last_partition_has_moved() -> None:
    flow = Flow()
    for now, ends in enumerate(
        ({ONE: 1, TWO: 1}, {ONE: 2, TWO: 2}, {ONE: 3, TWO: 2}, {ONE: 3, TWO: 2}, {ONE: 4, TWO: 3})
    ):
        flow.see(ends, float(now))

    assert flow.seconds_from(1.5) == 4 - 1.5
    assert flow.seconds_from(3.9) is None  # an echo of what was sent before
    assert flow.seconds_from(0.5) is None  # nothing had moved before: nothing to compare with
