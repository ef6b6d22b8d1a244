"""A log in memory with the guarantees the processor relies on, and a crash wherever a test wants one."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streams.publisher import Acknowledgement, BatchTooLarge, Record
from streams.topics import LARGE


class Crash(BaseException):
    """The process is killed here: nothing after this happens, nothing before it is undone."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the log holds it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class MemoryLog:
    """Topics by (name, partition). `at` is called with the name of each step and may raise `Crash`."""

    def __init__(self) -> None:
        self.records: defaultdict[tuple[str, int], list[Stored]] = defaultdict(list)
        self.at: Callable[[str], None] = lambda step: None
        self.batches: list[int] = []
        self._clock = 1_700_000_000_000

    def append(self, topic: str, partition: int, record: Record) -> Stored:
        """Appends a record with the log's own time."""
        self._clock += 7
        held = self.records[topic, partition]
        stored = Stored(topic, partition, len(held), self._clock, record.key, record.value, tuple(record.headers))
        held.append(stored)
        return stored

    def read(self, topic: str, partition: int = 0) -> list[Stored]:
        return list(self.records[topic, partition])

    def send(self, topic: str, partition: int, record: Record) -> Acknowledgement:
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self.at("before output")
            self.append(topic, partition, record)
            self.at("after output")
        except Crash as crash:
            acknowledged.set_exception(Killed(crash))
        else:
            acknowledged.set_result(None)
        return Acknowledgement(acknowledged)

    async def send_atomic(self, topic: str, partition: int, records: Sequence[Record]) -> int:
        size = sum(len(record.key or b"") + len(record.value or b"") for record in records)
        if size > LARGE:
            raise BatchTooLarge(f"{size} bytes")
        await asyncio.sleep(0)
        self._step("before changelog")
        first = len(self.records[topic, partition])
        for record in records:
            self.append(topic, partition, record)
        self.batches.append(size)
        self._step("after changelog")
        return first

    def _step(self, step: str) -> None:
        try:
            self.at(step)
        except Crash as crash:
            raise Killed(crash) from crash


class Killed(Exception):
    """A crash as the processor's own error path sees it."""


class CrashAt:
    """Crashes at the nth time a step is reached."""

    def __init__(self, step: str, nth: int = 1) -> None:
        self._step, self._nth = step, nth
        self._seen: Counter[str] = Counter()
        self.happened = False

    def __call__(self, step: str) -> None:
        self._seen[step] += 1
        if self.happened or (step == self._step and self._seen[step] == self._nth):
            self.happened = True
            raise Crash(step)
