"""How rows come back (design 5.7).

On assignment the changelog is read from where the local rows left off to its end, the highest decision of each row
winning; after that the owner follows its own changelog (`streams.following`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.changelog import Verdict, judge, source_of
from streams.deciding import checksum
from streams.following import Follower, Healer, stopped
from streams.lease import Lease
from streams.local import Row, StoreBroken
from streams.measures import Recovery
from streams.publisher import Publisher
from streams.reader import Raw, consumer, first_records, read_to_end
from streams.rows import Partition, RowStore
from streams.services import Service

logger = logging.getLogger(__name__)
#: Rows gathered before they are written while restoring.
_CHUNK = 2_000
#: No record for so many seconds, though the changelog has more and Kafka answers: this restore will not end.
STUCK_S = 120.0
_ANSWER_S = 10.0


class TopicRecreatedError(Exception):
    """The inbox is not the one the rows were decided from."""


class StoreAhead(StoreBroken):
    """The rows stored here are ahead of the changelog, which lost its end: what the log says counts (design 5.3)."""


class RestoreStuck(StoreBroken):
    """The changelog has more than what is stored here, and nothing comes of it."""


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
        self._healer = Healer(service.rows, publisher, lease)
        self._reader: AIOKafkaConsumer | None = None
        self._follower = Follower(bootstrap, self._healer, fail)
        self._progress = Recovery(service.name)
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
        await self._follower.stop()
        self._store.withdraw()
        self._store.release(partitions)
        if not partitions:
            # Not assigned for nothing: a consumer that loses its assignment at once never fetches again.
            return generation == self._generation
        reader = await self._started()
        owned = {self._changelog(number): self._store.open(number) for number in sorted(partitions)}
        reader.assign(list(owned))
        await self._seek(reader, owned)
        returning = {tp: Returning(partition) for tp, partition in owned.items()}
        async for tp, records in _patiently(reader, list(owned)):
            self._progress.read(tp.partition, records)
            for start in range(0, len(records), _CHUNK):
                returning[tp].take(records[start : start + _CHUNK])
        await self._verify(list(owned.values()))
        for tp, partition in owned.items():
            partition.restored()
            for key in returning[tp].stale:
                await self._healer.put_again(partition, key)
        if generation != self._generation:
            return False
        for partition in owned.values():
            self._store.ready(partition.number)
        reader.unsubscribe()
        self._follower.start(owned)
        return True

    async def stop(self) -> None:
        await self._follower.stop()
        await stopped(self._reader)
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
            if start > ends[tp] and await self._is_shorter(tp, begins[tp], ends[tp], partition):
                raise StoreAhead(
                    f"{tp.topic}/{tp.partition} ends at {ends[tp]}, the rows here were stored up to {start}"
                )
            if start > ends[tp]:
                raise TopicRecreatedError(
                    f"{tp.topic}/{tp.partition} ends at {ends[tp]}, but the rows here were stored up to {start}: the "
                    "changelog was re-created; stop the instance, remove this worker's state directory, start again"
                )
            self._progress.begins(tp.partition, max(start, begins[tp]), ends[tp])
            reader.seek(tp, max(start, begins[tp]))

    async def _is_shorter(self, tp: TopicPartition, begin: int, end: int, partition: Partition) -> bool:
        """Whether a changelog that ends too early is the one the rows are of, without its end, and not another."""
        found = await first_records(self._bootstrap, {tp: end - 1}) if end > begin else {}
        return tp in found and source_of(found[tp].headers) <= partition.position

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

    def _changelog(self, number: int) -> TopicPartition:
        return TopicPartition(self._service.rows, number)


async def _patiently(
    reader: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> AsyncIterator[tuple[TopicPartition, list[Raw]]]:
    """As `read_to_end`, waiting for a broker that is away. Raises RestoreStuck while it is not, and nothing comes."""
    while True:
        reading = read_to_end(reader, partitions)
        try:
            while True:
                async with asyncio.timeout(STUCK_S):
                    found = await anext(reading, None)
                if found is None:
                    return
                yield found
        except TimeoutError:
            if await _answers(reader, partitions):
                raise RestoreStuck(f"no record of {partitions[0].topic} for {STUCK_S:.0f} s") from None


async def _answers(reader: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> bool:
    try:
        async with asyncio.timeout(_ANSWER_S):
            await reader.end_offsets(list(partitions))
    except (KafkaError, TimeoutError):
        return False
    return True


class Returning:
    """One partition's rows while they come back from its changelog, in the changelog's order."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        #: Up to here every row that still exists is held, so that one not held was deleted.
        self._known_through = partition.position
        #: The latest decision whose rows are held; None where that is not known.
        self._newest = -1 if partition.local.changelog_next == 0 else None
        #: The rows whose last record on the changelog is older than what is held.
        self.stale: set[str] = set()

    def take(self, records: Sequence[Raw]) -> None:
        """Applies consecutive changelog records to the local rows."""
        rows: dict[str, Row] = {}
        for record in records:
            key, source = (record.key or b"").decode(), source_of(record.headers)
            verdict = self._verdict(rows, key, source, record)
            if verdict is Verdict.APPLY:
                rows[key] = Row(record.value, source, record.offset)
                self.stale.discard(key)
            elif verdict is Verdict.STALE:
                self.stale.add(key)
        self._partition.store(rows, records[-1].offset + 1)

    def _verdict(self, rows: dict[str, Row], key: str, source: int, record: Raw) -> Verdict:
        if self._newest is not None and source >= self._newest and source > self._known_through:
            self._newest = source  # whatever is held of this row is no newer: a million look-ups are not made
            return Verdict.APPLY
        return judge(
            rows.get(key) or self._partition.held(key),
            source=source,
            at=record.offset,
            deletes=record.value is None,
            known_through=self._known_through,
        )
