"""The one broker all systems share, as the bench sees it from outside: topics made and removed, filled, and watched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.producer.message_accumulator import BatchBuilder

from bench.micro.envelopes import Placed
from bench.micro.load import PARTITIONS, Load, value_of
from bench.parts import CannotMeasure
from streams import ports
from streams.broker import BrokerFailed, EmbeddedBroker
from streams.java import JavaMissing
from streams.kafka_files import KafkaMissing
from streams.publisher import Record

_BATCH_BYTES = 900 * 1024
#: Deleted topics give their disk space back after so long; by default after a minute, by which time others need it.
_DELETE_DELAY_MS = "1000"
_CREATED = (0, 36)


class Ends:
    """Where topics end, for one run: a consumer keeps asking for every topic it was ever asked about."""

    def __init__(self, bootstrap: str) -> None:
        self._appended = AIOKafkaConsumer(bootstrap_servers=bootstrap)
        self._committed = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")

    async def __aenter__(self) -> Ends:
        await self._appended.start()
        await self._committed.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._committed.stop()
        await self._appended.stop()

    async def appended(self, topic: str) -> int:
        """Records and transaction marks on a topic, committed or not."""
        return await _end(self._appended, topic)

    async def committed(self, topic: str) -> int:
        """The same of what a reader of committed records may read: up to the last stable offsets."""
        return await _end(self._committed, topic)


class Kafka:
    """A running broker and its administrator."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker
        self.bootstrap = broker.bootstrap
        self._admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)

    @property
    def pid(self) -> int:
        pid = self._broker.pid
        if pid is None:
            raise CannotMeasure("Kafka ended while it was measured")
        return pid

    async def start(self) -> None:
        await self._admin.start()

    async def stop(self) -> None:
        await self._admin.close()

    async def create(self, topics: Iterable[NewTopic | str]) -> None:
        wanted = [NewTopic(each, PARTITIONS, 1) if isinstance(each, str) else each for each in topics]
        for topic in wanted:
            topic.topic_configs["file.delete.delay.ms"] = _DELETE_DELAY_MS
        answer = await self._admin.create_topics(wanted)
        for name, code, *_ in answer.topic_errors:
            if code not in _CREATED:
                raise CannotMeasure(f"{name} was not created: Kafka error {code}")

    async def remove(self, part: str) -> None:
        """Deletes every topic with this in its name: those that a system made for itself too."""
        names = [name for name in await self._admin.list_topics() if part in name]
        if names:
            await self._admin.delete_topics(names)

    async def done(self, group: str, topic: str) -> int:
        """The sum of a group's committed offsets on a topic."""
        offsets = await self._admin.list_consumer_group_offsets(group)
        return sum(max(0, found.offset) for tp, found in offsets.items() if tp.topic == topic)

    async def fill(self, records: Iterable[Placed]) -> None:
        """Writes records as fast as they come, one batch of a partition after the other."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", max_batch_size=2 * _BATCH_BYTES)
        await producer.start()
        try:
            for topic, partition, batch in _batches(records, producer.create_batch):
                await (await producer.send_batch(batch, topic, partition=partition))
        finally:
            await producer.stop()

    async def read(self, topic: str, wanted: int) -> AsyncIterator[list[bytes]]:
        """The values of a topic's committed records: until there are so many, or the topic ends."""
        reader = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            max_poll_records=10_000,
        )
        await reader.start()
        try:
            partitions = _partitions(topic)
            reader.assign(partitions)
            ends, seen = await reader.end_offsets(partitions), 0
            while any([await reader.position(tp) < ends[tp] for tp in partitions]):
                for records in (await reader.getmany(timeout_ms=1_000)).values():
                    seen += len(records)
                    yield [record.value for record in records]
                if seen > wanted:
                    return
        finally:
            await reader.stop()


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[Kafka]:
    """A fresh embedded broker, gone afterwards."""
    broker = EmbeddedBroker(data, port=ports.any_free())
    try:
        await broker.start()
    except (BrokerFailed, JavaMissing, KafkaMissing) as error:
        raise CannotMeasure(str(error)) from error
    kafka = Kafka(broker)
    try:
        await kafka.start()
        try:
            yield kafka
        finally:
            await kafka.stop()
    finally:
        await broker.stop()


def lean(topic: str, load: Load) -> Iterator[Placed]:
    """A load as the records of the shared input."""
    for booking in load.bookings():
        yield topic, booking.partition, Record(booking.booking_id.encode(), value_of(booking))


def _batches(records: Iterable[Placed], create: Callable[[], BatchBuilder]) -> Iterator[tuple[str, int, BatchBuilder]]:
    open_batches: dict[tuple[str, int], BatchBuilder] = {}
    sizes: defaultdict[tuple[str, int], int] = defaultdict(int)
    for topic, partition, record in records:
        target = topic, partition
        batch = open_batches.get(target)
        if batch is None:
            batch = open_batches[target] = create()
        batch.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers))
        sizes[target] += len(record.value or b"") + sum(len(value) for _, value in record.headers) + 100
        if sizes[target] > _BATCH_BYTES:
            yield *target, open_batches.pop(target)
            del sizes[target]
    for target, batch in open_batches.items():
        yield *target, batch


async def _end(observer: AIOKafkaConsumer, topic: str) -> int:
    return sum((await observer.end_offsets(_partitions(topic))).values())


def _partitions(topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(PARTITIONS)]
