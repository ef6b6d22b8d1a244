"""Keeps one part running: starts it when what it needs is there, and again whenever it ends.

At once the first time, then with growing pauses; a part that keeps ending before it was ever ready is given up.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.parts import Part
from cli.problem import Problem
from streams.child import Child, last_lines
from streams.ending import MUST_NOT_GO_ON, STALLED, STORAGE

#: A part that has served this many seconds starts its next life without a pause.
HEALTHY = 5.0
ATTEMPTS = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
#: A part that serves is asked so often, in seconds, whether it does; after so many asks unanswered it hangs.
_ASK_EVERY_S, DEAF = 5.0, 12
#: Between two looks whether what hinders a start is gone.
_LOOK_EVERY_S = 1.0
#: A worker or gateway that must not go on (`streams.ending`); it says why at level CRITICAL.
_ENDED_ITSELF = (MUST_NOT_GO_ON, STORAGE, STALLED)
_CRITICAL = re.compile(r"^\S+ \S+ CRITICAL \S+ \S+: (?:this process ends: )?(.*)$", re.MULTILINE)
_SEARCHED, _SHOWN = 256 * 1024, 300


@dataclass
class Pauses:
    """How long to wait before the next start: not at all, then 0.2, 0.4 ... 5 s; anew once it was healthy."""

    _next: float = 0.0

    def after(self, served: float) -> float:
        """The pause after a life in which it served so many seconds."""
        pause = 0.0 if served >= HEALTHY else self._next
        self._next = min(max(pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        return pause


@dataclass(eq=False)
class Keeper:
    """One part and its lives. `ready` is set while it serves, `pid` is that of its latest process."""

    part: Part
    changed: Callable[[], None]
    say: Callable[[str], None]
    needs: Sequence[Keeper] = ()
    #: Why nothing may be started now, such as a full disk; empty when it may.
    hindrance: Callable[[], str] = lambda: ""
    ask_every: float = _ASK_EVERY_S
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    child: Child | None = None
    _was_ready: bool = False
    _failures: int = 0

    async def run(self) -> None:
        """For ever; raises Problem when it ended five times before it was ever ready, and what `spawn` raises.

        An OSError of `spawn` counts as a life that ended: a full disk has space again some day.
        """
        pauses = Pauses()
        while True:
            await self._until_it_may_start()
            try:
                self.child = await self.part.spawn()
            except OSError as error:
                served, what, reason, log = 0.0, "could not be started", str(error), None
            else:
                began = _size(self.child.log)
                self.changed()
                served = await self._one_life(self.child)
                what, reason, log = "ended", _reason(self.child, began), self.child.log
            self._judge(what, reason, log)
            pause = pauses.after(served)
            self.say(f"{self.part.name} {what} ({reason}); starting it again{f' in {pause:.1f} s' if pause else ''}")
            await asyncio.sleep(pause)

    async def _until_it_may_start(self) -> None:
        while True:
            for need in self.needs:
                await need.ready.wait()
            if not (reason := self.hindrance()):
                return
            self.say(f"{self.part.name} waits: {reason}")
            while self.hindrance():  # noqa: ASYNC110  # the disk tells nobody
                await asyncio.sleep(_LOOK_EVERY_S)
            # Whatever hindered it may have ended what it needs.

    async def _one_life(self, child: Child) -> float:
        """Until it ends; the seconds it served."""
        getting_ready = asyncio.create_task(self.part.wait_ready(child))
        end = asyncio.create_task(child.exited())
        listening = asyncio.create_task(self._until_deaf(child))
        served_from: float | None = None
        try:
            await asyncio.wait({getting_ready, end}, return_when=asyncio.FIRST_COMPLETED)
            if not end.done():
                served_from = await self._begin(child, getting_ready)
            await end
        finally:
            self.ready.clear()
            await _cancel(getting_ready, end, listening)
        return 0.0 if served_from is None else time.monotonic() - served_from

    async def _begin(self, child: Child, getting_ready: asyncio.Task[None]) -> float | None:
        if (failure := getting_ready.exception()) is not None:
            self.say(f"{self.part.name}: {failure}")
            child.kill()
            return None
        self._was_ready = True
        self.ready.set()
        return time.monotonic()

    async def _until_deaf(self, child: Child) -> None:
        """Ends a part that served and does not answer any more: what hangs says so to nobody."""
        await self.ready.wait()
        unanswered = 0
        while unanswered < DEAF:
            await asyncio.sleep(self.ask_every)
            unanswered = 0 if await self.part.answers(child) else unanswered + 1
        self.say(f"{self.part.name} has not answered {DEAF} times")
        child.kill()

    def _judge(self, what: str, reason: str, log: Path | None) -> None:
        self._failures += 1
        if self._was_ready or self._failures < ATTEMPTS:
            return
        said = "".join(f"\n  {line}" for line in last_lines(log))
        tail = f"; {log} ends:{said}" if said else ""
        raise Problem(f"{self.part.name} {what} {ATTEMPTS} times before it was ready ({reason}){tail}")


def _reason(child: Child, began: int) -> str:
    code = child.process.returncode
    if code < 0:
        return f"signal {-code}"
    why = _last_critical(child.log, began) if code in _ENDED_ITSELF else ""
    return f"exit code {code}: {why}" if why else f"exit code {code}"


def _last_critical(log: Path | None, began: int) -> str:
    """The last thing said at level CRITICAL from this place on: an earlier life's reason is not this one's."""
    if log is None or not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(began, _size(log) - _SEARCHED))
        said = _CRITICAL.findall(file.read().decode("utf-8", "replace"))
    return str(said[-1])[:_SHOWN] if said else ""


def _size(log: Path | None) -> int:
    return log.stat().st_size if log is not None and log.is_file() else 0


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
