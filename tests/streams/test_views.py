"""What is read whole from compacted topics on a real broker: prices, keys; and the numbers leased from one."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from aiokafka.admin import NewTopic

from streams.admin import admin
from streams.codec import encode
from streams.compacted import Compacted
from streams.envelope import originate
from streams.events import Event
from streams.events.availability import ResourceDeclared
from streams.events.control import UserKeyAdded
from streams.keyring import Keyring
from streams.keys import resource_key
from streams.layout import Layout, load_layout
from streams.log import Log
from streams.numbers import BLOCK, Numbers
from streams.publisher import KafkaPublisher, Record
from streams.topics import NUMBERS, RATES, USER_KEYS, Topic

pytestmark = pytest.mark.broker
SECRET = b"s" * 32


def unexpected(error: BaseException) -> None:
    raise error


@pytest.fixture
async def create(kafka: str) -> Callable[[Topic], object]:
    """Makes a topic like this one under a name of its own."""

    async def make(like: Topic) -> Topic:
        topic = replace(like, name=f"{like.name}.{uuid.uuid4().hex[:8]}")
        async with admin(kafka) as client:
            await client.create_topics([NewTopic(topic.name, topic.partitions, 1, topic_configs=topic.config())])
        await asyncio.sleep(0.3)
        return topic

    return make


@asynccontextmanager
async def view(kafka: str, topic: Topic, model: type[Event]) -> AsyncIterator[Compacted[Event]]:
    found: Compacted[Event] = Compacted(kafka, topic, model, unexpected)
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


async def write(kafka: str, topic: Topic, key: str, event: Event | None) -> None:
    publisher = KafkaPublisher(kafka)
    await publisher.start()
    try:
        value = encode(originate(event, source="test", now=datetime.now(UTC))) if event is not None else None
        await publisher.send(topic.name, 0, Record(key.encode(), value))
    finally:
        await publisher.stop()


def declared(capacity: int) -> ResourceDeclared:
    return ResourceDeclared(
        provider_id="P",
        product_id="u",
        capacity=capacity,
        overbooking_limit=0,
        slots="nights",
        time_zone="UTC",
        price_amount=Decimal("100.00"),
        price_currency="EUR",
        min_stay=1,
    )


async def test_the_newest_value_of_a_key_holds_until_it_is_taken_away(
    kafka: str, create: Callable[..., object]
) -> None:
    topic = await create(RATES)  # type: ignore[misc]
    key = resource_key("P", "u")
    for capacity in (1, 2):
        await write(kafka, topic, key, declared(capacity))
    async with view(kafka, topic, ResourceDeclared) as rates:
        assert rates.get(key) == declared(2)
        await write(kafka, topic, key, declared(3))
        await rates.until(key, lambda value: value == declared(3), 10)
        await write(kafka, topic, key, None)
        await rates.caught_up(10)
        assert rates.get(key) is None


async def test_poison_on_a_view_is_passed_over(kafka: str, create: Callable[..., object]) -> None:
    topic = await create(RATES)  # type: ignore[misc]
    publisher = KafkaPublisher(kafka)
    await publisher.start()
    await publisher.send(topic.name, 0, Record(b"k", b"\xff"))
    await publisher.stop()
    await write(kafka, topic, "P/u", declared(1))
    async with view(kafka, topic, ResourceDeclared) as rates:
        assert [key for key, _ in rates.items()] == ["P/u"]


@asynccontextmanager
async def log_to(kafka: str, topic: Topic, like: Topic) -> AsyncIterator[Log]:
    """A log that writes one kind of event to this test's topic."""
    catalogue = load_layout("catalogue")
    renamed = {name: each for name, each in catalogue.topics.items()} | {topic.name: topic}
    layout: Layout = replace(catalogue, topics=renamed)
    routes = {**catalogue.route_table(), **{model.event_type: topic for model in like.carries}}
    object.__setattr__(layout, "_topic_of_type", routes)
    log = Log(kafka, layout)
    await log.start()
    try:
        yield log
    finally:
        await log.stop()


