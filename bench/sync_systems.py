"""The two platforms that are compared, each started, asked for stays, and looked at: calls in a row, and events."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import orjson
import psutil

from bench.instance import Measured, running, vacancy
from bench.lag import settled, watching
from bench.log_traffic import declare
from bench.parts import CannotMeasure
from bench.sync_load import Book
from bench.sync_steps import SERVICES
from cli.client import GatewayClient, Refused, Stay, open_session
from cli.instance import part
from cli.trades import Stays

_ROOT = Path(__file__).resolve().parent.parent
_READY_S, _END_S = 30.0, 10.0
#: How long a guest waits for an outcome, and how long the groups are given to catch up after a load, in seconds.
PATIENCE_S = 30.0
_wish = Stays().wish


class System(Protocol):
    """A platform that takes bookings."""

    def booking(self) -> Any:
        """An asynchronous context: what books a stay on it."""
        ...

    async def rest(self) -> None:
        """Returns once nothing is left to do for the bookings so far."""
        ...

    def cpu_seconds(self) -> dict[str, float]:
        """By process, since it was started."""
        ...


@dataclass(frozen=True)
class Calls:
    """Services that call each other: the answer to the request is the outcome."""

    url: str
    pids: dict[str, int]

    @asynccontextmanager
    async def booking(self) -> AsyncIterator[Book]:
        async with open_session() as session:

            async def book(stay: Stay, key: str) -> tuple[float, float]:
                limit = aiohttp.ClientTimeout(total=PATIENCE_S)
                # As GatewayClient sends it.
                async with session.post(self.url, data=orjson.dumps(_wish(stay).body), timeout=limit) as answer:
                    said = await answer.read()
                if answer.status != 200:
                    raise Refused(answer.status, said[:200].decode("utf-8", "replace"))
                now = asyncio.get_running_loop().time()
                return now, now

            yield book

    async def rest(self) -> None:
        """An answer is given when everything is done."""

    def cpu_seconds(self) -> dict[str, float]:
        return {name: sum(psutil.Process(pid).cpu_times()[:2]) for name, pid in self.pids.items()}


@dataclass(frozen=True)
class Events:
    """A running instance of ours: 201 first, the outcome when it is there."""

    instance: Measured

    @asynccontextmanager
    async def booking(self) -> AsyncIterator[Book]:
        found = self.instance.written
        async with open_session() as session:
            client = GatewayClient(session, found["url"], found["api_key"], patience=PATIENCE_S)
            loop = asyncio.get_running_loop()

            async def book(stay: Stay, key: str) -> tuple[float, float]:
                wish = _wish(stay)
                accepted = await client.book(wish, key=key)
                answered = loop.time()
                await client.outcome(wish.path, accepted.booking_id)
                return answered, loop.time()

            yield book

    async def rest(self) -> None:
        async with watching(self.instance.bootstrap) as look:
            await settled(look, PATIENCE_S)

    def cpu_seconds(self) -> dict[str, float]:
        return self.instance.cpu_seconds()


@contextmanager
def events(data: Path, unit_types: int) -> Iterator[Events]:
    """A fresh `vacancy up` with that many unit types declared."""
    with running(data) as instance:
        found = instance.written
        asyncio.run(declare(found["url"], found["api_key"], unit_types))
        yield Events(instance)


@contextmanager
def calls(data: Path) -> Iterator[Calls]:
    """Six services and the sandbox provider, a process each."""
    data.mkdir(parents=True, exist_ok=True)
    started: dict[str, subprocess.Popen[str]] = {}
    try:
        started["provider"] = _spawn(data, "provider", vacancy("provider", "--data", str(data)))
        provider = _provider_of(data, started["provider"])
        urls: dict[str, str] = {}
        # The one that calls the others comes last in the list.
        for name in SERVICES:
            module = [sys.executable, "-m", "bench.sync_services", name, "--data", str(data.resolve())]
            started[name] = _spawn(data, name, [*module, "--provider", provider, "--peers", json.dumps(urls)])
            urls[name] = _said(data, name, started[name])
        yield Calls(urls["reservation"], {name: process.pid for name, process in started.items()})
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            process.wait(_END_S)
            assert process.stdout is not None
            process.stdout.close()


def _spawn(data: Path, name: str, command: Any) -> subprocess.Popen[str]:
    with (data / f"{name}.log").open("w") as log:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=_ROOT)


def _said(data: Path, name: str, process: subprocess.Popen[str]) -> str:
    """The first line a service prints: where it listens."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        raise CannotMeasure(f"the {name} service did not start: {(data / f'{name}.log').read_text()[-500:]}")
    return line


def _provider_of(data: Path, process: subprocess.Popen[str]) -> str:
    until = time.monotonic() + _READY_S
    while (found := part(data, "provider")) is None:
        if process.poll() is not None or time.monotonic() > until:
            raise CannotMeasure(f"the provider did not start: {(data / 'provider.log').read_text()[-500:]}")
        time.sleep(0.05)
    return str(found["url"])
