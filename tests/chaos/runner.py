"""One fault run: a real instance, load through its public API, faults by signal, and an audit once all is at rest."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.audit.broker import CannotAuditError
from cli.audit.entry import audit
from cli.audit.findings import Verdict, clean
from cli.parts import command
from tests.chaos.faults import Due, Fault, Struck, schedule
from tests.chaos.instance import Instance, environment
from tests.chaos.watch import Flow, watched

#: After the load has ended: as long as a deadline with its minute of grace would be too long for a test.
REST = 120.0
_DEMO_END = 150.0


@dataclass(frozen=True)
class Plan:
    """What to do: `rate` bookings a second for `duration` seconds, the faults at moments drawn from `seed`."""

    seed: int
    rate: float
    duration: float
    faults: Sequence[Fault]
    every: float
    workers: int = 2
    settings: dict[str, str] = field(default_factory=dict)
    layout: str = "catalogue"
    #: Seconds from the beginning of the load until the first fault may strike.
    first: float = 5.0

    @property
    def due(self) -> list[Due]:
        return schedule(self.faults, seed=self.seed, first=self.first, every=self.every)


@dataclass(frozen=True)
class ChaosReport:
    """What came of a run."""

    plan: Plan
    faults: list[Struck]
    demo: dict[str, Any]
    verdicts: list[Verdict]
    acknowledged: int
    #: Seconds from the end of the load until nothing was open any more; None: something stayed open.
    rest: float | None

    @property
    def clean(self) -> bool:
        """Nothing was found, and every 201 has its outcome."""
        return clean(self.verdicts) and self.rest is not None

    def flows(self, fault: str) -> list[float]:
        """The seconds until events flowed again, after every fault of that name."""
        return sorted(struck.flow for struck in self.faults if struck.fault == fault and struck.flow is not None)

    def as_json(self) -> dict[str, Any]:
        return {
            "layout": self.plan.layout,
            "seed": self.plan.seed,
            "rate": self.plan.rate,
            "duration": self.plan.duration,
            "workers": self.plan.workers,
            "clean": self.clean,
            "acknowledged": self.acknowledged,
            "rest_seconds": None if self.rest is None else round(self.rest, 1),
            "faults": [struck.as_json() for struck in self.faults],
            "demo": self.demo,
            "audit": [verdict.as_json() for verdict in self.verdicts],
        }


async def run(plan: Plan, directory: Path) -> ChaosReport:
    """Runs a plan in an empty directory; every process is gone afterwards. InstanceFailed when it cannot be run."""
    instance = Instance(directory / "data", plan.workers, plan.settings, plan.layout)
    try:
        await asyncio.to_thread(instance.start)
        return await strike(plan, instance, directory / "journal.jsonl")
    finally:
        await asyncio.to_thread(instance.stop)


async def strike(plan: Plan, instance: Instance, journal: Path) -> ChaosReport:
    """The load and the faults of a plan on a running instance, and an audit of all it ever did once it is at rest."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it is loud while a broker is away
    async with watched(lambda: instance.bootstrap) as flow, _load(plan, instance, journal) as load:
        began = time.monotonic()
        struck = await _strike_all(plan, instance, began)
        demo = await _closing_report(load)
        ended = time.monotonic()
        faults = [_measured(fault, target, at, began, flow) for fault, target, at in struck]
    verdicts, rest = await _at_rest(instance.data, journal, ended)
    return ChaosReport(plan, faults, demo, verdicts, _lines(journal), rest)


@contextlib.asynccontextmanager
async def _load(plan: Plan, instance: Instance, journal: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    arguments = ["--rate", f"{plan.rate:g}", "--duration", f"{plan.duration:g}", "--seed", str(plan.seed)]
    errors = (journal.parent / "demo.log").open("wb")
    load = await asyncio.create_subprocess_exec(
        *command("demo", "--data", str(instance.data), *arguments, "--journal", str(journal), "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=errors,
        env=environment(plan.settings),
    )
    errors.close()
    try:
        yield load
    finally:
        if load.returncode is None:
            load.kill()
            await load.wait()


async def _closing_report(load: asyncio.subprocess.Process) -> dict[str, Any]:
    """What the demo prints when it is through; with nothing it was not able to close."""
    async with asyncio.timeout(_DEMO_END):
        out, _ = await load.communicate()
    report: dict[str, Any] = json.loads(out) if out.strip() else {"clean": False, "errors": ["no report"]}
    return report


async def _strike_all(plan: Plan, instance: Instance, began: float) -> list[tuple[Fault, str, float]]:
    """Every fault at its moment; what was hit, and when (monotonic)."""
    choose, struck = random.Random(plan.seed), []
    for due in plan.due:
        await asyncio.sleep(max(0.0, began + due.at - time.monotonic()))
        target = instance.pick(due.fault.part, choose)
        struck.append((due.fault, target, await _strike(instance, due.fault, target)))
    await asyncio.sleep(max(0.0, began + plan.duration - time.monotonic()))
    return struck


async def _strike(instance: Instance, fault: Fault, target: str) -> float:
    await asyncio.to_thread(instance.living, target)
    at = time.monotonic()
    if not fault.paused:
        instance.send(target, signal.SIGKILL)
        return at
    pid = instance.send(target, signal.SIGSTOP)
    await asyncio.sleep(fault.paused)
    if instance.living(target) == pid:
        instance.send(target, signal.SIGCONT)
    return at


def _measured(fault: Fault, target: str, at: float, began: float, flow: Flow) -> Struck:
    return Struck(fault.name, target, at - began, flow.seconds_from(at))


async def _at_rest(data: Path, journal: Path, ended: float) -> tuple[list[Verdict], float | None]:
    """The audit once nothing is open, or the last one after two minutes."""
    while True:
        verdicts: list[Verdict] = []
        with contextlib.suppress(CannotAuditError):
            _, verdicts = await audit(data, journal_file=journal)
        waited = time.monotonic() - ended
        if verdicts and not any(verdict.open for verdict in verdicts):
            return verdicts, waited
        if waited > REST:
            return verdicts, None
        await asyncio.sleep(2)


def _lines(journal: Path) -> int:
    return sum(1 for line in journal.read_bytes().splitlines() if line)
