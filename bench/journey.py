"""The journey through HTTP: which rate is held, with which latency, on whose processor time, and where the time goes.

Everything runs on this machine: Kafka, one worker with all services, gateway, payment provider, and the load itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from rich.progress import Progress, TaskID

from bench import waterfall
from bench.instance import Measured, running
from bench.journey_load import ACCEPT_MS, CONFIRM_MS, CPU, LAG, loaded
from bench.journey_search import LOWEST, rounded, search
from bench.journey_services import by_service
from bench.lag import Look, settled, watching
from bench.parts import Options
from streams.layout import load_layout

#: Bookings a second: a calm day, and the hotel document's 10,000 a minute.
CALM, TARGET = 20.0, 167.0
#: A rate that a probe found held and a whole run did not is lowered by so much, so many times.
_STEP, _ATTEMPTS = 1.1, 4
#: Of a search, as it usually goes: only the progress bar believes it.
_STEPS = 14
_REST_S = 180.0


@dataclass
class _Journey:
    """One measuring of a running instance. Every load has a seed of its own, so none repeats another's bookings."""

    instance: Measured
    look: Look
    options: Options
    progress: Progress
    task: TaskID

    def __post_init__(self) -> None:
        self._seed = self.options.seed * 1_000
        self.loads: list[dict[str, Any]] = []

    @property
    def seconds(self) -> float:
        return 10 if self.options.short else 60

    @property
    def probe_seconds(self) -> float:
        return 5 if self.options.short else 15

    async def load(self, rate: float, seconds: float) -> dict[str, Any]:
        """One load, once everything before it is done."""
        self._seed += 1
        self.step(f"{rate:g} bookings/s for {seconds:g} s")
        await settled(self.look, _REST_S)
        found = await loaded(self.instance, self.look, rate, seconds, self._seed)
        self.loads.append(found)
        return found

    def step(self, what: str) -> None:
        self.progress.update(self.task, description=f"journey: {what}", advance=1)

    async def with_waterfall(self, rate: float) -> dict[str, Any]:
        layout = load_layout(str(self.instance.written["layout"]))
        begins = await waterfall.ends(self.instance.bootstrap, layout)
        found = await self.load(rate, self.seconds)
        await settled(self.look, _REST_S)
        found["waterfall"] = waterfall.waterfall(await waterfall.marks(self.instance.bootstrap, begins))
        return found

    async def highest(self) -> dict[str, Any] | None:
        """The load at the highest rate that is held for the whole time; None where none is."""

        async def probe(rate: float) -> bool:
            return bool((await self.load(rate, self.probe_seconds))["held"])

        known = {load["rate"]: load for load in self.loads if load["seconds"] == self.seconds}
        failed = min((rate for rate, load in known.items() if not load["held"]), default=None)
        held = max((rate for rate, load in known.items() if load["held"] and rate < (failed or rate + 1)), default=None)
        rate = await search(probe, held, failed)
        for _ in range(_ATTEMPTS):
            if rate is None or rate < LOWEST or (held is not None and rate <= held):
                break
            if (found := await self.load(rate, self.seconds))["held"]:
                return found
            rate = rounded(rate / _STEP)
        return None if held is None else known[held]


def run(options: Options, progress: Progress) -> dict[str, Any]:
    """The part `journey` of the bench."""
    task = progress.add_task("journey: starting an instance", total=_STEPS)
    with running(options.scratch / "instance") as instance:
        found = asyncio.run(_measured(instance, options, progress, task))
    progress.update(task, description="journey: every service by itself", advance=1)
    seconds = 6 if options.short else 30
    services = asyncio.run(by_service(options.scratch / "services", CALM, seconds, options.seed))
    progress.update(task, completed=_STEPS)
    return {**found, "services": services}


async def _measured(instance: Measured, options: Options, progress: Progress, task: TaskID) -> dict[str, Any]:
    async with watching(instance.bootstrap) as look:
        journey = _Journey(instance, look, options, progress, task)
        # The broker's just-in-time compiler and the connections are part of any first minute, not of one in full swing.
        await journey.load(TARGET / 2, journey.seconds / 3)
        journey.loads.clear()
        rates = [await journey.with_waterfall(rate) for rate in (CALM, TARGET)]
        highest = await journey.highest()
        await settled(look, _REST_S)
    journey.step("audit")
    return {
        "bounds": {"accept_p95_ms": ACCEPT_MS, "confirm_p95_ms": CONFIRM_MS, "lag_worst_p95": LAG, "cpu_share": CPU},
        "rates": rates,
        "highest": highest,
        "probes": [load for load in journey.loads if load not in rates and load is not highest],
        "audit_exit": await asyncio.to_thread(instance.audit),
    }
