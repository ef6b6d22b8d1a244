"""`vacancy drain`, and what `vacancy up` refuses without it, against groups whose commits the test makes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from cli import instance
from cli.drain import drain, effects, inboxes, undecided
from cli.problem import Misuse
from cli.upgrade import check_version
from config.settings import Settings
from streams.admin import apply
from streams.layout import Layout, load_layout
from streams.publisher import KafkaPublisher, Record

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


@pytest.fixture
async def settings(kafka: str, tmp_path: Path) -> Settings:
    settings = Settings(data=tmp_path, namespace=f"d{uuid.uuid4().hex[:8]}", broker=f"kafka://{kafka}")
    await apply(kafka, load_layout(settings), settings.environment)
    return settings


async def write(kafka: str, *topics: str) -> None:
    publisher = KafkaPublisher(kafka)
    await publisher.start()
    for topic in topics:
        await publisher.send(topic, 1, Record(b"k", b"v"))
    await publisher.stop()


async def commit(kafka: str, group: str, offsets: Mapping[str, int]) -> None:
    """As the group's worker does once everything below is durable."""
    reader = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await reader.start()
    try:
        reader.assign([TopicPartition(topic, 1) for topic in offsets])
        await reader.commit({TopicPartition(topic, 1): offset for topic, offset in offsets.items()})
    finally:
        await reader.stop()


def groups(layout: Layout) -> tuple[str, str, str]:
    booking = layout.services["payment"]
    return layout.group(booking), booking.inbox, booking.effects_topic


async def test_it_waits_for_what_was_there_and_for_its_calls(kafka: str, settings: Settings) -> None:
    layout = load_layout(settings)
    group, inbox, calls = groups(layout)
    await write(kafka, inbox, calls)
    assert await drain(kafka, layout, 0) == {TopicPartition(inbox, 1): 1}
    assert await undecided(kafka, layout) == {TopicPartition(inbox, 1): 1}
    await commit(kafka, group, {inbox: 1})
    assert await undecided(kafka, layout) == {}
    assert await drain(kafka, layout, 0) == {TopicPartition(calls, 1): 1}
    draining = asyncio.create_task(drain(kafka, layout, 60))
    await commit(kafka, group, {inbox: 1, calls: 1})
    assert await draining == {}


async def test_another_version_waits_for_a_drain_after_an_unclean_stop(
    kafka: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = load_layout(settings)
    group, inbox, _ = groups(layout)
    instance.claim_cluster(settings, "a cluster")
    monkeypatch.setattr("cli.upgrade.version", lambda name: "99.0")
    await write(kafka, inbox)
    await check_version(settings)  # it ended in order
    marker = settings.data / "state" / "1" / "worker.running"
    marker.parent.mkdir(parents=True)
    marker.touch()
    with pytest.raises(Misuse, match="1 records of its inboxes are not decided: start version"):
        await check_version(settings)
    await check_version(settings.model_copy(update={"allow_undrained": True}))
    await commit(kafka, group, {inbox: 1})
    await check_version(settings)


@pytest.mark.parametrize("name", ["catalogue", "campsite", "hotel", "orders", "clinic"])
def test_every_group_reads_what_it_is_asked_about(name: str) -> None:
    layout = load_layout(Settings(layout=name))
    assert set(inboxes(layout).values()) == {
        layout.services[service].inbox for service in layout.running if service in layout.services
    }
    assert all(topic.endswith(".effects") for topic in effects(layout).values())
