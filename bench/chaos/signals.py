"""Faults by signal: parts that are killed, asked to end or paused, and workers that come and go."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from dataclasses import dataclass
from typing import Literal

from bench.chaos.faults import Blow
from bench.chaos.stage import Stage

Part = Literal["worker", "projector", "projections", "broker", "gateway", "provider", "inbox"]

#: A worker's place that `vacancy up` has given to none.
SPARE = 9


@dataclass(frozen=True)
class Kill:
    """kill -9 of one part; `times` more than one: again while it comes back. `both`: of all parts of its kind."""

    part: Part
    times: int = 1
    both: bool = False
    rests: float = 11.0

    @property
    def name(self) -> str:
        how = " two at once" if self.both else " and again as it recovers" if self.times > 1 else ""
        return f"kill -9 {self.part}{how}"

    @property
    def takes(self) -> float:
        return 2.0 * (self.times - 1)

    def missing(self, stage: Stage) -> str:
        return stage.lacks(self.part)

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        targets = stage.every(self.part) if self.both else [stage.pick(self.part, choose)]
        at = 0.0
        for turn in range(self.times):
            if turn:
                await asyncio.sleep(choose.uniform(0.3, 1.8))
            for target in targets:
                await asyncio.to_thread(stage.living, target)
            at = time.monotonic()
            for target in targets:
                await stage.send(target, signal.SIGKILL)
        return Blow(" ".join(targets), at)


@dataclass(frozen=True)
class Terminate:
    """SIGTERM: a part is asked to end, as a deployment does."""

    part: Part
    rests: float = 11.0
    takes: float = 0.0

    @property
    def name(self) -> str:
        return f"SIGTERM {self.part}"

    def missing(self, stage: Stage) -> str:
        return stage.lacks(self.part)

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        target = stage.pick(self.part, choose)
        await asyncio.to_thread(stage.living, target)
        at = time.monotonic()
        await stage.send(target, signal.SIGTERM)
        return Blow(target, at)


@dataclass(frozen=True)
class Pause:
    """SIGSTOP for some seconds, beyond the session: others take over from a process that then goes on."""

    part: Part
    takes: float
    rests: float = 11.0

    @property
    def name(self) -> str:
        return f"SIGSTOP {self.part}"

    def missing(self, stage: Stage) -> str:
        return stage.lacks(self.part)

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        target = stage.pick(self.part, choose)
        await asyncio.to_thread(stage.living, target)
        at = time.monotonic()
        pid = await stage.send(target, signal.SIGSTOP)
        await asyncio.sleep(self.takes)
        if await asyncio.to_thread(stage.living, target) == pid:
            await stage.send(target, signal.SIGCONT)
        return Blow(target, at)


@dataclass(frozen=True)
class Storm:
    """A worker more joins all groups and leaves them, over and over: every time they share their partitions anew."""

    times: int = 2
    stays: float = 6.0
    rests: float = 11.0
    name: str = "rebalance storm"

    @property
    def takes(self) -> float:
        return self.times * (self.stays + 8.0)

    def missing(self, stage: Stage) -> str:
        return ""

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        for _ in range(self.times):
            async with stage.worker(SPARE):
                await asyncio.sleep(choose.uniform(self.stays / 2, self.stays))
        return Blow(f"worker-{SPARE}", time.monotonic())
