"""The parts an instance is made of, as the supervisor starts them: each a process that says when it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp

from cli import instance
from streams.broker import EmbeddedBroker
from streams.child import Child, spawn

_POLL = 0.05
_ASK = aiohttp.ClientTimeout(total=2)


class Part(Protocol):
    """Something the supervisor keeps running."""

    @property
    def name(self) -> str: ...

    async def spawn(self) -> Child:
        """Starts it, without waiting for anything."""

    async def wait_ready(self, child: Child) -> None:
        """Returns once it serves. Whether it still lives is the caller's question."""

    async def answers(self, child: Child) -> bool:
        """Whether it does not hang, once it has served: it answers, whatever the answer is."""

    async def stop(self, within: float) -> None:
        """Ends it, after `within` seconds forcibly; harmless when it does not run."""


@dataclass
class Program:
    """One of our own programs (`vacancy worker`, `vacancy gateway`...), found ready by what it serves at /readyz."""

    name: str
    arguments: Sequence[str]
    data: Path
    environment: Mapping[str, str]
    _child: Child | None = field(default=None, init=False)

    async def spawn(self) -> Child:
        instance.run_file(self.data, self.name).unlink(missing_ok=True)
        log = self.data / "log" / f"{self.name}.log"
        self._child = spawn(command(*self.arguments), log=log, environment=self.environment)
        return self._child

    async def wait_ready(self, child: Child) -> None:
        async with aiohttp.ClientSession(timeout=_ASK) as client:
            while not await self._is_ready(client, child.pid):  # noqa: ASYNC110  # it is another process
                await asyncio.sleep(_POLL)

    async def answers(self, child: Child) -> bool:
        said = instance.part(self.data, self.name)
        if said is None or said.get("pid") != child.pid:
            return True  # nobody knows where to ask
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with aiohttp.ClientSession(timeout=_ASK) as client, client.get(f"{said['url']}/livez"):
                return True
        return False

    async def stop(self, within: float) -> None:
        if self._child is not None:
            await self._child.stop(within)

    async def _is_ready(self, client: aiohttp.ClientSession, pid: int) -> bool:
        said = instance.part(self.data, self.name)
        if said is None or said.get("pid") != pid:
            return False
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with client.get(f"{said['url']}/readyz") as answer:
                return answer.status == 200
        return False


@dataclass
class Broker:
    """An embedded broker as a part; its file in DIR/run is written for it."""

    broker: EmbeddedBroker

    @property
    def name(self) -> str:
        return self.broker.name

    async def spawn(self) -> Child:
        return await self.broker.spawn()

    async def wait_ready(self, child: Child) -> None:
        await self.broker.wait_ready()
        said = {"pid": child.pid, "url": f"kafka://{self.broker.bootstrap}"}
        instance.write_whole(instance.run_file(self.broker.data, self.name), said)

    async def answers(self, child: Child) -> bool:
        return True  # its clients wait for it; ending a Kafka that is busy would not make it any faster

    async def stop(self, within: float) -> None:
        await self.broker.stop(within)
        instance.run_file(self.broker.data, self.name).unlink(missing_ok=True)


def command(*arguments: str) -> list[str]:
    """The command line that runs a `vacancy` command in this very Python, whatever the current directory holds."""
    return [sys.executable, "-P", "-u", "-m", "cli.main", *arguments]
