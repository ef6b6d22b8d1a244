"""How far the consumer groups of an instance are behind: records that are on their topics and not yet committed.

As with Kafka's own metric `records-lag-max`, what counts is the partition that is furthest behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import TopicPartition

from streams.admin import admin
from streams.reader import consumer

_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Lag:
    """One look at all groups."""

    #: By group, the records of each partition that it has not committed.
    behind: Mapping[str, Sequence[int]]

    @property
    def total(self) -> int:
        return sum(map(sum, self.behind.values()))

    @property
    def worst(self) -> int:
        """Of the partition that is furthest behind."""
        return max((each for partitions in self.behind.values() for each in partitions), default=0)

    @property
    def furthest(self) -> str | None:
        """The group that has this partition; None when nobody is behind."""
        return max(self.behind, key=lambda group: max(self.behind[group], default=0)) if self.worst else None


Look = Callable[[], Awaitable[Lag]]


@asynccontextmanager
async def watching(bootstrap: str) -> AsyncIterator[Look]:
    """What looks at the lag, over connections that stay open: a look costs a request a group and one more."""
    async with admin(bootstrap) as client:
        reader = consumer(bootstrap)
        await reader.start()
        groups = [name for name, _ in await client.list_consumer_groups()]

        async def look() -> Lag:
            # Ends after commits, as Kafka's own tools do: what moves in between counts as lag, never against it.
            committed = await asyncio.gather(*(client.list_consumer_group_offsets(group) for group in groups))
            offsets = [{TopicPartition(*tp): each.offset for tp, each in found.items()} for found in committed]
            ends = await reader.end_offsets(list({tp for found in offsets for tp in found}))
            behind = {
                group: [max(0, ends[tp] - offset) for tp, offset in found.items() if offset >= 0]
                for group, found in zip(groups, offsets, strict=True)
            }
            return Lag(behind)

        try:
            yield look
        finally:
            await reader.stop()


async def settled(look: Look, patience: float) -> bool:
    """Waits until every group has committed everything; whether that was so within `patience` seconds."""
    end = asyncio.get_running_loop().time() + patience
    while (await look()).total:
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(_POLL_S)
    return True
