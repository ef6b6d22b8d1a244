"""Deals the faults of a schedule, one after the other."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka.errors import KafkaError

from bench.chaos.faults import Blow, Due, Struck
from bench.chaos.stage import Stage
from bench.chaos.watch import Flow

#: What is raised where another fault is in the way of this one, and how often it is tried.
_IN_THE_WAY = (KafkaError, OSError, TimeoutError)
_TRIES, _PAUSE_S = 5, 3.0


@dataclass(frozen=True)
class Skipped:
    """A fault that could not be dealt, and why."""

    fault: str
    why: str


@dataclass(frozen=True)
class Dealt:
    """A fault that was dealt; times are monotonic."""

    fault: str
    blow: Blow
    began: float
    ended: float

    def measured(self, load_began: float, flow: Flow) -> Struck:
        return Struck(
            self.fault,
            self.blow.target,
            self.began - load_began,
            flow.seconds_from(self.blow.since),
            self.ended - self.began,
        )


@dataclass
class Track:
    """One schedule; a fault that another track delays strikes as soon as it can."""

    due: Sequence[Due]
    seed: int
    dealt: list[Dealt] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    async def run(self, stage: Stage, began: float) -> None:
        """Raises InstanceFailed when the instance does not get up again."""
        choose = random.Random(self.seed)
        for due in self.due:
            if why := due.fault.missing(stage):
                self.skipped.append(Skipped(due.fault.name, why))
                continue
            await asyncio.sleep(max(0.0, began + due.at - time.monotonic()))
            await self._deal(due, stage, choose)

    async def _deal(self, due: Due, stage: Stage, choose: random.Random) -> None:
        why = ""
        for _ in range(_TRIES):
            at = time.monotonic()
            try:
                blow = await due.fault.strike(stage, choose)
            except _IN_THE_WAY as error:
                why = f"{type(error).__name__}: {error}"
                await asyncio.sleep(_PAUSE_S)
            else:
                self.dealt.append(Dealt(due.fault.name, blow, at, time.monotonic()))
                return
        self.skipped.append(Skipped(due.fault.name, f"another fault was in the way: {why}"))
