"""What was passed on and is not on the log yet: the next fetch need not wait for it, its commit must.

A group that waited for each fetch's messages would take one small fetch in each round trip to the broker, and those
behind it would queue.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from streams.processor import Batch
from streams.publisher import Acknowledgement

#: Fetches that may be on their way; beyond it, the next waits.
_UNDERWAY = 16


@dataclass(slots=True, eq=False)
class _Line:
    """Fetches on their way since the last rebalance, and room for so many more."""

    waiting: deque[tuple[Sequence[Batch], list[Acknowledgement]]] = field(default_factory=deque)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_UNDERWAY))
    task: asyncio.Task[None] | None = None


class Finishing:
    """Tells of fetches that all that follows from them is on the log, in the order they came."""

    def __init__(self, finished: Callable[[Sequence[Batch]], None], fail: Callable[[BaseException], object]) -> None:
        self._finished = finished
        self._fail = fail
        self._line = _Line()

    async def add(self, fetched: Sequence[Batch], said: Iterable[Acknowledgement]) -> None:
        """Returns as soon as the next fetch may be handled."""
        line = self._line
        line.waiting.append((fetched, list(dict.fromkeys(said))))
        if line.task is None:
            line.task = asyncio.create_task(self._finish_all(line))
        await line.room.acquire()

    def forget(self) -> None:
        """The partitions were taken: whoever has them next reads again what was not finished."""
        self._line = _Line()

    async def _finish_all(self, line: _Line) -> None:
        try:
            while line.waiting:
                fetched, said = line.waiting.popleft()
                for acknowledged in said:
                    await acknowledged
                if line is self._line:
                    self._finished(fetched)
                line.room.release()
            line.task = None
        except Exception as error:
            self._fail(error)
