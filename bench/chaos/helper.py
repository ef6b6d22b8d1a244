"""A program of ours that a run keeps alive by itself, because the instance is told that somebody else runs it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.parts import command
from streams.child import Child, spawn

_ALIVE_S = 20.0
_PAUSE_S = 0.2


@dataclass
class Helper:
    """`vacancy ARGUMENTS`, started again whenever it ends; the next start takes the arguments of then."""

    arguments: Sequence[str]
    log: Path
    _child: Child | None = field(default=None, init=False)
    _keeping: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        if self._child is not None:
            self._child.kill()

    def living(self) -> int:
        """Its process, waited for if it is being restarted."""
        end = time.monotonic() + _ALIVE_S
        while self._child is None or not self._child.alive:
            if time.monotonic() > end:
                raise RuntimeError(f"{self.arguments[0]} was not restarted: see {self.log}")
            time.sleep(_PAUSE_S / 4)
        return self._child.pid

    def send(self, number: signal.Signals) -> int:
        """Sends a signal to it; its process id."""
        assert self._child is not None
        if self._child.alive:
            os.kill(self._child.pid, number)
        return self._child.pid

    async def _keep(self) -> None:
        while True:
            self._child = spawn(command(*self.arguments), log=self.log)
            await self._child.exited()
            await asyncio.sleep(_PAUSE_S)
