"""Reading the log beside Faust: ends, single records, and partitions from an offset to their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition


class Raw(Protocol):
    """A record as aiokafka hands it over; `timestamp` in milliseconds."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


def consumer(bootstrap: str, *, max_poll_records: int = 5_000) -> AIOKafkaConsumer:
    """A consumer without a group: it commits nothing and shares nothing."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        max_poll_records=max_poll_records,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_wait_ms=200,
    )


async def first_records(bootstrap: str, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, Raw]:
    """The first record at or after each offset; a partition that ends before it is missing from the answer."""
    if not offsets:
        return {}
    reader = consumer(bootstrap, max_poll_records=100)
    await reader.start()
    try:
        # A consumer that never had an assignment raises when it is stopped.
        reader.assign(list(offsets))
        begins = await reader.beginning_offsets(list(offsets))
        ends = await reader.end_offsets(list(offsets))
        wanted = {tp: max(offset, begins[tp]) for tp, offset in offsets.items() if max(offset, begins[tp]) < ends[tp]}
        # Paused, not assigned anew: a consumer that is stopped soon after a second assignment may never end.
        reader.pause(*(tp for tp in offsets if tp not in wanted))
        for tp, offset in wanted.items():
            reader.seek(tp, offset)
        found: dict[TopicPartition, Raw] = {}
        while len(found) < len(wanted):
            for tp, records in (await reader.getmany(timeout_ms=200)).items():
                found.setdefault(tp, records[0])
        return found
    finally:
        await reader.stop()


async def read_to_end(
    reader: AIOKafkaConsumer, partitions: Sequence[TopicPartition], ends: Mapping[TopicPartition, int] | None = None
) -> AsyncIterator[tuple[TopicPartition, list[Raw]]]:
    """What stands between the reader's positions and the partitions' ends as of this call, or the given ends.

    The last records of a partition may stand beyond a given end.
    """
    if ends is None:
        ends = await reader.end_offsets(list(partitions))
    left = set(partitions)
    while left:
        for tp in list(left):
            if await reader.position(tp) >= ends[tp]:
                left.discard(tp)
        if left:
            for tp, records in (await reader.getmany(*left, timeout_ms=200)).items():
                yield tp, records
            await asyncio.sleep(0)
