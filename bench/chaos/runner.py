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

from bench.chaos.faults import Due, Fault, Struck, schedule
from bench.chaos.instance import Instance, environment
from bench.chaos.watch import Flow, watched
from cli.audit.broker import CannotAuditError
from cli.audit.entry import audit
from cli.audit.findings import Verdict, clean
from cli.parts import command
from config.settings import PREFIX

#: How long the demo may go on after its load: for as long as it waits for an outcome, and a little more.
_DEMO_END = 75.0
#: After the load has ended: as long as a deadline with its minute of grace would be too long for a test.
_REST = 60.0
#: For all that is done once: to bring back what was killed, and to read the log.
_BESIDE = 75.0
_POLL = 0.05


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
    #: Seconds that it may take after the load until nothing is open.
    rest: float = _REST

    @property
    def due(self) -> list[Due]:
        return schedule(self.faults, seed=self.seed, first=self.first, every=self.every)

    @property
    def limit(self) -> float:
        """Seconds after which even a run that does not come to rest has its report: no test of it may end sooner."""
        return self.duration + sum(fault.paused for fault in self.faults) + _DEMO_END + self.rest + _BESIDE


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
        await _begun(load, journal)
        began = time.monotonic()
        struck = await _strike_all(plan, instance, began)
        demo = await _closing_report(load, _said(journal))
        ended = time.monotonic()
        faults = [_measured(fault, target, at, began, flow) for fault, target, at in struck]
    verdicts, rest = await _at_rest(plan, instance.data, journal, ended)
    return ChaosReport(plan, faults, demo, verdicts, _lines(journal), rest)


@contextlib.asynccontextmanager
async def _load(plan: Plan, instance: Instance, journal: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    arguments = ["--rate", f"{plan.rate:g}", "--duration", f"{plan.duration:g}", "--seed", str(plan.seed)]
    errors = _said(journal).open("wb")
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


async def _begun(load: asyncio.subprocess.Process, journal: Path) -> None:
    """Returns with the first booking: what strikes before finds a demo that cannot even say what there is to book."""
    while load.returncode is None and not _lines(journal):  # noqa: ASYNC110  # a file tells nobody that it grew
        await asyncio.sleep(_POLL)


async def _closing_report(load: asyncio.subprocess.Process, said: Path) -> dict[str, Any]:
    """What the demo prints when it is through, or why there is nothing."""
    try:
        async with asyncio.timeout(_DEMO_END):
            out, _ = await load.communicate()
    except TimeoutError:
        return {"clean": False, "errors": [f"it was not through {_DEMO_END:.0f} s after its load"]}
    report: dict[str, Any] = json.loads(out) if out.strip() else {"clean": False, "errors": [_end_of(said)]}
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


async def _at_rest(plan: Plan, data: Path, journal: Path, ended: float) -> tuple[list[Verdict], float | None]:
    """The audit once nothing is open, or the last one, which says what is. CannotAuditError when there is none."""
    while True:
        last = time.monotonic() - ended > plan.rest
        try:
            _, verdicts = await audit(data, journal_file=journal, database=plan.settings.get(f"{PREFIX}DATABASE_URL"))
        except CannotAuditError:
            if last:
                raise
        else:
            if not any(verdict.open for verdict in verdicts):
                return verdicts, time.monotonic() - ended
            if last:
                return verdicts, None
        await asyncio.sleep(2)


def _said(journal: Path) -> Path:
    return journal.parent / "demo.log"


def _end_of(log: Path) -> str:
    return log.read_bytes()[-800:].decode("utf-8", "replace")


def _lines(journal: Path) -> int:
    return sum(1 for line in journal.read_bytes().splitlines() if line) if journal.exists() else 0
