"""How a slice becomes durable (design 5.3). Nothing outside it and the restore knows about offsets.

For each slice, in this order, none of which may be swapped:

1. its outputs are acknowledged — so whatever is decided and remembered was also said;
2. its rows and its position are acknowledged as one changelog batch — so a restore sees a decision wholly or not;
3. the same rows and position are written locally as one batch — so the local store is never ahead of the changelog;
4. the source offset may be committed — so nothing is skipped that is not durable.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from streams.changelog import source_header
from streams.deciding import checksum
from streams.ending import end_process
from streams.lease import Lease
from streams.local import POSITION_KEY, Position, Row
from streams.publisher import Publisher, Record
from streams.reader import Raw
from streams.rows import Partition
from streams.slices import Slice

#: Slices of a partition that may wait for their outputs; beyond it, deciding waits.
_IN_FLIGHT = 8


class _Queue:
    """A partition's slices on their way, and room for so many more."""

    def __init__(self) -> None:
        self.slices: deque[Slice] = deque()
        self.room = asyncio.Semaphore(_IN_FLIGHT)

    def take(self) -> Slice:
        self.room.release()
        return self.slices.popleft()


class Settler:
    """Makes the slices of a service's partitions durable, one after the other in each partition."""

    def __init__(
        self,
        rows_topic: str,
        *,
        publisher: Publisher,
        lease: Lease,
        commit: Callable[[int, int], None],
        fail: Callable[[BaseException], object] = end_process,
    ) -> None:
        self._rows_topic = rows_topic
        self._publisher = publisher
        self._lease = lease
        #: Told `(partition, next offset)` once everything below it is durable.
        self._commit = commit
        self._fail = fail
        self._queues: dict[Partition, _Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = 0

    def new_slice(self) -> Slice:
        self._numbers += 1
        return Slice(self._numbers)

    async def add(self, partition: Partition, slice_: Slice) -> None:
        """Queues a decided slice; waits while too many are on their way."""
        queue = self._queues.get(partition)
        if queue is None:
            queue = self._queues[partition] = _Queue()
            task = asyncio.create_task(self._settle_all(partition, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        queue.slices.append(slice_)
        await queue.room.acquire()

    async def _settle_all(self, partition: Partition, queue: _Queue) -> None:
        try:
            # Let the decisions that are ready now join the first slice.
            await asyncio.sleep(0)
            while queue.slices:
                slice_ = queue.take()
                while queue.slices and slice_.absorb(queue.slices[0]):
                    queue.take()
                await self._settle(partition, slice_)
            del self._queues[partition]
        except Exception as error:
            self._fail(error)

    async def _settle(self, partition: Partition, slice_: Slice) -> None:
        last = slice_.last
        if last is not None:
            for acknowledged in slice_.outputs:
                await acknowledged
            await self._lease.hold()
            records = [*slice_.changelog(), _position(last)]
            first = await self._publisher.send_atomic(self._rows_topic, partition.number, records)
            partition.wrote(first, first + len(records))
            _store(partition, slice_, Row(records[-1].value, last.offset, first + len(records) - 1), first)
            self._commit(partition.number, last.offset + 1)
        for done in slice_.done:
            done()


def _store(partition: Partition, slice_: Slice, position: Row, first: int) -> None:
    rows = {
        key: Row(written.payload, offset, first + index)
        for index, (key, (written, offset)) in enumerate(slice_.rows.items())
    }
    rows[POSITION_KEY] = position
    partition.store(rows, partition.local.changelog_next)
    partition.working.durable(iter(slice_.rows), slice_.number)


def _position(last: Raw) -> Record:
    """Says that everything up to an inbox record is decided and durable."""
    position = Position(last.offset, last.timestamp, checksum(last.value))
    return Record(POSITION_KEY.encode(), msgspec.json.encode(position), (source_header(last.offset),))
