"""What was passed on and is not on the log yet: the next fetch need not wait for it, its commit must.

A group that waited for each fetch's messages would take one small fetch in each round trip to the broker, and those
behind it would queue. Nothing is dropped when a rebalance begins: Faust holds the partitions until all that it handed
over is done, and commits it then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from streams.processor import Batch
from streams.publisher import Acknowledgement

#: Fetches that may be on their way; beyond it, the next waits.
_UNDERWAY = 16


class Finishing:
    """Tells of fetches that all that follows from them is on the log, in the order they came."""

    def __init__(self, finished: Callable[[Sequence[Batch]], None], fail: Callable[[BaseException], object]) -> None:
        self._finished = finished
        self._fail = fail
        self._waiting: deque[tuple[Sequence[Batch], list[Acknowledgement]]] = deque()
        self._room = asyncio.Semaphore(_UNDERWAY)
        self._task: asyncio.Task[None] | None = None

    async def add(self, fetched: Sequence[Batch], said: Iterable[Acknowledgement]) -> None:
        """Returns as soon as the next fetch may be handled."""
        self._waiting.append((fetched, list(dict.fromkeys(said))))
        if self._task is None:
            self._task = asyncio.create_task(self._finish_all())
        await self._room.acquire()

    async def _finish_all(self) -> None:
        try:
            while self._waiting:
                fetched, said = self._waiting.popleft()
                for acknowledged in said:
                    await acknowledged
                self._finished(fetched)
                self._room.release()
            self._task = None
        except Exception as error:
            self._fail(error)
