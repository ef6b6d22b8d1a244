"""How rows come back, and how a zombie's late records are healed (design 5.7).

On assignment the changelog is read from where the local rows left off to its end, the highest decision of each row
winning; after that the owner follows its own changelog and puts again whatever is staler than what it holds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.changelog import Verdict, judge, source_header, source_of
from streams.deciding import checksum
from streams.lease import Lease, LeaseLost
from streams.local import Row
from streams.publisher import Publisher, Record
from streams.reader import Raw, consumer, first_records, read_to_end
from streams.rows import Partition, RowStore
from streams.services import Service

logger = logging.getLogger(__name__)
#: Rows gathered before they are written while restoring.
_CHUNK = 2_000


class TopicRecreatedError(Exception):
    """The inbox is not the one the rows were decided from."""


class Restorer:
    """Restores and guards the rows of one service in this worker."""

    def __init__(
        self,
        bootstrap: str,
        service: Service,
        store: RowStore,
        publisher: Publisher,
        lease: Lease,
        fail: Callable[[BaseException], object],
    ) -> None:
        self._bootstrap = bootstrap
        self._service = service
        self._store = store
        self._publisher = publisher
        self._lease = lease
        self._fail = fail
        self._reader: AIOKafkaConsumer | None = None
        self._follower: AIOKafkaConsumer | None = None
        self._following: asyncio.Task[None] | None = None
        self._generation = 0
        self._one_at_a_time = asyncio.Lock()
        store.end_of_inbox = self.end_of_inbox

    def interrupt(self) -> None:
        """A rebalance has begun: a restore under way must not declare anything ready any more."""
        self._generation += 1

    async def restore(self, partitions: set[int]) -> bool:
        """Opens the partitions' rows as the changelog has them and makes them ready; all others are closed.

        Returns whether they are ready: False if another rebalance began meanwhile.
        """
        self._generation += 1
        generation = self._generation
        async with self._one_at_a_time:
            return generation == self._generation and await self._restore(partitions, generation)

    async def _restore(self, partitions: set[int], generation: int) -> bool:
        await self._stop_following()
        self._store.withdraw()
        self._store.release(partitions)
        if not partitions:
            return True  # not assigned for nothing: a consumer that loses its assignment at once never fetches again
        reader = await self._started()
        owned = {self._changelog(number): self._store.open(number) for number in sorted(partitions)}
        reader.assign(list(owned))
        await self._seek(reader, owned)
        stale: dict[TopicPartition, set[str]] = {tp: set() for tp in owned}
        known = {tp: partition.position for tp, partition in owned.items()}
        async for tp, records in read_to_end(reader, list(owned)):
            for start in range(0, len(records), _CHUNK):
                restore_chunk(owned[tp], records[start : start + _CHUNK], known[tp], stale[tp])
        await self._verify(list(owned.values()))
        for tp, partition in owned.items():
            partition.restored()
            for key in stale[tp]:
                await self._put_again(partition, key)
        if generation != self._generation:
            return False
        for partition in owned.values():
            self._store.ready(partition.number)
        reader.unsubscribe()
        self._following = asyncio.create_task(self._follow(owned), name=f"follow {self._service.rows}")
        return True

    async def stop(self) -> None:
        await self._stop_following()
        await _stopped(self._reader)
        self._store.close()

    async def end_of_inbox(self, partition: int) -> int:
        """The offset the next record of an inbox partition will get. Raises TimeoutError while Kafka does not say."""
        tp = TopicPartition(self._service.inbox, partition)
        try:
            return int((await (await self._started()).end_offsets([tp]))[tp])
        except KafkaError as error:
            raise TimeoutError(str(error)) from error

    async def next_on_log(self, partition: int, offset: int) -> int | None:
        """The offset of the first record of an inbox partition at or after `offset`."""
        tp = TopicPartition(self._service.inbox, partition)
        found = await first_records(self._bootstrap, {tp: offset})
        return int(found[tp].offset) if tp in found else None

    async def _started(self) -> AIOKafkaConsumer:
        if self._reader is None:
            self._reader = consumer(self._bootstrap)
            await self._reader.start()
        return self._reader

    async def _seek(self, reader: AIOKafkaConsumer, owned: dict[TopicPartition, Partition]) -> None:
        begins, ends = await reader.beginning_offsets(list(owned)), await reader.end_offsets(list(owned))
        for tp, partition in owned.items():
            start = partition.local.changelog_next
            if start > ends[tp]:
                raise TopicRecreatedError(
                    f"{tp.topic}/{tp.partition} ends at {ends[tp]}, but the rows here were stored up to {start}: the "
                    "changelog was re-created; stop the instance, remove this worker's state directory, start again"
                )
            reader.seek(tp, max(start, begins[tp]))

    async def _verify(self, partitions: list[Partition]) -> None:
        """The record each position stands on is still the one that was decided."""
        positions = {
            TopicPartition(self._service.inbox, each.number): each.local.position
            for each in partitions
            if each.local.position is not None
        }
        found = await first_records(self._bootstrap, {tp: at.offset for tp, at in positions.items() if at is not None})
        for tp, position in positions.items():
            assert position is not None
            record = found.get(tp)
            # Retention may have taken the record itself away, but never everything after it and more.
            trimmed = record is not None and record.offset > position.offset
            same = record is not None and (record.timestamp, checksum(record.value)) == (
                position.timestamp,
                position.checksum,
            )
            if not (same or trimmed):
                raise TopicRecreatedError(
                    f"{tp.topic}/{tp.partition} has another record at {position.offset} than the one decided there: "
                    "the inbox was re-created; its rows belong to the old one"
                )

    async def _follow(self, owned: dict[TopicPartition, Partition]) -> None:
        try:
            reader = self._follower = consumer(self._bootstrap, patient=True)
            await reader.start()
            reader.assign(list(owned))
            for tp, partition in owned.items():
                reader.seek(tp, partition.local.changelog_next)
            while True:
                for tp, records in (await reader.getmany(timeout_ms=1_000)).items():
                    if owned[tp].not_own(records[0].offset, records[-1].offset):
                        for record in records:
                            await self._guard(owned[tp], record)
                    owned[tp].local.changelog_next = records[-1].offset + 1
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._fail(error)

    async def _guard(self, partition: Partition, record: Raw) -> None:
        key, source = (record.key or b"").decode(), source_of(record.headers)
        if source > partition.decided:
            raise LeaseLost(f"{self._service.rows}/{partition.number} has {key!r} decided at {source} by somebody else")
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
            await self._put_again(partition, key)

    async def _put_again(self, partition: Partition, key: str) -> None:
        await self._lease.hold()
        held = partition.held(key) or Row(None, partition.position, -1)
        record = Record(key.encode(), held.payload, (source_header(held.source),))
        at = await self._publisher.send_atomic(self._service.rows, partition.number, [record])
        partition.wrote(at, at + 1)
        if not partition.working.is_pending(key):
            partition.store({key: Row(held.payload, held.source, at)}, partition.local.changelog_next)

    async def _stop_following(self) -> None:
        if self._following is not None:
            self._following.cancel()
            # Not `await`: its cancellation must not be taken for ours, nor ours for its.
            await asyncio.wait([self._following])
            self._following = None
        await _stopped(self._follower)
        self._follower = None

    def _changelog(self, number: int) -> TopicPartition:
        return TopicPartition(self._service.rows, number)


async def _stopped(reader: AIOKafkaConsumer | None) -> None:
    if reader is not None:
        # In a task: a consumer without an assignment raises CancelledError, which is not ours.
        await asyncio.wait([asyncio.create_task(reader.stop())])


def restore_chunk(partition: Partition, records: Sequence[Raw], known_through: int, stale: set[str]) -> None:
    """Applies consecutive changelog records to the local rows; `stale` gathers the keys whose last record is old."""
    rows: dict[str, Row] = {}
    for record in records:
        key, source = (record.key or b"").decode(), source_of(record.headers)
        verdict = judge(
            rows.get(key) or partition.held(key),
            source=source,
            at=record.offset,
            deletes=record.value is None,
            known_through=known_through,
        )
        if verdict is Verdict.APPLY:
            rows[key] = Row(record.value, source, record.offset)
            stale.discard(key)
        elif verdict is Verdict.STALE:
            stale.add(key)
    partition.store(rows, records[-1].offset + 1)
