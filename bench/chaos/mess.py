"""Faults of what is on the log: records that are no messages of ours, and messages that come again."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from bench.chaos.faults import Blow
from bench.chaos.stage import Stage
from cli.audit import names
from streams.layout import load_layout

_LARGE = 1_000_000
_INBOXES = tuple(f"vacancy.{service}.inbox" for service in names.CORE)
_WITHIN = 10.0


@dataclass(frozen=True)
class Poison:
    """Bytes that nobody can use, onto inboxes and onto the document's topics, among what is good."""

    rounds: int = 4
    takes: float = 1.0
    rests: float = 4.0
    name: str = "poison"

    def missing(self, stage: Stage) -> str:
        return ""

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        layout = load_layout(stage.instance.layout)
        inboxes = [topic for topic in layout.all_topics if topic.name.endswith(".inbox")]
        sent = 0
        async with _producer(stage) as producer:
            for topic in (*inboxes, *layout.topics.values()):
                for _ in range(self.rounds):
                    for key, value in poison(choose):
                        partition = choose.randrange(topic.partitions)
                        await producer.send(topic.name, value, key, partition)
                        sent += 1
            large = choose.choice(inboxes)
            await producer.send(large.name, choose.randbytes(_LARGE), b"large", choose.randrange(large.partitions))
            await producer.flush()
        return Blow(f"{sent + 1} records", time.monotonic())


@dataclass(frozen=True)
class Again:
    """The latest records of the inboxes are appended once more, and in another order: at least once is what Kafka
    promises."""

    most: int = 40
    takes: float = 1.0
    rests: float = 4.0
    name: str = "records again, shuffled"

    def missing(self, stage: Stage) -> str:
        return ""

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        async with _producer(stage) as producer:
            records = await _latest(stage.instance.bootstrap, self.most)
            choose.shuffle(records)
            for record in records:
                headers = list(record.headers)
                await producer.send(record.topic, record.value, record.key, record.partition, headers=headers)
            await producer.flush()
        return Blow(f"{len(records)} records", time.monotonic())


def poison(choose: random.Random) -> Sequence[tuple[bytes | None, bytes | None]]:
    """One of each kind: random bytes, cut JSON, deep nesting, wrong types, no value, no key."""
    key = choose.randbytes(8)
    return (
        (key, choose.randbytes(choose.randrange(1, 300))),
        (b"b-cut", b'{"event_id":"0190b3c8-0000-7000-8000-000000000000","event_type":"booking.bo'),
        (b"b-deep", b'{"data":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
        (b"b-types", b'{"event_id":17,"event_type":["booking"],"data":"none","occurred_at":{}}'),
        (b"b-null", None),
        (None, b"{}"),
    )


@contextlib.asynccontextmanager
async def _producer(stage: Stage) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=stage.instance.bootstrap, acks="all", max_request_size=2 * _LARGE)
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()


async def _latest(bootstrap: str, most: int) -> list[ConsumerRecord]:
    """The last records of every partition of the inboxes that every booking passes."""
    consumer = AIOKafkaConsumer(*_INBOXES, bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await consumer.start()
        parts = [TopicPartition(topic, n) for topic in _INBOXES for n in consumer.partitions_for_topic(topic) or ()]
        consumer.unsubscribe()
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        begins = await consumer.beginning_offsets(parts)
        for tp in parts:
            consumer.seek(tp, max(begins[tp], ends[tp] - most))
        found: list[ConsumerRecord] = []
        async with asyncio.timeout(_WITHIN):
            while any([await consumer.position(tp) < ends[tp] for tp in parts]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        return found
    finally:
        await consumer.stop()
