"""A short fault run of a real instance whose workers lack one defence, and what the audit says of it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from bench.chaos.faults import Fault, length
from bench.chaos.instance import Instance
from bench.chaos.plans import Plan
from bench.chaos.runner import ChaosReport, strike
from bench.chaos.signals import Kill
from bench.chaos.stage import Stage
from tests.proofs import ROOT

HOOK = Path(__file__).parent / "hook"
KILLS = (Kill("worker", rests=3),) * 3
#: Seconds of load beside what the faults take, and those in which all may come to rest.
_LOAD, _REST = 6.0, 15.0


@dataclass(frozen=True)
class Sabotage:
    """A defence that is removed, the faults that show it, and the promises one of which must be found broken."""

    defence: str
    promises: frozenset[str]
    faults: tuple[Fault, ...] = KILLS
    workers: int = 1


async def run(sabotage: Sabotage, directory: Path) -> ChaosReport:
    """The audit's report of some 15 seconds of load."""
    path = os.pathsep.join([str(HOOK), str(ROOT)])
    settings = {"SABOTAGE": sabotage.defence, "PYTHONPATH": path}
    plan = Plan(
        seed=1,
        rate=15,
        duration=_LOAD + length(sabotage.faults),
        faults=sabotage.faults,
        first=2,
        rest=_REST,
        workers=sabotage.workers,
        settings=settings,
    )
    instance = Instance(directory / "data", plan.workers, settings)
    try:
        await asyncio.to_thread(instance.start)
        return await strike(plan, Stage(instance, settings=settings), directory / "journal.jsonl")
    finally:
        await asyncio.to_thread(instance.stop)


def broken(report: ChaosReport) -> dict[str, str]:
    """The promises that were found broken, each with its first finding."""
    return {
        verdict.promise: f"{verdict.findings[0].subject}: {verdict.findings[0].what}"
        for verdict in report.verdicts
        if verdict.state == "FAILED"
    }
