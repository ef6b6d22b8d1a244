"""The layout's topics on a real broker (CAT-02..15): created as planned, and refused where keys would move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from config.secrets import Secrets
from config.settings import Settings
from streams import ports
from streams.admin import TopicsError, admin, apply, apply_topics, config_of, plan, prune
from streams.broker import EmbeddedBroker
from streams.layout import Layout, load_layout
from streams.topics import Topic

pytestmark = pytest.mark.broker
CATALOGUE = load_layout("catalogue")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of this file's own, with no topic on it at first."""
    import asyncio

    broker = EmbeddedBroker(tmp_path_factory.mktemp("kafka"), port=ports.any_free())
    asyncio.run(broker.start())
    try:
        yield broker.bootstrap
    finally:
        asyncio.run(broker.stop())


def with_topic(topic: Topic) -> Layout:
    return replace(CATALOGUE, topics={**CATALOGUE.topics, topic.name: topic})


async def test_what_is_missing_is_planned_created_and_then_nothing_is_left_to_do(empty: str) -> None:
    """CAT-02..15: names, partitions and retention as the broker has them."""
    before = await plan(empty, CATALOGUE)
    assert {topic.name for topic in before.create} == {topic.name for topic in CATALOGUE.all_topics}
    await apply(empty, CATALOGUE, "local")
    after = await plan(empty, CATALOGUE)
    assert after.empty
    async with admin(empty) as client:
        described = await client.describe_topics(list(CATALOGUE.topics))
    assert {each["topic"]: len(each["partitions"]) for each in described} == {
        name: topic.partitions for name, topic in CATALOGUE.topics.items()
    }


async def test_a_setting_that_differs_is_changed(empty: str) -> None:
    await apply(empty, CATALOGUE, "local")
    longer = with_topic(replace(CATALOGUE.topics["booking.booking.created"], retention_ms=1_000_000_000))
    [change] = (await plan(empty, longer)).change
    assert (change.topic, change.setting, change.have) == ("booking.booking.created", "retention.ms", "604800000")
    await apply(empty, longer, "local")
    assert (await plan(empty, longer)).empty
    await apply(empty, CATALOGUE, "local")


async def test_another_number_of_partitions_is_refused(empty: str) -> None:
    await apply(empty, CATALOGUE, "local")
    wider = with_topic(replace(CATALOGUE.topics["booking.booking.created"], partitions=6))
    assert [blocked.setting for blocked in (await plan(empty, wider)).blocked] == ["partitions"]
    with pytest.raises(TopicsError, match="keys would move"):
        await apply(empty, wider, "local")


async def test_in_production_two_replicas_have_to_have_a_record(empty: str) -> None:
    await apply(empty, CATALOGUE, "local")
    wanted = await plan(empty, CATALOGUE, "production")
    assert {(each.setting, each.have, each.want) for each in wanted.change} == {("min.insync.replicas", "1", "2")}
    assert {each.topic for each in wanted.change} == {topic.name for topic in CATALOGUE.all_topics}
    try:
        await apply(empty, CATALOGUE, "production")
        assert (await plan(empty, CATALOGUE, "production")).empty
    finally:
        # This broker is alone: with that setting it would take no record.
        topics = [ConfigResource(ConfigResourceType.TOPIC, each.name, each.config()) for each in CATALOGUE.all_topics]
        async with admin(empty) as client:
            await client.alter_configs(topics)


def test_fewer_than_three_replicas_wait_for_none() -> None:
    topic = CATALOGUE.all_topics[0]
    assert config_of(topic, 2) == topic.config()
    assert config_of(topic, 3) == topic.config() | {"min.insync.replicas": "2"}


@pytest.mark.proves("C3")
async def test_only_what_a_layout_left_behind_is_pruned(empty: str) -> None:
    """Another program's topic is named and left alone, and so is what lies in a namespace."""
    await apply(empty, CATALOGUE, "local")
    left, others = ("booking-events", "booking-events.dlq", "vacancy.old"), ("vacancy.south.instance", "south.x")
    async with admin(empty) as client:
        await client.create_topics([NewTopic(name, 1, 1) for name in ("somebody.elses", *left, *others)])
    found = await plan(empty, CATALOGUE)
    assert found.unknown == ("booking-events", "booking-events.dlq", "somebody.elses", "vacancy.old")
    assert found.leftover == left
    assert found.empty
    await prune(empty, found.leftover)
    assert (await plan(empty, CATALOGUE)).unknown == ("somebody.elses",)
    async with admin(empty) as client:
        await client.delete_topics(list(others))


@pytest.mark.proves("C3")
async def test_two_namespaces_share_a_cluster(empty: str, tmp_path: Path) -> None:
    await apply(empty, CATALOGUE, "local")
    north = Settings(data=tmp_path / "north", namespace="north", layout="campsite")
    await apply_topics(empty, north)
    names = {topic.name for topic in load_layout(north).all_topics}
    assert {"north.booking-events", "north.booking-events.dlq", "vacancy.north.booking.inbox"} <= names
    assert all(name.startswith(("north.", "vacancy.north.")) for name in names)
    with pytest.raises(TopicsError, match="already carries the instance"):
        await apply_topics(empty, Settings(data=tmp_path / "other", namespace="north", layout="campsite"))
    assert (await plan(empty, CATALOGUE)).empty
    assert (await plan(empty, load_layout(north))).unknown == ()


async def test_a_cluster_carries_one_instance(empty: str, tmp_path: Path) -> None:
    first = Settings(data=tmp_path / "first")
    await apply_topics(empty, first)
    await apply_topics(empty, first)
    second = Settings(data=tmp_path / "second")
    for _ in range(2):
        with pytest.raises(TopicsError, match=Secrets.of(first).instance_id):
            await apply_topics(empty, second)
    await apply_topics(empty, first)
