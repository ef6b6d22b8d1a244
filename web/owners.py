"""The gateway's way to a row: the worker that owns its partition, asked over loopback, again and again while
ownership moves. What no owner says within the patience is `OwnerUnavailable`, never a guess."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import ClientSession

from streams.events.control import WorkerOwns
from streams.keys import partition_of
from web.link import LinkDown, Links
from web.ports import Follows

TOKEN_HEADER = "X-Vacancy-Internal"
#: A single question waits no longer than this at one owner; then the owner is looked up again.
LONGEST_ASK_S = 5.0
#: What an answer may take beyond the wait it was asked for.
_GRACE_S = 2.0
_PAUSES_S = (0.02, 0.05, 0.1, 0.2, 0.4)

logger = logging.getLogger("vacancy.gateway")


class OwnerUnavailable(Exception):
    """No owner of the partition answered in time; asking again is safe."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An owner's answer: 200 with the row's JSON, or 404."""

    found: bool
    body: bytes


class Asks(Protocol):
    """Asks the owner of a key's partition, or of a partition by its number."""

    async def ask(
        self, service: str, key: str | int, path: str, query: Mapping[str, str] | None = None, *, wait: float = 0.0
    ) -> Answer: ...


class Owners:
    """`http` is shared and keeps its connections; `partitions` is the count every inbox has."""

    def __init__(
        self, http: ClientSession, workers: Follows[WorkerOwns], *, partitions: int, token: str, patience: float
    ) -> None:
        self._links = Links(http, {TOKEN_HEADER: token})
        self._workers = workers
        self._partitions = partitions
        self._patience = patience

    async def ask(
        self, service: str, key: str | int, path: str, query: Mapping[str, str] | None = None, *, wait: float = 0.0
    ) -> Answer:
        """The answer of the owner of `key` (a number is a partition's) to `GET path`. `wait` (s) is what the question
        itself may take there.

        Raises:
            OwnerUnavailable: nobody who owns the partition answered within the patience.
        """
        claim = f"{service}/{key if isinstance(key, int) else partition_of(key, self._partitions)}"
        give_up = time.monotonic() + self._patience + wait
        for pause in _pauses():
            owner = self._workers.get(claim)
            if owner is not None:
                answer = await self._once(owner.url, path, query or {}, wait)
                if answer is not None:
                    return answer
            if time.monotonic() + pause >= give_up:
                break
            await asyncio.sleep(pause)
        raise OwnerUnavailable(claim)

    async def close(self) -> None:
        await self._links.close()

    async def _once(self, url: str, path: str, query: Mapping[str, str], wait: float) -> Answer | None:
        """One question; None when this worker cannot answer (gone, not the owner, or still recovering)."""
        try:
            status, body = await self._links.ask(url, path, query, wait + _GRACE_S)
        except (LinkDown, TimeoutError):
            return None
        if status in (200, 404):
            return Answer(status == 200, body)
        if status not in (421, 503):
            logger.warning("%s%s answered %s", url, path, status)
        return None


def _pauses() -> Iterator[float]:
    yield from _PAUSES_S
    yield from itertools.repeat(_PAUSES_S[-1])
