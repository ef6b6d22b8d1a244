"""The watchdog of a worker: a thread that ends the process when it has work and makes no progress (design 5.10).

Faust only logs that an agent is stuck, and the group never takes its partitions away (faust.md 1a). A thread of its
own, because a loop that is stuck cannot look at itself. Whoever waits for what is outside (the broker, an open breaker)
is not stuck, nor is a process that was paused: what it may still write then is its lease's business.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import sys
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import Gauge

from streams.ending import STALLED

logger = logging.getLogger(__name__)
#: A group with work, or the loop, may stand still for so long, in seconds.
PATIENCE_S = 30.0
#: A thread that looks every second and did not for so long was paused, and everything else here with it.
PAUSED_S = 3.0
_EVERY_S = 1.0
_TASKS_SHOWN = 100
_LOOP = "the loop"
#: A clock that counts the time a suspended machine was away, where there is one.
_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_SECONDS = Gauge("vacancy_worker_stalled_seconds", "For how long the stillest part of this worker has made no progress")


class Stalled(Exception):
    """There is work, and nothing has moved for too long."""

    ends_with = STALLED


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that has to move, as a look found it: `mark` is where it stands, `waiting` whether work waits there."""

    name: str
    waiting: bool
    mark: Hashable
    patience: float


@dataclass(frozen=True, slots=True)
class Stall:
    """Something has stood still for so many seconds although work waits."""

    name: str
    seconds: float
    patience: float

    def __str__(self) -> str:
        return f"{self.name} has made no progress for {self.seconds:.0f} s"


@dataclass
class Stillness:
    """Since when each thing stands where it stands. Pure: it is told the time."""

    _since: dict[str, tuple[Hashable, float]] = field(default_factory=dict)

    def look(self, now: float, seen: Sequence[Seen]) -> list[Stall]:
        """What stands still, the stillest first by its patience. What was not seen this time is forgotten."""
        before, self._since = self._since, {}
        for each in seen:
            if each.waiting:
                mark, since = before.get(each.name, (None, now))
                self._since[each.name] = (each.mark, since if mark == each.mark else now)
        patience = {each.name: each.patience for each in seen}
        stalls = [Stall(name, now - since, patience[name]) for name, (_, since) in self._since.items() if now > since]
        return sorted(stalls, key=lambda stall: stall.seconds / stall.patience, reverse=True)

    def forgive(self, seconds: float) -> None:
        """Nobody could move for so long."""
        self._since = {name: (mark, since + seconds) for name, (mark, since) in self._since.items()}


class Watched(Protocol):
    """What a watchdog looks at; called from its thread."""

    def seen(self) -> Sequence[Seen]: ...

    def paused(self) -> None:
        """Told when this process was paused."""
        ...


class Watchdog:
    """Looks every second. `end` ends the process; `check` may raise for what else must end it (a full disk)."""

    def __init__(
        self,
        watched: Sequence[Watched],
        *,
        end: Callable[[BaseException], object],
        check: Callable[[], object] = lambda: None,
        patience: float = PATIENCE_S,
        clock: Callable[[], float] = lambda: time.clock_gettime(_CLOCK),
    ) -> None:
        self._watched = watched
        self._end = end
        self._check = check
        self._patience = patience
        self._clock = clock
        self._stillness = Stillness()
        self._last = clock()
        self._beats = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = threading.Event()
        #: What has stood still for half of its patience: `/livez` says so before the process ends.
        self.stalls: Sequence[Stall] = ()

    def start(self) -> None:
        """Watches the running loop and everything else from now on."""
        self._loop = asyncio.get_running_loop()
        self._last = self._clock()
        self._beat()
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._ending.set()

    def tick(self) -> None:
        """One look."""
        now = self._clock()
        gap, self._last = now - self._last, now
        if gap > PAUSED_S:
            logger.warning("this process was paused for %.1f s", gap)
            self._stillness.forgive(gap)
            for each in self._watched:
                each.paused()
        seen = [seen for each in self._watched for seen in each.seen()]
        stalls = self._stillness.look(now, [self._loop_seen(), *seen])
        self.stalls = [stall for stall in stalls if stall.seconds >= stall.patience / 2]
        _SECONDS.set(max((stall.seconds for stall in stalls), default=0.0))
        if stalls and stalls[0].seconds >= stalls[0].patience:
            self._give_up(stalls[0])
        self._check()

    def _run(self) -> None:
        while not self._ending.wait(_EVERY_S):
            try:
                self.tick()
            except Exception as error:  # a watchdog that died would be worse than what it looks for
                self._end(error)

    def _beat(self) -> None:
        """On the loop, about once a second: what the thread compares."""
        self._beats += 1
        if self._loop is not None and not self._ending.is_set():
            self._loop.call_later(_EVERY_S, self._beat)

    def _loop_seen(self) -> Seen:
        return Seen(_LOOP, self._loop is not None, self._beats, self._patience)

    def _give_up(self, stall: Stall) -> None:
        faulthandler.dump_traceback(sys.stderr, all_threads=True)
        tasks = asyncio.all_tasks(self._loop) if self._loop is not None else set()
        for task in list(tasks)[:_TASKS_SHOWN]:
            task.print_stack(limit=3, file=sys.stderr)
        self._end(Stalled(str(stall)))