async def test_a_sealed_text_is_readable_until_the_users_keys_are_erased(
    kafka: str, create: Callable[..., object]
) -> None:
    """C21: a tombstone for the user's keys erases what an immutable log holds of the user."""
    topic = await create(USER_KEYS)  # type: ignore[misc]
    async with log_to(kafka, topic, USER_KEYS) as log:
        keys: Compacted[UserKeyAdded] = Compacted(kafka, topic, UserKeyAdded, unexpected)
        keyring = Keyring(SECRET, keys, log)
        await keyring.start()
        sealed = await keyring.seal("ada", "Ada Guest")
        again = await keyring.seal("ada", "Ada Guest")
        assert "Ada" not in sealed
        assert sealed != again
        assert sealed.partition(".")[0] == again.partition(".")[0], "one key for both"
        assert await keyring.unseal("ada", sealed) == "Ada Guest"
        assert await keyring.unseal("eve", sealed) is None
        await keyring.stop()

    reader: Compacted[UserKeyAdded] = Compacted(kafka, topic, UserKeyAdded, unexpected)
    elsewhere = Keyring(SECRET, reader)
    await elsewhere.start()
    try:
        assert await elsewhere.unseal("ada", sealed) == "Ada Guest"
        for key, _ in reader.items():
            publisher = KafkaPublisher(kafka)
            await publisher.start()
            for partition in range(topic.partitions):
                await publisher.send(topic.name, partition, Record(key.encode(), None))
            await publisher.stop()
        await reader.caught_up(10)
        assert await elsewhere.unseal("ada", sealed) is None
    finally:
        await elsewhere.stop()


async def test_who_is_forgotten_gets_a_new_key_and_old_texts_stay_closed(
    kafka: str, create: Callable[..., object]
) -> None:
    topic = await create(USER_KEYS)  # type: ignore[misc]
    async with log_to(kafka, topic, USER_KEYS) as log:
        first, second = (Keyring(SECRET, Compacted(kafka, topic, UserKeyAdded, unexpected), log) for _ in range(2))
        for keyring in (first, second):
            await keyring.start()
        try:
            sealed = [await keyring.seal("ada", "Ada Guest") for keyring in (first, second)]
            other = await first.seal("ada/guest", "Another")
            assert await second.forget("ada") == 2
            assert await second.forget("ada") == 0
            await first.caught_up()
            assert [await keyring.unseal("ada", text) for keyring in (first, second) for text in sealed] == [None] * 4
            assert await second.unseal("ada/guest", other) == "Another"
            again = await first.seal("ada", "Ada is back")
            assert await second.unseal("ada", again) == "Ada is back"
            assert await second.unseal("ada", sealed[0]) is None
        finally:
            for keyring in (first, second):
                await keyring.stop()


async def test_another_secret_opens_nothing(kafka: str, create: Callable[..., object]) -> None:
    topic = await create(USER_KEYS)  # type: ignore[misc]
    async with log_to(kafka, topic, USER_KEYS) as log:
        keyring = Keyring(SECRET, Compacted(kafka, topic, UserKeyAdded, unexpected), log)
        await keyring.start()
        sealed = await keyring.seal("ada", "Ada Guest")
        await keyring.stop()
    other = Keyring(b"o" * 32, Compacted(kafka, topic, UserKeyAdded, unexpected))
    await other.start()
    try:
        assert await other.unseal("ada", sealed) is None
    finally:
        await other.stop()


async def test_no_two_gateways_hand_out_the_same_number(kafka: str, create: Callable[..., object]) -> None:
    """C25: unique across gateways, beyond a block."""
    topic = await create(NUMBERS)  # type: ignore[misc]
    async with log_to(kafka, topic, NUMBERS) as log:
        gateways = [Numbers(log, f"gateway-{number}") for number in range(3)]
        given = [number for each in gateways for number in await asyncio.gather(*(each.next() for _ in range(1_200)))]
    assert len(set(given)) == len(given) == 3_600
    assert min(given) == 1
    assert max(given) <= 6 * BLOCK
