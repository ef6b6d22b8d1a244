"""What is durable is committed: only what is new and ours, and before the interval where it is much."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from faust.types import TP

from streams.measures import Underway
from streams.transport import Consumer

ONE, TWO, LOST = TP("inbox", 0), TP("inbox", 1), TP("inbox", 2)


class Committing(Consumer):
    """Our consumer without a broker: what it would commit is written down."""

    def __init__(self) -> None:
        self._durable: dict[TP, int] = {}
        self._committed: dict[TP, int] = {}
        self._early: asyncio.Task[None] | None = None
        self._underway = Underway("group")
        self._acked, self._acked_index = defaultdict(list), defaultdict(set)
        self.commits: list[Mapping[TP, int]] = []
        self.accepts = True
        self.stops = False

    @property
    def should_stop(self) -> bool:
        return self.stops

    async def early(self) -> bool:
        """Whether a commit before the interval was under way; over now."""
        early = self._early
        if early is not None:
            await early
        return early is not None

    def assignment(self) -> set[TP]:
        return {ONE, TWO}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        self.commits.append(offsets)
        return self.accepts

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        return await self.force_commit(topics)


async def test_only_what_is_new_and_assigned_is_committed() -> None:
    consumer = Committing()
    consumer.done_below(ONE, 5)
    consumer.done_below(LOST, 9)
    assert await consumer.force_commit()
    assert not await consumer.force_commit()
    consumer.done_below(ONE, 6)
    consumer.done_below(TWO, 1)
    assert await consumer.force_commit({TWO})
    assert await consumer.force_commit({"inbox"})
    assert consumer.commits == [{ONE: 5}, {TWO: 1}, {ONE: 6}]


async def test_what_was_refused_is_committed_again() -> None:
    consumer = Committing()
    consumer.done_below(ONE, 5)
    consumer.accepts = False
    assert not await consumer.force_commit()
    consumer.accepts = True
    assert await consumer.force_commit()
    assert consumer.commits == [{ONE: 5}, {ONE: 5}]


async def test_much_is_committed_soon_and_a_little_waits() -> None:
    consumer = Committing()
    consumer.done_below(ONE, 1)
    consumer.done_below(TWO, 1)
    consumer.done_below(ONE, 10)
    assert not await consumer.early()
    consumer.done_below(ONE, 40)
    consumer.done_below(ONE, 90)
    assert await consumer.early()
    assert not await consumer.early()
    assert consumer.commits == [{ONE: 90, TWO: 1}]


async def test_nothing_is_committed_early_once_it_stops() -> None:
    consumer = Committing()
    consumer.done_below(ONE, 1)
    consumer.done_below(ONE, 90)
    consumer.stops = True
    assert await consumer.early()
    assert consumer.commits == []
