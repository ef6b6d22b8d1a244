"""The runs of a comparison: each on topics of its own, its answers checked, and everything it left removed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from bench.micro import envelopes
from bench.micro.check import Check, WrongAnswer
from bench.micro.kafka import Kafka, lean
from bench.micro.latency import latency
from bench.micro.load import RESOURCES, Load
from bench.micro.measure import Spent, measured
from bench.micro.systems import Run, System
from bench.parts import CannotMeasure

#: What a slow system is tried on, to find how many events a minute allows.
TRIAL = 10_000
_MINUTE_S = 60
_ROUND = 10_000


class Rounds:
    """Runs systems on one broker, one after the other."""

    def __init__(self, kafka: Kafka, scratch: Path, whole: Load) -> None:
        self._kafka = kafka
        self._scratch = scratch
        self.whole = whole
        self._inputs: dict[Load, str] = {}
        self._loads: dict[str, Load] = {}
        self._runs = 0

    async def drained(self, system: System) -> Spent:
        """One run over a load that is on the input already.

        Raises:
            CannotMeasure: it did not get through, or answered something else than it was asked.
        """
        if system.name not in self._loads:
            self._loads[system.name] = await self._bearable(system) if system.slow else self.whole
        return await self._drain(system, self._loads[system.name])

    async def paced(self, system: System, seconds: float) -> dict[str, Any]:
        """Its latency at a steady rate. Raises CannotMeasure."""
        name = self._name(system)
        run = system.run(name, self._kafka.bootstrap, f"{name}-input", self._scratch / name)
        try:
            await self._kafka.create([run.source, run.middle, run.output, *system.topics(name)])
            return await latency(self._kafka, system, run, self.whole, system.paced, seconds)
        finally:
            await self._clear(run)

    async def _bearable(self, system: System) -> Load:
        """As many events as it gets through in a minute, found by trying."""
        seed = self.whole.seed
        trial = await self._drain(system, Load(min(TRIAL, self.whole.events), seed))
        events = int(trial.events_per_second * _MINUTE_S) // _ROUND * _ROUND
        return Load(min(self.whole.events, max(TRIAL, events)), seed)

    async def _drain(self, system: System, load: Load) -> Spent:
        name, reference = self._name(system), load.reference()
        source = "" if system.enveloped else await self._input(load)
        run = system.run(name, self._kafka.bootstrap, source, self._scratch / name)
        answers = reference.bookings if system.enveloped else reference.events
        try:
            await self._kafka.create(system.topics(name) if system.enveloped else self._own(system, run))
            if system.enveloped:
                settings = envelopes.settings_of(run.bootstrap, name, run.directory)
                await self._kafka.fill(envelopes.records(settings, load))
            before = RESOURCES if system.enveloped else 0
            spent = await measured(self._kafka, system, run, events=answers, answers=answers, before=before)
            await self._check(system, run, Check(reference), answers)
            return spent
        finally:
            await self._clear(run)

    def _own(self, system: System, run: Run) -> list[Any]:
        return [run.middle, run.output, *system.topics(run.name)]

    async def _check(self, system: System, run: Run, check: Check, answers: int) -> None:
        try:
            async for values in self._kafka.read(run.output, answers):
                check.take(map(system.read, values))
            check.close(answers)
        except WrongAnswer as wrong:
            raise CannotMeasure(f"it does not do the same work: {wrong}") from wrong

    async def _input(self, load: Load) -> str:
        """The shared input of this load, written once."""
        if load not in self._inputs:
            topic = self._inputs[load] = f"bookings-{load.events}"
            await self._kafka.create([topic])
            await self._kafka.fill(lean(topic, load))
        return self._inputs[load]

    async def _clear(self, run: Run) -> None:
        await self._kafka.remove(run.name)
        shutil.rmtree(run.directory, ignore_errors=True)

    def _name(self, system: System) -> str:
        self._runs += 1
        return f"run{self._runs}-{system.name}"
