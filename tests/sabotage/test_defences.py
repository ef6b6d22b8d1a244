"""Each fault, once the defence against it is removed from real workers, is found by the audit, by its promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.chaos.mess import Again, Poison
from bench.chaos.signals import Kill, Pause
from tests.sabotage.runs import Sabotage, broken, run

#: Sure without any fault, and so part of every run of the tests.
SURE = (Sabotage("capacity", frozenset({"P2"}), faults=()),)
SHOWN_BY_A_FAULT = (
    Sabotage("dead_letters", frozenset({"P8"}), faults=(Poison(rounds=1),)),
    Sabotage("derived_ids", frozenset({"P1", "P5"})),
    Sabotage("outputs_first", frozenset({"P1", "P7"})),
    Sabotage("results_before_commits", frozenset({"P7"})),
    Sabotage("idempotency_keys", frozenset({"P3", "P4"}), faults=()),
    Sabotage(
        "fencing",
        frozenset({"P1", "P2", "P5", "P6"}),
        faults=(Pause("worker", 12), Pause("worker", 12), Kill("worker", both=True)),
        workers=2,
    ),
    Sabotage("processor", frozenset({"P1", "P5", "P6", "P7"})),
    Sabotage("memories", frozenset({"P2", "P6"}), faults=(Again(), Again(), Again())),
)


@pytest.mark.broker
@pytest.mark.timeout(300)
@pytest.mark.parametrize("sabotage", SURE, ids=lambda sabotage: sabotage.defence)
async def test_without_its_defence_a_fault_is_found(sabotage: Sabotage, tmp_path: Path) -> None:
    await _found(sabotage, tmp_path)


@pytest.mark.soak
@pytest.mark.broker
@pytest.mark.timeout(300)
@pytest.mark.parametrize("sabotage", SHOWN_BY_A_FAULT, ids=lambda sabotage: sabotage.defence)
async def test_without_its_defence_a_kill_or_a_pause_is_found(sabotage: Sabotage, tmp_path: Path) -> None:
    await _found(sabotage, tmp_path)


async def _found(sabotage: Sabotage, directory: Path) -> None:
    report = await run(sabotage, directory)
    assert report.acknowledged, report.demo  # nothing is proved where nothing was booked
    assert sabotage.promises & set(broken(report)), broken(report)
