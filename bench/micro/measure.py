"""One run of one system, watched from outside: how long it took, and what it cost the system and the broker.

Time runs from the first record between the hops (start-up, joining groups and creating tables are over by then) to the
last answer that a reader of committed records may read. CPU time is counted from the same moment until the system has
also committed that everything between the hops is done: some systems write their changelogs later than their answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

from bench.micro.kafka import Ends, Kafka
from bench.micro.systems import Run, System, environment
from bench.parts import CannotMeasure
from streams.child import Child, last_lines, spawn

_POLL_S = 0.02
#: No end is seen to move for so long: longer than any system waits between two commits.
_QUIET_S = 1.5
_START_S, _COMMIT_S = 120.0, 30.0
#: Without another answer for so long, a system has stopped.
_STALLED_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a run took. CPU in seconds, user and system."""

    events: int
    seconds: float
    cpu: float
    broker_cpu: float
    #: Cores that everything else on the machine kept busy meanwhile, this bench among it.
    others: float
    resident_mib: float
    start_up_cpu: float

    @property
    def events_per_second(self) -> float:
        return self.events / self.seconds

    @property
    def cpu_per_million(self) -> float:
        return self.cpu / self.events * 1e6

    @property
    def broker_cpu_per_million(self) -> float:
        return self.broker_cpu / self.events * 1e6


class Tree:
    """A process and its children: what they spent and the most they held."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.resident = 0

    def cpu(self) -> float:
        return sum(sum(each.cpu_times()[:2]) for each in self._alive())

    def look(self) -> None:
        """Notes how much memory is held now."""
        self.resident = max(self.resident, sum(each.memory_info().rss for each in self._alive()))

    def _alive(self) -> Iterator[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            yield self._process
            yield from self._process.children(recursive=True)


@contextmanager
def alive(system: System, run: Run) -> Iterator[Child]:
    """The system at work, ended and gone afterwards."""
    run.directory.mkdir(parents=True, exist_ok=True)
    command = [*system.command(), *run.arguments, *system.arguments]
    log, surroundings = run.directory / "log" / "system.log", environment() if system.ours else None
    child = spawn(command, log=log, environment=surroundings, directory=run.directory)
    try:
        yield child
    finally:
        child.kill()


async def measured(kafka: Kafka, system: System, run: Run, *, events: int, answers: int, before: int = 0) -> Spent:
    """Runs it on an input that is there. `before` records stand between the hops from the beginning.

    Raises:
        CannotMeasure: it ended, or did not come to an end in time.
    """

    async with Ends(kafka.bootstrap) as ends:
        with alive(system, run) as child:
            return await _watched(Watched(kafka, ends, system, run, child), events, answers, before)


@dataclass(frozen=True, slots=True)
class Watched:
    """A system at work, and what it is seen by."""

    kafka: Kafka
    ends: Ends
    system: System
    run: Run
    child: Child


async def _watched(this: Watched, events: int, answers: int, before: int) -> Spent:
    async def begun() -> bool:
        return await this.ends.appended(this.run.middle) > before

    async def done() -> bool:
        return await this.kafka.done(this.run.group, this.run.middle) >= await this.ends.appended(this.run.middle)

    system, broker = Tree(this.child.pid), Tree(this.kafka.pid)
    await until(begun, this.child, _START_S, "begin")
    start, cpu, broker_cpu, busy = time.monotonic(), system.cpu(), broker.cpu(), _busy()
    end = await _last_answer(this, system, answers)
    if not this.system.atomic:
        await until(done, this.child, _COMMIT_S, "commit its work")
    spent, broker_spent, all_spent = system.cpu() - cpu, broker.cpu() - broker_cpu, _busy() - busy
    return Spent(
        events=events,
        seconds=end - start,
        cpu=spent,
        broker_cpu=broker_spent,
        others=max(0.0, all_spent - spent - broker_spent) / (time.monotonic() - start),
        resident_mib=system.resident / 2**20,
        start_up_cpu=cpu,
    )


def _busy() -> float:
    """Seconds all cores of the machine have worked, for whomever."""
    times = psutil.cpu_times()
    return float(times.user + times.system)


async def until(reached: Callable[[], Awaitable[bool]], child: Child, within: float, what: str) -> None:
    """Returns once it is so. Raises CannotMeasure: the system ended, or it took longer than `within` seconds."""
    limit = time.monotonic() + within
    while not await reached():
        _check(child)
        if time.monotonic() > limit:
            raise CannotMeasure(f"it did not {what} within {within:.0f} s: {_last_words(child)}")
        await asyncio.sleep(_POLL_S)


async def _last_answer(this: Watched, system: Tree, answers: int) -> float:
    """When the last answer was there to be read (monotonic clock).

    Transactions leave marks that count as answers here, so this is when the end of the output moved for the last time.
    """
    seen, moved = 0, time.monotonic()
    while True:
        end, now = await this.ends.committed(this.run.output), time.monotonic()
        if end > seen:
            seen, moved = end, now
        if seen >= answers and now - moved > _QUIET_S:
            return moved
        if now - moved > _STALLED_S:
            raise CannotMeasure(f"it stopped after {seen} of {answers} answers: {_last_words(this.child)}")
        _check(this.child)
        system.look()
        await asyncio.sleep(_POLL_S)


def _check(child: Child) -> None:
    if not child.alive:
        raise CannotMeasure(f"it ended: {_last_words(child)}")


def _last_words(child: Child) -> str:
    return " ".join(" ".join(last_lines(child.log, 5)).split())[-400:]
