"""One fault run: a real instance, load through its public API, faults by signal, and an audit once all is at rest."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.chaos.blame import accepted, blamed
from bench.chaos.disk import Disk
from bench.chaos.faults import Struck
from bench.chaos.instance import Instance, environment
from bench.chaos.machines import FullDisk
from bench.chaos.outside import Outside, Webhooks
from bench.chaos.plans import DEMO_END, Plan
from bench.chaos.servers import NotHere
from bench.chaos.stage import Stage
from bench.chaos.track import Skipped, Track
from bench.chaos.watch import watched
from cli.audit.broker import CannotAuditError
from cli.audit.entry import audit
from cli.audit.findings import Finding, Verdict, clean
from cli.audit.history import History
from cli.parts import command
from cli.problem import Problem
from config.settings import PREFIX

_POLL = 0.05


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
    skipped: list[Skipped] = field(default_factory=list)
    #: Findings by the fault during or soon after which their booking was accepted, where that can be told.
    blamed: dict[str, int] = field(default_factory=dict)
    webhooks: Webhooks | None = None

    @property
    def findings(self) -> list[Finding]:
        return [finding for verdict in self.verdicts if not verdict.excepted for finding in verdict.findings]

    @property
    def clean(self) -> bool:
        """Nothing was found, every 201 has its outcome, and every webhook came."""
        came = self.webhooks is None or not (self.webhooks.missing or self.webhooks.forged)
        return clean(self.verdicts) and self.rest is not None and came

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
            "brokers": self.plan.brokers,
            "clean": self.clean,
            "acknowledged": self.acknowledged,
            "rest_seconds": None if self.rest is None else round(self.rest, 1),
            "faults": [struck.as_json() for struck in self.faults],
            "skipped": [asdict(each) for each in self.skipped],
            "blamed": self.blamed,
            "webhooks": None if self.webhooks is None else asdict(self.webhooks),
            "demo": self.demo,
            "audit": [verdict.as_json() for verdict in self.verdicts],
        }


async def run(plan: Plan, directory: Path) -> ChaosReport:
    """Runs a plan in an empty directory; every process is gone afterwards. InstanceFailed when it cannot be run."""
    async with set_up(plan, directory) as stage:
        return await strike(plan, stage, directory / "journal.jsonl")


@contextlib.asynccontextmanager
async def set_up(plan: Plan, directory: Path) -> AsyncIterator[Stage]:
    """An instance that is ready, with all that stands around it."""
    data = directory / "data"
    data.mkdir(parents=True)
    outside, disk, why = Outside(directory, data), None, ""
    if any(isinstance(fault, FullDisk) for fault in plan.faults):
        try:
            disk = Disk.mount(data / "state")
        except NotHere as error:
            why = str(error)
    try:
        await outside.start()
        settings = {**outside.settings, **plan.settings}
        if plan.brokers > 1:
            settings[f"{PREFIX}BROKER_NODES"] = str(plan.brokers)
        instance = Instance(data, plan.workers, settings, plan.layout)
        try:
            await asyncio.to_thread(instance.start)
            await outside.subscribe()
            yield Stage(instance, outside, disk, why, settings)
        finally:
            await asyncio.to_thread(instance.stop)
    finally:
        await outside.stop()
        if disk is not None:
            disk.unmount()


async def strike(plan: Plan, stage: Stage, journal: Path) -> ChaosReport:
    """The load and the faults of a plan on a running instance, and an audit of all it ever did once it is at rest."""
    for loud in ("aiokafka", "asyncio"):  # while a broker is away
        logging.getLogger(loud).setLevel(logging.CRITICAL)
    tracks = [Track(plan.due, plan.seed), Track(plan.due_meanwhile, plan.seed + 1)]
    async with watched(lambda: stage.instance.bootstrap) as flow, _load(plan, stage, journal) as load:
        await _begun(load, journal)
        began, wall = time.monotonic(), time.time()
        await asyncio.gather(*(track.run(stage, began) for track in tracks))
        demo = await _closing_report(load, _said(journal))
        ended = time.monotonic()
    faults = sorted((each.measured(began, flow) for track in tracks for each in track.dealt), key=lambda one: one.at)
    database = stage.instance.settings.get(f"{PREFIX}DATABASE_URL")
    history, verdicts, rest = await _at_rest(plan, stage.data, journal, database, ended)
    webhooks = None
    if stage.outside is not None:
        with contextlib.suppress(TimeoutError):
            await stage.outside.settled(history, plan.rest)
        history, verdicts = await audit(stage.data, journal_file=journal, database=database)
        webhooks = stage.outside.compared(history)
    findings = [finding.subject for verdict in verdicts for finding in verdict.findings]
    return ChaosReport(
        plan,
        faults,
        demo,
        verdicts,
        _lines(journal),
        rest,
        [skipped for track in tracks for skipped in track.skipped],
        blamed(findings, accepted(journal, wall), faults),
        webhooks,
    )


@contextlib.asynccontextmanager
async def _load(plan: Plan, stage: Stage, journal: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    arguments = ["--rate", f"{plan.rate:g}", "--duration", f"{plan.duration:g}", "--seed", str(plan.seed)]
    arguments += ["--again", f"{plan.again:g}"]
    errors = _said(journal).open("wb")
    load = await asyncio.create_subprocess_exec(
        *command("demo", "--data", str(stage.data), *arguments, "--journal", str(journal), "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=errors,
        env=environment(stage.instance.settings),
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
        async with asyncio.timeout(DEMO_END):
            out, _ = await load.communicate()
    except TimeoutError:
        return {"clean": False, "errors": [f"it was not through {DEMO_END:.0f} s after its load"]}
    report: dict[str, Any] = json.loads(out) if out.strip() else {"clean": False, "errors": [_end_of(said)]}
    return report


async def _at_rest(
    plan: Plan, data: Path, journal: Path, database: str | None, ended: float
) -> tuple[History, list[Verdict], float | None]:
    """The audit once nothing is open, or the last one, which says what is. CannotAuditError when there is none."""
    while True:
        last = time.monotonic() - ended > plan.rest
        try:
            history, verdicts = await audit(data, journal_file=journal, database=database)
        except (CannotAuditError, Problem):  # the broker is still away, or does not come back
            if last:
                raise
        else:
            if not any(verdict.open for verdict in verdicts):
                return history, verdicts, time.monotonic() - ended
            if last:
                return history, verdicts, None
        await asyncio.sleep(2)


def _said(journal: Path) -> Path:
    return journal.parent / "demo.log"


def _end_of(log: Path) -> str:
    return log.read_bytes()[-800:].decode("utf-8", "replace")


def _lines(journal: Path) -> int:
    return sum(1 for line in journal.read_bytes().splitlines() if line) if journal.exists() else 0
