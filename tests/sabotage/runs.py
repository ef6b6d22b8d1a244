"""A short fault run of a real instance whose workers lack one defence, and what the audit says of it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaProducer

from bench.chaos.faults import Fault
from bench.chaos.instance import Instance
from bench.chaos.runner import ChaosReport, Plan, strike
from streams.services import BOOKING
from tests.proofs import ROOT

HOOK = Path(__file__).parent / "hook"
KILLS = (Fault("worker"), Fault("worker"), Fault("worker"))


@dataclass(frozen=True)
class Sabotage:
    """A defence that is removed, the faults that show it, and the promises one of which must be found broken."""

    defence: str
    promises: frozenset[str]
    faults: tuple[Fault, ...] = KILLS
    workers: int = 1
    poison: int = 0


async def run(sabotage: Sabotage, directory: Path) -> ChaosReport:
    """The audit's report of some 15 seconds of load."""
    path = os.pathsep.join([str(HOOK), str(ROOT)])
    settings = {"SABOTAGE": sabotage.defence, "PYTHONPATH": path}
    paused = sum(fault.paused for fault in sabotage.faults)
    plan = Plan(
        seed=1,
        rate=15,
        duration=5 + 5 * len(sabotage.faults) + paused,
        faults=sabotage.faults,
        every=4,
        first=3,
        rest=10,
        workers=sabotage.workers,
        settings=settings,
    )
    instance = Instance(directory / "data", plan.workers, settings)
    try:
        await asyncio.to_thread(instance.start)
        await _poison(instance.bootstrap, sabotage.poison)
        return await strike(plan, instance, directory / "journal.jsonl")
    finally:
        await asyncio.to_thread(instance.stop)


def broken(report: ChaosReport) -> dict[str, str]:
    """The promises that were found broken, each with its first finding."""
    return {
        verdict.promise: f"{verdict.findings[0].subject}: {verdict.findings[0].what}"
        for verdict in report.verdicts
        if verdict.state == "FAILED"
    }


async def _poison(bootstrap: str, records: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for number in range(records):
            await producer.send_and_wait(BOOKING.inbox, b"\xff\x00 no message", key=str(number).encode(), partition=0)
    finally:
        await producer.stop()
