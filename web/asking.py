"""What a gateway asks a worker, and how it waits for what it is to be told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from urllib.parse import unquote

from streams.rows import NotOwner, RowStore

#: The longest a reader may wait here in one question, in seconds.
LONGEST_WAIT_S = 10.0
#: How many rows one answer has at most.
MOST_ROWS = 1000
#: How long a row that is not there may take to be known not to be there.
_CATCH_UP_S = 1.5

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, whether it came as a request or over a link: the parts of its path after /rows, and its query."""

    path: tuple[str, ...]
    query: Mapping[str, str]

    @classmethod
    def of(cls, path: str, query: Mapping[str, str]) -> Asked:
        """`path` is quoted: a key may have slashes of its own."""
        return cls(tuple(unquote(part) for part in path.split("/")[2:]), query)

    @property
    def after(self) -> int | None:
        """The inbox offset to be passed first."""
        given = self.query.get("after")
        return int(given) if given is not None else None

    @property
    def at(self) -> datetime | None:
        given = self.query.get("at")
        return datetime.fromisoformat(given) if given is not None else None

    @property
    def wait(self) -> float:
        """Seconds the answer may take."""
        return min(max(float(self.query.get("wait", "0")), 0.0), LONGEST_WAIT_S)

    @property
    def limit(self) -> int:
        """How many rows are wanted."""
        return min(max(int(self.query.get("limit", MOST_ROWS)), 1), MOST_ROWS)


@dataclass(frozen=True, slots=True)
class Read(Generic[R]):
    """Something to be read of one partition. What is empty counts as missing."""

    store: RowStore
    partition: int
    read: Callable[[], R | None]

    async def present(self, after: int | None, wait: float) -> R | None:
        """What is there once the inbox has passed offset `after`; without it, a miss waits for the inbox's end."""
        if after is not None:
            await self.store.passed(self.partition, wait or _CATCH_UP_S, after)
            return self._owned()
        return self._owned() or await self.final()

    async def final(self) -> R | None:
        """What is there once everything is decided that was in the inbox at the call."""
        await self.store.passed(self.partition, _CATCH_UP_S)
        return self._owned()

    async def until(self, key: str, done: Callable[[R], bool], found: R, wait: float) -> R:
        """As soon as it is `done`, looking at every change of the row `key`, or as it stands after `wait` seconds."""
        end = time.monotonic() + wait
        while not done(found) and (left := end - time.monotonic()) > 0:
            try:
                await self.store.changed(self.partition, key, left)
            except TimeoutError:
                break
            found = self._owned() or found
        return found

    def _owned(self) -> R | None:
        if not self.store.owns(self.partition):
            raise NotOwner(f"{self.store.service}/{self.partition}")
        return self.read()
