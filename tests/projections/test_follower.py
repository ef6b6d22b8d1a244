"""The process beside a real Kafka: it goes on where the tables are, and waits for a database that is down."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from sqlalchemy import make_url

from projections.checking import compare, take
from projections.database import Database, open_database
from projections.follower import Follower, Source
from projections.portions import Portion
from projections.schema import BOOKINGS
from projections.store import Store
from streams.admin import admin
from streams.layout import Layout, load_layout
from tests.projections.conftest import Postgres
from tests.projections.rows import Record, booking, gone, position, put, rows

pytestmark = pytest.mark.broker


@pytest.fixture
async def source(kafka: str) -> Source:
    """The changelogs of an instance of this test's own."""
    found = load_layout("catalogue")
    namespace = f"t{uuid.uuid4().hex[:8]}"
    services = {name: replace(service, namespace=namespace) for name, service in found.services.items()}
    layout: Layout = replace(found, services=services, namespace=namespace, partitions=1)
    made = Source(kafka, "cluster-1", layout)
    async with admin(kafka) as client:
        await client.create_topics([NewTopic(topic, 1, 1) for topic in made.topics])
    return made


async def append(source: Source, records: list[Record]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=source.bootstrap)
    await producer.start()
    topic = source.layout.services["booking"].rows
    for record in records:
        await producer.send_and_wait(topic, record.value, record.key, partition=0, headers=list(record.headers))
    await producer.stop()


@asynccontextmanager
async def following(source: Source, database: Database) -> AsyncIterator[Follower]:
    follower = Follower(source, database)
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.wait({task})


async def until(true: Callable[[], object]) -> None:
    while not true():  # noqa: ASYNC110  # it is somebody else's work, and the test has a time limit
        await asyncio.sleep(0.05)


async def count(database: Database, wanted: int) -> None:
    while len(await rows(database, BOOKINGS)) != wanted:  # noqa: ASYNC110  # another process writes
        await asyncio.sleep(0.05)


async def test_it_goes_on_where_the_tables_are_and_notices_a_rebuild(source: Source, database: Database) -> None:
    await append(source, [put(0, 1, booking(), "b|b1"), position(1, 1)])
    async with following(source, database):
        await count(database, 1)
    await append(source, [put(2, 2, booking("b2"), "b|b2"), gone(3, 3, "b|b1"), put(4, 4, booking("b3"), "b|b3")])
    async with following(source, database) as follower:
        await count(database, 2)
        topic = source.layout.services["booking"].rows
        await Store(database).reset("booking", {TopicPartition(topic, 0): 5})
        await count(database, 2)
        assert follower.state.doing == "following"
    found = await compare(source.bootstrap, await take(database, source.topics), source.topics)
    assert (found.checked, found.differences) == (4, [])


async def test_a_database_that_goes_away_is_waited_for(
    source: Source, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database(make_url(postgres.url))
    await database.migrate()
    store = Store(database)
    await store.disown()
    await store.claim(source.cluster_id, source.layout.namespace)
    for topic, service in source.topics.items():
        await store.reset(service, {TopicPartition(topic, 0): 0}, table_wide=True)
    await append(source, [put(0, 1, booking(), "b|b1")])
    async with following(source, database) as follower:
        await count(database, 1)
        postgres.stop()
        try:
            await append(source, [put(1, 2, booking("b2"), "b|b2")])
            await until(lambda: follower.state.doing == "waiting")
        finally:
            postgres.start()
        await until(lambda: follower.state.doing == "following")
        await count(database, 2)
    assert caplog.text.count("does not answer") == 1
    await database.close()


async def test_another_clusters_tables_are_left_alone(source: Source, database: Database) -> None:
    await Store(database).claim("another", "")
    async with following(source, database) as follower:
        await until(lambda: follower.state.doing == "refused")
        assert "vacancy projections rebuild" in follower.state.detail


async def test_a_changelog_that_ends_before_the_tables_is_read_anew(source: Source, database: Database) -> None:
    await append(source, [put(0, 1, booking(), "b|b1")])
    async with following(source, database):
        await count(database, 1)
    store, tp = Store(database), TopicPartition(source.layout.services["booking"].rows, 0)
    known = (await store.watermarks())[tp]
    beyond = [replace(put(40, 9, booking("b9"), "b|b9"), topic=tp.topic)]
    await store.apply([Portion("booking", tp, known, beyond, True)])
    async with following(source, database):
        await count(database, 1)
