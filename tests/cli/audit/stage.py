"""Puts a story on a real Kafka: its topics under a prefix, its records at the same offsets, its commits, its ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from cli.audit import names
from cli.audit.facts import Entry
from tests.cli.audit.writer import PARTITIONS, Writer

_SCHEMA = (
    "CREATE TABLE entries (n INTEGER PRIMARY KEY, at TEXT, kind TEXT, payment TEXT, reference TEXT,"
    " refund_reference TEXT, amount TEXT, currency TEXT, idempotency_key TEXT)"
)


async def play(story: Writer, bootstrap: str, prefix: str) -> None:
    """Creates every topic the story may need and appends its records."""
    topics = [prefix + name for name in (*names.CAUSES, *names.CHANGELOGS, *names.PUBLIC)]
    dead = [prefix + name + names.DEAD for name in names.INBOXES]
    await _create(bootstrap, topics, dead)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        for record in story.records:
            await producer.send(
                prefix + record.topic,
                record.value,
                record.key,
                partition=record.partition,
                timestamp_ms=record.timestamp,
                headers=list(record.headers),
            )
    finally:
        await producer.stop()
    await _commit(story, bootstrap, prefix)


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


async def _commit(story: Writer, bootstrap: str, prefix: str) -> None:
    committed = {TopicPartition(prefix + topic, number): offset for (topic, number), offset in story.committed.items()}
    group = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=f"{prefix}group", enable_auto_commit=False)
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
