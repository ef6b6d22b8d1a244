"""How an owner follows its own changelog, where nobody else writes, and heals what a zombie wrote (design 5.7)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.changelog import Verdict, judge, source_header, source_of
from streams.lease import Lease, LeaseLost
from streams.local import Row
from streams.publisher import Publisher, Record
from streams.reader import Raw, consumer, read_to_end
from streams.rows import Partition

logger = logging.getLogger(__name__)
#: Between two looks at where the changelogs end, in seconds.
_PERIOD_S = 0.5


class Healer:
    """Puts rows again whose last record on the changelog is staler than what this worker holds."""

    def __init__(self, rows_topic: str, publisher: Publisher, lease: Lease) -> None:
        self._rows_topic = rows_topic
        self._publisher = publisher
        self._lease = lease

    async def guard(self, partition: Partition, record: Raw) -> None:
        """Judges one changelog record of an owned partition.

        Raises:
            LeaseLost: somebody else decides here.
        """
        key, source = (record.key or b"").decode(), source_of(record.headers)
        if source > partition.decided:
            raise LeaseLost(f"{self._rows_topic}/{partition.number} has {key!r} decided at {source} by somebody else")
        if partition.working.is_pending(key):
            return  # its newer record is on the way
        verdict = judge(
            partition.held(key),
            source=source,
            at=record.offset,
            deletes=record.value is None,
            known_through=partition.position,
        )
        if verdict is Verdict.STALE:
            logger.warning("%s/%s: a stale %r at %s is put again", record.topic, record.partition, key, record.offset)
            await self.put_again(partition, key)

    async def put_again(self, partition: Partition, key: str) -> None:
        await self._lease.hold()
        held = partition.held(key) or Row(None, partition.position, -1)
        record = Record(key.encode(), held.payload, (source_header(held.source),))
        at = await self._publisher.send_atomic(self._rows_topic, partition.number, [record])
        partition.wrote(at, at + 1)
        if not partition.working.is_pending(key):
            partition.store({key: Row(held.payload, held.source, at)}, partition.local.changelog_next)


class Follower:
    """Follows the changelogs of owned partitions from their ends: only what this worker did not write itself is read.

    All it wrote passes by unread, which is nearly always everything.
    """

    def __init__(self, bootstrap: str, healer: Healer, fail: Callable[[BaseException], object]) -> None:
        self._bootstrap = bootstrap
        self._healer = healer
        self._fail = fail
        self._task: asyncio.Task[None] | None = None
        self._ending = False

    def start(self, owned: Mapping[TopicPartition, Partition]) -> None:
        """Follows these partitions from what is applied of each on."""
        self._ending = False
        self._task = asyncio.create_task(self._follow(owned), name="follow changelogs")

    async def stop(self) -> None:
        if self._task is not None:
            self._ending = True  # should the cancellation get lost in a library, this is not
            self._task.cancel()
            # Not `await`: its cancellation must not be taken for ours, nor ours for its.
            await asyncio.wait([self._task])
            self._task = None

    async def _follow(self, owned: Mapping[TopicPartition, Partition]) -> None:
        reader = consumer(self._bootstrap)
        try:
            await reader.start()
            reader.assign(list(owned))
            reader.pause(*owned)
            while not self._ending:
                seen = await _ends(reader, owned)
                await asyncio.sleep(_PERIOD_S)  # until then, what this worker had on its way is acknowledged
                for tp, end in seen.items():
                    await self._judge(reader, owned[tp], tp, end)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._fail(error)
        finally:
            await stopped(reader)

    async def _judge(self, reader: AIOKafkaConsumer, partition: Partition, tp: TopicPartition, end: int) -> None:
        start = partition.local.changelog_next
        if start < end and partition.not_own(start, end - 1):
            reader.seek(tp, start)
            reader.resume(tp)
            async for _, records in read_to_end(reader, [tp], {tp: end}):
                for record in records:
                    await self._healer.guard(partition, record)
                end = max(end, records[-1].offset + 1)
            reader.pause(tp)
        partition.local.changelog_next = max(start, end)


async def _ends(reader: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
    """Where the partitions end; nothing while Kafka does not say."""
    try:
        ends: Mapping[TopicPartition, int] = await reader.end_offsets(list(partitions))
    except KafkaError:
        return {}
    return ends


async def stopped(reader: AIOKafkaConsumer | None) -> None:
    """Stops a consumer that may never have had an assignment."""
    if reader is not None:
        # In a task: a consumer without an assignment raises CancelledError, which is not ours.
        await asyncio.wait([asyncio.create_task(reader.stop())])
