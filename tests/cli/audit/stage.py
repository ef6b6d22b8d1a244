"""Puts a story on a real Kafka: its topics as they are spelled, its records at the same offsets, its commits, its
ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from cli.audit import names
from cli.audit.facts import Entry
from cli.audit.spelling import Spelling
from tests.cli.audit.writer import PARTITIONS, Writer

_SCHEMA = (
    "CREATE TABLE entries (n INTEGER PRIMARY KEY, at TEXT, kind TEXT, payment TEXT, reference TEXT,"
    " refund_reference TEXT, amount TEXT, currency TEXT, idempotency_key TEXT)"
)


async def play(story: Writer, bootstrap: str, spelling: Spelling) -> None:
    """Creates every topic the story may need and appends its records."""
    named = (*names.CAUSES, *names.CHANGELOGS, *story.dialect.public)
    topics = [spelling.on_broker(name) for name in named]
    dead = [spelling.on_broker(name) + names.DEAD for name in (*names.INBOXES, *story.dialect.public)]
    await _create(bootstrap, topics, dead)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        for record in story.records:
            await producer.send(
                spelling.on_broker(record.topic),
                record.value,
                record.key,
                partition=record.partition,
                timestamp_ms=record.timestamp,
                headers=list(record.headers),
            )
    finally:
        await producer.stop()
    await _commit(story, bootstrap, spelling)


async def _create(bootstrap: str, topics: Iterable[str], dead: Iterable[str]) -> None:
    keep = {"retention.ms": "-1"}  # a story plays when it likes
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        wanted = [NewTopic(name, PARTITIONS, 1, topic_configs=keep) for name in topics]
        await admin.create_topics([*wanted, *(NewTopic(name, 1, 1, topic_configs=keep) for name in dead)])
    finally:
        await admin.close()


async def delete(bootstrap: str, topics: Iterable[str]) -> None:
    """Everything on these topics is forgotten, as retention does it."""
    partitions = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_records({partition: RecordsToDelete(before_offset=-1) for partition in partitions})
    finally:
        await admin.close()


async def _commit(story: Writer, bootstrap: str, spelling: Spelling) -> None:
    committed = {
        TopicPartition(spelling.on_broker(topic), number): offset for (topic, number), offset in story.committed.items()
    }
    gate = spelling.on_broker(story.dialect.gate)
    group = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=gate, enable_auto_commit=False)
    await group.start()
    try:
        group.assign(list(committed))
        await group.commit(committed)
    finally:
        await group.stop()


def write_ledger(entries: Iterable[Entry], data: Path) -> None:
    """The provider's file, as the sandbox leaves it."""
    path = data / "provider" / "ledger.sqlite"
    path.parent.mkdir(parents=True)
    books = sqlite3.connect(path)
    books.execute(_SCHEMA)
    books.executemany(
        "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                entry.n,
                datetime.fromtimestamp(entry.at / 1000, UTC).isoformat(),
                entry.kind,
                entry.payment,
                entry.reference,
                entry.refund_reference,
                str(entry.amount),
                "EUR",
                entry.idempotency_key,
            )
            for entry in entries
        ],
    )
    books.commit()
    books.close()
