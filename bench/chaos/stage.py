"""What faults are dealt to: a running instance, the servers outside that it speaks to, and workers beside it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.chaos.disk import Disk
from bench.chaos.instance import Instance, environment
from bench.chaos.outside import Outside
from cli.parts import Program, command
from streams.child import spawn

_END = 10.0
#: So long a worker may take to join its groups while other things break.
_JOINED = 45.0


@dataclass
class Stage:
    """An instance, and what the run has put around it: nothing, where `outside` and `disk` are None."""

    instance: Instance
    outside: Outside | None = None
    #: What the workers keep their rows on.
    disk: Disk | None = None
    #: Why there is no `disk`.
    why_no_disk: str = "the state directory is on no disk of its own"
    #: Settings of workers that are started beside the instance.
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.instance.data

    def lacks(self, part: str) -> str:
        return "" if self.every(part) else f"no {part} runs here"

    def every(self, part: str) -> list[str]:
        """The names of all parts of a kind."""
        ours = self.outside.helpers if self.outside is not None else {}
        return sorted(name for name in {*self.instance.pids(), *ours} if name.split("-")[0] == part)

    def pick(self, part: str, choose: random.Random) -> str:
        return choose.choice(self.every(part))

    def living(self, name: str) -> int:
        """The process of a part, waited for if it is being restarted."""
        if self.outside is not None and (helper := self.outside.helpers.get(name)):
            return helper.living()
        return self.instance.living(name)

    async def send(self, name: str, number: signal.Signals) -> int:
        """Sends a signal to a living part; its process id."""
        if self.outside is not None and (helper := self.outside.helpers.get(name)):
            return helper.send(number)
        return self.instance.send(name, number)

    @contextlib.asynccontextmanager
    async def worker(self, slot: int, extra: Mapping[str, str] | None = None) -> AsyncIterator[None]:
        """One more worker with all services, once it has joined its groups; asked to end afterwards.

        Raises TimeoutError: it did not join.
        """
        child = spawn(
            command("worker", "--data", str(self.data), "--slot", str(slot)),
            log=self.data / "log" / f"worker-{slot}.log",
            environment=environment({**self.settings, **(extra or {})}),
        )
        try:
            async with asyncio.timeout(_JOINED):
                await Program(f"worker-{slot}", (), self.data, {}).wait_ready(child)
            yield
        finally:
            await child.stop(_END)
