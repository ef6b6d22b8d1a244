"""The rows a worker owns, partition by partition: opened on assignment, readable once restored, closed on release.

The processor writes through it, the worker's views read from it. Readers see durable rows only.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections import OrderedDict, defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from streams.ending import end_process
from streams.local import POSITION_KEY, LocalRows, Row
from streams.working import WorkingRows

#: Deleted rows remembered, so that their own earlier records are not taken for a zombie's.
_REMEMBERED_DELETIONS = 50_000


class NotOwner(Exception):
    """This worker does not own the partition, or has not restored it yet."""


class Partition:
    """One owned partition: its durable rows, its working rows, and who waits for a change."""

    def __init__(self, number: int, local: LocalRows) -> None:
        self.number = number
        self.local = local
        self.working = WorkingRows(local)
        #: The last inbox offset that was decided, durable or not; -1 before the first.
        self.decided = local.position.offset if local.position is not None else -1
        self._deleted: OrderedDict[str, Row] = OrderedDict()
        #: Changelog offsets `[first, end)` this worker wrote itself and has not met again while following.
        self._own: deque[tuple[int, int]] = deque()
        self._row_waiters: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._position_waiters: list[tuple[int, int, asyncio.Future[None]]] = []

    @property
    def position(self) -> int:
        """The last inbox offset whose outcome is durable; -1 before the first."""
        return self.local.position.offset if self.local.position is not None else -1

    def held(self, key: str) -> Row | None:
        """The row as stored, or the memory of its deletion."""
        return self.local.get(key) or self._deleted.get(key)

    def wrote(self, first: int, end: int) -> None:
        """This worker's own records stand at changelog offsets `[first, end)`."""
        if self._own and self._own[-1][1] == first:
            first = self._own.pop()[0]
        self._own.append((first, end))

    def not_own(self, first: int, last: int) -> bool:
        """Whether any record at changelog offsets `[first, last]` may be somebody else's; asked in rising order."""
        while self._own and self._own[0][1] <= first:
            self._own.popleft()
        covered = first
        for begin, end in self._own:
            if begin > covered:
                break
            covered = end
        return covered <= last

    def store(self, rows: Mapping[str, Row], changelog_next: int) -> None:
        """Makes rows durable here and wakes whoever waited for them."""
        self.local.write(rows, changelog_next)
        for key, row in rows.items():
            if row.payload is None:
                self._deleted[key] = row
            else:
                self._deleted.pop(key, None)
            for waiter in self._row_waiters.pop(key, ()):
                _wake(waiter)
        while len(self._deleted) > _REMEMBERED_DELETIONS:
            self._deleted.popitem(last=False)
        if POSITION_KEY in rows:
            self._wake_position()

    def restored(self) -> None:
        """The rows are as the changelog has them: work starts after their position."""
        self.working = WorkingRows(self.local)
        self.decided = self.position

    async def until_position(self, offset: int) -> None:
        if self.position >= offset:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._position_waiters, (offset, id(waiter), waiter))
        await waiter

    async def until_changed(self, key: str) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._row_waiters[key].add(waiter)
        try:
            await waiter
        finally:
            self._row_waiters[key].discard(waiter)
            if not self._row_waiters[key]:
                del self._row_waiters[key]

    def close(self) -> None:
        """Lets go of the rows; readers that still wait are told that this is no longer the owner."""
        for waiter in [waiter for waiters in self._row_waiters.values() for waiter in waiters]:
            _fail(waiter)
        for _, _, waiter in self._position_waiters:
            _fail(waiter)
        self.local.close()

    def _wake_position(self) -> None:
        while self._position_waiters and self._position_waiters[0][0] <= self.position:
            _wake(heapq.heappop(self._position_waiters)[2])


class RowStore:
    """A service's rows in this worker."""

    def __init__(self, service: str, partitions: int, directory: Path) -> None:
        self.service = service
        self.partitions = partitions
        self._directory = directory
        self._open: dict[int, Partition] = {}
        self._ready: set[int] = set()
        #: Says the end offset of an inbox partition; set by whoever reads the log for this worker.
        self.end_of_inbox: Callable[[int], Awaitable[int]] | None = None
        #: Says whether this worker may still believe that it owns anything (its lease on the group is fresh).
        self.may_serve: Callable[[], bool] = lambda: True
        #: Ends the process for a store that cannot be read, whoever read it.
        self.fail: Callable[[BaseException], object] = end_process

    def open(self, partition: int) -> Partition:
        """The partition's rows, opened if they were not."""
        if partition not in self._open:
            self._open[partition] = Partition(partition, LocalRows(self._directory / str(partition)))
        return self._open[partition]

    def ready(self, partition: int) -> None:
        """The partition is restored: readers may have it."""
        self._ready.add(partition)

    def withdraw(self) -> None:
        """Nothing here may be read or decided until it is restored again (a rebalance has begun)."""
        self._ready.clear()

    def release(self, keep: set[int]) -> None:
        """Closes every partition that is not in `keep`."""
        self._ready &= keep
        for number in [number for number in self._open if number not in keep]:
            self._open.pop(number).close()

    def close(self) -> None:
        self.release(set())

    def owned(self) -> list[Partition]:
        """The restored partitions of this worker."""
        return [self._open[number] for number in sorted(self._ready)] if self.may_serve() else []

    def owns(self, partition: int) -> bool:
        return partition in self._ready and self.may_serve()

    def partition(self, number: int) -> Partition:
        """An owned partition.

        Raises:
            NotOwner: it is another worker's, or not restored.
        """
        if not self.owns(number):
            raise NotOwner(f"{self.service}/{number}")
        return self._open[number]

    def assigned(self, number: int) -> Partition:
        """A partition to decide on. Unlike readers, decisions need no fresh lease: the settler waits for it.

        Raises:
            NotOwner: a rebalance has begun, or it is not restored yet.
        """
        if number not in self._ready:
            raise NotOwner(f"{self.service}/{number}")
        return self._open[number]

    def get(self, partition: int, key: str) -> bytes | None:
        """A durable row's JSON, or None."""
        row = self.partition(partition).local.get(key)
        return row.payload if row is not None else None

    def scan(self, partition: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        """The durable rows whose keys begin with `prefix`, in key order."""
        return self.partition(partition).local.scan(prefix)

    def last(self, partition: int, prefix: str, upto: str) -> bytes | None:
        """The durable row with the greatest key that begins with `prefix` and is at most `upto`."""
        return self.partition(partition).local.last(prefix, upto)

    async def passed(self, partition: int, timeout: float, offset: int | None = None) -> None:  # noqa: ASYNC109
        """Returns once everything that was in the inbox at the call (or `offset`) is decided and durable.

        Raises:
            NotOwner: this worker does not own the partition (any more).
            TimeoutError: it took longer than `timeout` seconds.
        """
        owned = self.partition(partition)
        async with asyncio.timeout(timeout):
            if offset is None:
                assert self.end_of_inbox is not None
                offset = await self.end_of_inbox(partition) - 1
            await owned.until_position(offset)

    async def changed(self, partition: int, key: str, timeout: float) -> None:  # noqa: ASYNC109
        """Returns at the next durable change of the row.

        Raises:
            NotOwner, TimeoutError: as for `passed`.
        """
        owned = self.partition(partition)
        async with asyncio.timeout(timeout):
            await owned.until_changed(key)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _fail(waiter: asyncio.Future[None]) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):
        waiter.set_exception(NotOwner("the partition was released"))
