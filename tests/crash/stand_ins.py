"""What stands where Faust and Kafka do, and the seams through which whatever lasts passes a crash point."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from streams.deciding import Decides
from streams.events import Envelope, Event
from streams.publisher import Acknowledgement, Record
from streams.rows import Partition, RowStore
from streams.working import WorkingRows
from tests.crash.durable import Durable, Rows
from tests.crash.outside import Passes
from tests.memory_log import Stored


class Faust:
    """What our Apps use of a Faust App: agents and timers are noted, and driven by `Process`."""

    def __init__(self, group: str, partitions: int, done_below: Callable[[str, TP, int], None]) -> None:
        self.group = group
        self.agents: dict[tuple[str, ...], Callable[[Any], Coroutine[Any, Any, None]]] = {}
        self.timers: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.conf = SimpleNamespace(topic_partitions=partitions, broker_consumer="")
        self.consumer = SimpleNamespace(done_below=partial(done_below, group))
        self.tables = SimpleNamespace()
        self.on_before_shutdown = SimpleNamespace(connect=lambda handler: None)

    def topic(self, *names: str, **options: Any) -> tuple[str, ...]:
        return names

    def agent(self, topics: tuple[str, ...], name: str) -> Callable[[Any], Any]:
        return lambda function: self.agents.setdefault(topics, function)

    def timer(self, interval: float, name: str) -> Callable[[Any], Any]:
        return self.timers.append

    def Table(self, *names: str, **options: Any) -> None: ...


class Stream:
    """What an agent of a group reads: of each place, what was not fetched yet."""

    def __init__(self, group: str, first: dict[tuple[str, int], int]) -> None:
        self.group = group
        #: The next record to fetch, by topic and partition.
        self.next = first
        self._fetches: asyncio.Queue[list[list[Stored]]] = asyncio.Queue()

    def fetch(self, durable: Durable) -> None:
        fetched = [log[next_:] for place, next_ in self.next.items() if len(log := durable.logs[place]) > next_]
        for records in fetched:
            self.next[records[0].topic, records[0].partition] += len(records)
        if fetched:
            self._fetches.put_nowait(fetched)

    def noack(self) -> Stream:
        return self

    async def events(self) -> AsyncIterator[Any]:
        while True:
            yield SimpleNamespace(value=await self._fetches.get(), ack=lambda: None)


class Log:
    """The publisher: what is sent lies on the log some turns later, and is acknowledged then."""

    def __init__(self, durable: Durable, passes: Passes) -> None:
        self._durable, self._passes = durable, passes
        self._tails: dict[tuple[str, int], asyncio.Task[None]] = {}

    def send(self, topic: str, partition: int, record: Record) -> Acknowledgement:
        before = self._tails.get((topic, partition))
        task = self._tails[topic, partition] = asyncio.create_task(self._append(before, topic, partition, record))
        return Acknowledgement(task)

    async def _append(self, before: asyncio.Task[None] | None, topic: str, partition: int, record: Record) -> None:
        # Whoever does not wait for the acknowledgement has gone on by then.
        for _ in range(5):
            await asyncio.sleep(0)
        if before is not None:
            await before
        self._passes("before the output is durable")
        self._durable.append(topic, partition, record)
        self._passes("after the output is durable")

    async def send_atomic(self, topic: str, partition: int, records: Sequence[Record]) -> int:
        await asyncio.sleep(0)
        self._passes("before the changelog is durable")
        first = self._durable.append(topic, partition, records[0]).offset
        for record in records[1:]:
            self._durable.append(topic, partition, record)
        self._passes("after the changelog is durable")
        return first


class Watched:
    """A service's table, with a crash point on both sides of each decision."""

    def __init__(self, table: Decides, passes: Passes) -> None:
        self._table, self._passes = table, passes
        self.refuse = table.refuse

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        self._passes("before the decision")
        events = self._table.apply(rows, message, now, offset)
        self._passes("after the decision")
        return events


class Disks(RowStore):
    """The rows of a service, on the disks of `Durable`."""

    def __init__(self, service: str, partitions: int, durable: Durable, passes: Passes) -> None:
        super().__init__(service, partitions, Path())
        self._durable, self._passes = durable, passes

    def open(self, partition: int) -> Partition:
        if partition not in self._open:
            local = Rows(self._durable.disks[self.service, partition])
            local.write = partial(self._write, local.write)  # type: ignore[method-assign]
            self._open[partition] = Partition(partition, local)
        return self._open[partition]

    def _write(self, write: Callable[..., None], *what: Any) -> None:
        self._passes("before the local write")
        write(*what)
        self._durable.version += 1
        self._passes("after the local write")
