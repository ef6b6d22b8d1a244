"""Three embedded brokers, for real: what two of them took is there, whichever of the three ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from streams import kafka_config, ports
from streams.admin import admin, apply, settings_of
from streams.broker import BrokerFailed
from streams.cluster import EmbeddedCluster, nodes_of
from streams.layout import load_layout
from streams.reader import consumer, read_to_end

_TOPIC = "booking.booking.created"
_LAYOUT = load_layout("catalogue")
#: Few topics: each costs three brokers some files.
_SMALL = replace(_LAYOUT, topics={_TOPIC: _LAYOUT.topics[_TOPIC]}, services={})


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[EmbeddedCluster]:
    cluster = EmbeddedCluster(tmp_path / "our data, kept", port=ports.any_free())
    yield cluster
    await cluster.stop()


async def _in_sync(bootstrap: str) -> list[set[int]]:
    """The replicas of each partition that have all of it."""
    async with admin(bootstrap) as client:
        (described,) = await client.describe_topics([_TOPIC])
    return [set(each["isr"]) for each in described["partitions"]]


async def _until_in_sync(bootstrap: str, nodes: set[int]) -> None:
    while any(found != nodes for found in await _in_sync(bootstrap)):  # noqa: ASYNC110  # it is another process
        await asyncio.sleep(0.2)


async def _on_log(bootstrap: str) -> set[bytes]:
    reader = consumer(bootstrap)
    await reader.start()
    try:
        partitions = [TopicPartition(_TOPIC, number) for number in range(_LAYOUT.topics[_TOPIC].partitions)]
        reader.assign(partitions)
        await reader.seek_to_beginning(*partitions)
        return {record.value or b"" async for _, records in read_to_end(reader, partitions) for record in records}
    finally:
        await reader.stop()


@pytest.mark.broker
@pytest.mark.timeout(300)
async def test_one_of_three_is_killed_and_nothing_is_lost(cluster: EmbeddedCluster) -> None:
    bootstrap = await cluster.start()
    assert len(bootstrap.split(",")) == 3
    assert len({broker.cluster_id for broker in cluster.brokers}) == 1
    await apply(bootstrap, _SMALL, "local")
    async with admin(bootstrap) as client:
        assert (await settings_of(client, [_TOPIC]))[_TOPIC]["min.insync.replicas"] == "2"
    await _until_in_sync(bootstrap, {1, 2, 3})

    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        said = [b"%d" % number for number in range(300)]
        for value in said[:100]:
            await producer.send_and_wait(_TOPIC, value)
        cluster.kill(2)
        for value in said[100:200]:
            await producer.send_and_wait(_TOPIC, value)
        await _until_in_sync(bootstrap, {1, 3})

        await cluster.restart(2)
        assert cluster.bootstrap == bootstrap
        await _until_in_sync(bootstrap, {1, 2, 3})
        # Another than the one that was away: what it missed is there as well.
        cluster.kill(1)
        for value in said[200:]:
            await producer.send_and_wait(_TOPIC, value)
    finally:
        await producer.stop()
    assert await _on_log(bootstrap) == set(said)


def test_what_a_node_of_three_is_told(tmp_path: Path) -> None:
    kafka_config.write(tmp_path / "broker-2", node=2, port=9093, controllers={1: 20001, 2: 20002, 3: 20003})
    lines = (tmp_path / "broker-2" / "server.properties").read_text("utf-8").splitlines()
    told = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert told["node.id"] == "2"
    assert told["controller.quorum.voters"] == "1@127.0.0.1:20001,2@127.0.0.1:20002,3@127.0.0.1:20003"
    assert told["listeners"].endswith("CONTROLLER://127.0.0.1:20002")
    for what in ("default", "offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        assert told[f"{what}.replication.factor"] == "3"
    for what in ("min.insync.replicas", "transaction.state.log.min.isr", "share.coordinator.state.topic.min.isr"):
        assert told[what] == "2"
    assert nodes_of(tmp_path) == 3


def test_the_brokers_have_their_own_directories_ports_and_names(tmp_path: Path) -> None:
    cluster = EmbeddedCluster(tmp_path, port=ports.any_free())
    names = [broker.name for broker in cluster.brokers]
    servers = cluster.bootstrap.split(",")
    assert names == ["broker-1", "broker-2", "broker-3"]
    assert len(set(servers)) == 3
    # Whoever joins those that run looks for nothing: the others know its ports.
    assert EmbeddedCluster(tmp_path, running=(1, 3)).bootstrap.split(",") == servers
    (tmp_path / "broker-2" / "ports.json").unlink()
    with pytest.raises(BrokerFailed, match="broker-2"):
        _ = EmbeddedCluster(tmp_path, running=(1, 3)).brokers
    asyncio.run(cluster.stop())


def test_one_node_is_a_broker_as_ever(tmp_path: Path) -> None:
    cluster = EmbeddedCluster(tmp_path, 1)
    assert [broker.name for broker in cluster.brokers] == ["broker"]
    assert cluster.brokers[0].directory == tmp_path / "broker"
    assert nodes_of(tmp_path) == 0
