"""Restores one service's rows as a worker does, in a process of its own, and says on stdout what that took (JSON).

`python -m bench.recovery BOOTSTRAP SERVICE DIRECTORY [--decide]`: rows are restored into DIRECTORY, which may hold
some; with --decide what stands on the inbox beyond them is decided by the product's processor, to the last durable row.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from aiokafka import TopicPartition

from cli.loop import run, settle_memory
from streams.layout import Layout, load_layout
from streams.lease import Lease
from streams.processor import Batch, Processor
from streams.publisher import KafkaPublisher
from streams.reader import Raw, consumer, read_to_end
from streams.restore import Restorer
from streams.rows import RowStore
from streams.services import SERVICES, Service
from streams.settling import Settler
from streams.signing import Signer
from streams.voice import Voice
from tables.availability import Availability

#: What Faust's consumer hands over at a time.
_BATCH = 2_000
#: Nobody else has a part of this group; a lease that is never renewed must outlast the run.
_LEASE_S = 24 * 3600.0


def grown(service: str, name: str) -> Service:
    """A service of another name, so that its topics are its own."""
    return replace(SERVICES[service], name=f"{service}-{name}")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the wall and of CPU."""

    wall_s: float
    cpu_s: float


class Stopwatch:
    """From now on."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def spent(self) -> Spent:
        return Spent(round(time.perf_counter() - self._wall, 4), round(time.process_time() - self._cpu, 4))


class Worker:
    """What a worker does with one service, without Faust: restore, decide."""

    def __init__(self, bootstrap: str, service: Service, layout: Layout, directory: Path) -> None:
        self._bootstrap, self._service, self._layout = bootstrap, service, layout
        self._failures: list[BaseException] = []
        self._publisher = KafkaPublisher(bootstrap)
        self.store = RowStore(service.name, layout.partitions, directory)
        lease = Lease(_LEASE_S)
        self._restorer = Restorer(bootstrap, service, self.store, self._publisher, lease, self._failures.append)
        settler = Settler(
            service.rows,
            publisher=self._publisher,
            lease=lease,
            commit=lambda *_: None,
            fail=self._failures.append,
        )
        self._processor = Processor(
            service,
            Availability(),
            voice=Voice(self._publisher, layout, Signer(b"bench")),
            group=service.name,
            store=self.store,
            publisher=self._publisher,
            settler=settler,
            next_on_log=self._restorer.next_on_log,
        )

    async def start(self) -> None:
        await self._publisher.start()

    async def stop(self) -> None:
        await self._restorer.stop()
        await self._publisher.stop()

    async def restore(self) -> Spent:
        """Until every partition's rows may be read."""
        watch = Stopwatch()
        if not await self._restorer.restore(set(range(self._layout.partitions))):
            raise RuntimeError("the rows were not restored")
        return watch.spent()

    async def decide(self) -> tuple[int, Spent]:
        """Decides what is on the inbox beyond the rows: how many records, until the last one is durable."""
        waiting = [await self._undecided(number) for number in range(self._layout.partitions)]
        watch = Stopwatch()
        await asyncio.gather(*(self._apply(number, records) for number, records in enumerate(waiting)))
        if self._failures:
            raise self._failures[0]
        return sum(len(records) for records in waiting), watch.spent()

    async def _apply(self, number: int, records: Sequence[Raw]) -> None:
        if records:
            done = asyncio.Event()
            for start in range(0, len(records), _BATCH):
                some = records[start : start + _BATCH]
                last = start + _BATCH >= len(records)
                await self._processor.apply(Batch(number, some, done.set if last else lambda: None))
            await done.wait()

    async def _undecided(self, number: int) -> list[Raw]:
        reader = consumer(self._bootstrap)
        await reader.start()
        try:
            tp = TopicPartition(self._service.inbox, number)
            reader.assign([tp])
            reader.seek(tp, self.store.assigned(number).decided + 1)
            return [record async for _, records in read_to_end(reader, [tp]) for record in records]
        finally:
            await reader.stop()


async def _measure(bootstrap: str, service: Service, directory: Path, decide: bool) -> dict[str, Any]:
    worker = Worker(bootstrap, service, load_layout("catalogue"), directory)
    await worker.start()
    settle_memory()
    try:
        spent = await worker.restore()
        told = {"restore_s": spent.wall_s, "restore_cpu_s": spent.cpu_s, "resident_mib": _resident_mib()}
        if decide:
            decisions, spent = await worker.decide()
            told |= {"decisions": decisions, "decide_s": spent.wall_s, "decide_cpu_s": spent.cpu_s}
        return told
    finally:
        await worker.stop()


def _resident_mib() -> int:
    return int(psutil.Process().memory_info().rss // 2**20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bootstrap")
    parser.add_argument("service", help="what it is a kind of and its own name, SERVICE-NAME")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--decide", action="store_true")
    asked = parser.parse_args()
    kind, _, name = asked.service.partition("-")
    print(json.dumps(run(_measure(asked.bootstrap, grown(kind, name), asked.directory, asked.decide))))


if __name__ == "__main__":
    main()
