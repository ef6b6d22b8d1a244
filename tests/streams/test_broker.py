"""The embedded broker, for real: it keeps what it took, through any kind of end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from streams import ports
from streams.broker import BrokerFailed, EmbeddedBroker, cluster_id

# Several brokers one after the other, on a machine that may be busy.
pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    # A directory as users name them.
    broker = EmbeddedBroker(tmp_path / "our data, kept", port=ports.any_free())
    yield broker
    await broker.stop()


async def _create(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()


async def _append(bootstrap: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def _first(bootstrap: str, topic: str) -> bytes:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return bytes((await consumer.getone()).value)
    finally:
        await consumer.stop()


async def test_a_record_is_there_after_kill_9_and_after_a_clean_stop(broker: EmbeddedBroker) -> None:
    bootstrap = await broker.start()
    first_pid, cluster = broker.pid, await cluster_id(bootstrap)
    await _create(bootstrap, "kept")
    await _append(bootstrap, "kept", b"a booking")

    assert first_pid is not None
    os.kill(first_pid, signal.SIGKILL)
    assert await broker.start() == bootstrap
    assert broker.pid != first_pid
    assert await _first(bootstrap, "kept") == b"a booking"
    assert await cluster_id(bootstrap) == cluster

    await broker.stop()
    assert broker.pid is None
    again = EmbeddedBroker(broker.data, port=ports.any_free())
    try:
        # The port it had before comes before the one that is preferred.
        assert await again.start() == bootstrap
        assert await _first(bootstrap, "kept") == b"a booking"
        assert await cluster_id(bootstrap) == cluster
    finally:
        await again.stop()


async def test_a_taken_port_falls_back_to_a_free_one(broker: EmbeddedBroker) -> None:
    wanted = broker.port
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", wanted)
    async with server:
        bootstrap = await broker.start()
        assert bootstrap != f"127.0.0.1:{wanted}"
        assert await cluster_id(bootstrap) is not None


async def test_two_that_start_at_once_are_two_clusters(broker: EmbeddedBroker, tmp_path: Path) -> None:
    other = EmbeddedBroker(tmp_path / "other", port=broker.port)
    try:
        first, second = await asyncio.gather(broker.start(), other.start())
        assert first != second
        assert await cluster_id(first) == broker.cluster_id != other.cluster_id == await cluster_id(second)
    finally:
        await other.stop()


async def test_another_brokers_answer_does_not_make_it_ready(broker: EmbeddedBroker, kafka: str) -> None:
    await broker.spawn()
    # As if another had taken its port in the moment before it could listen there.
    broker.port = int(kafka.rpartition(":")[2])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(broker.wait_ready(), 3)
    with warnings.catch_warnings():
        # Cancelled while it connects, aiokafka leaves its first connection open; it is collected here, not in the
        # middle of another test.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def test_an_interrupted_format_is_done_again(broker: EmbeddedBroker) -> None:
    half = broker.directory / "data.new" / "__cluster_metadata-0"
    half.mkdir(parents=True)
    (half / "00000000000000000000.log").write_bytes(b"half")
    assert await cluster_id(await broker.start()) is not None


async def test_no_topic_comes_by_itself(kafka: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, request_timeout_ms=500)
    await producer.start()
    try:
        with pytest.raises(KafkaError):
            await producer.send_and_wait("not-declared", b"x")
    finally:
        await producer.stop()


async def test_a_broker_that_cannot_start_says_why(broker: EmbeddedBroker) -> None:
    (broker.directory / "data").mkdir(parents=True)
    (broker.directory / "data" / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=x\n", "utf-8")
    with pytest.raises(BrokerFailed) as caught:
        await broker.start()
    assert "Stored node id 7" in str(caught.value)
    assert "broker.log" in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_where_nothing_listens_there_is_no_cluster() -> None:
    assert await cluster_id(f"127.0.0.1:{ports.any_free()}") is None
