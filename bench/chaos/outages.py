"""Faults of what stands outside: servers that are down, hang, are slow or lose their answers."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from bench.chaos.faults import Blow
from bench.chaos.proxy import Weather
from bench.chaos.stage import Stage

_WORDS: dict[Weather, str] = {
    "down": "down",
    "hung": "takes connections and never answers",
    "slow": "slow",
    "deaf": "answers are lost after the work is done",
    "busy": "429",
    "overloaded": "503",
}


@dataclass(frozen=True)
class Outage:
    """A server behind its proxy, for some seconds."""

    server: str
    weather: Weather
    takes: float
    rests: float = 3.0

    @property
    def name(self) -> str:
        return f"{self.server}: {_WORDS[self.weather]}"

    def missing(self, stage: Stage) -> str:
        return "" if stage.outside is not None and self.server in stage.outside.proxies else f"no {self.server} here"

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        assert stage.outside is not None
        proxy = stage.outside.proxies[self.server]
        await proxy.turn(self.weather)
        try:
            await asyncio.sleep(self.takes)
        finally:
            await proxy.turn("fair")
        return Blow(self.server, time.monotonic())


@dataclass(frozen=True)
class Webhooks:
    """The payment provider tells what it did twice, late or the last first; from now on, until it is told otherwise."""

    manner: str
    takes: float = 0.0
    rests: float = 4.0

    @property
    def name(self) -> str:
        return f"provider: webhooks {self.manner}"

    def missing(self, stage: Stage) -> str:
        return "" if stage.outside is not None else "no provider of the run's own here"

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        assert stage.outside is not None
        at = time.monotonic()
        await stage.outside.provider(self.manner)
        return Blow("provider", at)
