"""Faults of the machine: a clock that is wrong, a disk that is full."""

from __future__ import annotations

import asyncio
import glob
import random
import time
from dataclasses import dataclass

from bench.chaos.faults import Blow
from bench.chaos.signals import SPARE
from bench.chaos.stage import Stage

_LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


@dataclass(frozen=True)
class Clock:
    """A worker joins whose clock is ten minutes ahead or behind; what it decides is decided by the records' times."""

    takes: float = 20.0
    rests: float = 8.0
    minutes: int = 10
    name: str = "clock off by 10 min"

    def missing(self, stage: Stage) -> str:
        return "" if glob.glob(_LIBRARY) else "no libfaketime here: apt-get install faketime"

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        shift = choose.choice(("+", "-"))
        faked = {
            "LD_PRELOAD": glob.glob(_LIBRARY)[0],
            "FAKETIME": f"{shift}{self.minutes}m",
            # Timeouts go on as they were: a clock that is set does not change how long things take.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        async with stage.worker(SPARE, faked):
            await asyncio.sleep(self.takes)
        return Blow(f"worker-{SPARE} {shift}{self.minutes} min", time.monotonic())


@dataclass(frozen=True)
class FullDisk:
    """Nothing more can be written where the workers keep their rows."""

    takes: float = 6.0
    rests: float = 10.0
    name: str = "full disk"

    def missing(self, stage: Stage) -> str:
        return "" if stage.disk is not None else stage.why_no_disk

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        assert stage.disk is not None
        await asyncio.to_thread(stage.disk.fill)
        try:
            await asyncio.sleep(self.takes)
        finally:
            await asyncio.to_thread(stage.disk.empty)
        return Blow("state", time.monotonic())
