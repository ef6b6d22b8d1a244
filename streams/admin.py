"""A layout against a broker: which topics are missing or differ, and making it so. Only `prune` ever deletes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from config.secrets import Secrets
from config.settings import Settings
from streams.codec import decode, encode
from streams.envelope import originate
from streams.events.control import InstanceNamed
from streams.layout import Layout, load_layout
from streams.leftovers import is_of_a_layout, may_be_ours
from streams.log import producer
from streams.reader import first_records
from streams.topics import Topic

#: From so many replicas on, one may be away without stopping anybody.
_REPLICATED = 3


class TopicsError(Exception):
    """The broker's topics cannot be made what the layout wants; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """A topic that exists but is not as the layout wants it."""

    topic: str
    setting: str
    have: str
    want: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What `apply` would do. `blocked` it cannot do: the number of partitions decides where keys and rows live."""

    create: tuple[Topic, ...]
    change: tuple[Change, ...]
    blocked: tuple[Change, ...]
    unknown: tuple[str, ...]

    @property
    def leftover(self) -> tuple[str, ...]:
        """Of the unknown topics those that some layout of ours would have made: only these are ever deleted."""
        return tuple(filter(is_of_a_layout, self.unknown))

    @property
    def empty(self) -> bool:
        return not (self.create or self.change or self.blocked)


@asynccontextmanager
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


def replication_of(layout: Layout, environment: str) -> int:
    """How often the topics are replicated there; an environment that the layout does not name is like local.

    One is where no copies are asked for: topics then get as many as the brokers give by default (decision 0044).
    """
    return layout.replication.get(environment, layout.replication["local"])


def config_of(topic: Topic, replication: int) -> dict[str, str]:
    """A topic's settings on the broker, where topics have so many replicas that have no number of their own. With three
    replicas two have to have a record before it is acknowledged.
    """
    copies = topic.replication or replication
    return topic.config() | ({"min.insync.replicas": "2"} if copies >= _REPLICATED else {})


async def plan(bootstrap: str, layout: Layout, environment: str = "local") -> Plan:
    """The difference between the broker's topics and the layout's."""
    replication = replication_of(layout, environment)
    wanted = {topic.name: topic for topic in layout.all_topics}
    async with admin(bootstrap) as client:
        names = set(await client.list_topics())
        present = {name: topic for name, topic in wanted.items() if name in names}
        described = await client.describe_topics(list(present)) if present else []
        settings = await settings_of(client, present)
    partitions = {each["topic"]: len(each["partitions"]) for each in described}
    return Plan(
        create=tuple(topic for name, topic in wanted.items() if name not in names),
        change=tuple(
            Change(name, setting, settings[name].get(setting, "unset"), want)
            for name, topic in present.items()
            for setting, want in config_of(topic, replication).items()
            if settings[name].get(setting) != want
        ),
        blocked=tuple(
            Change(name, "partitions", str(partitions[name]), str(topic.partitions))
            for name, topic in present.items()
            if partitions[name] != topic.partitions
        ),
        unknown=tuple(sorted(name for name in names - set(wanted) if may_be_ours(name, layout.namespace, names))),
    )


async def prune(bootstrap: str, names: Sequence[str]) -> None:
    """Deletes topics for good. Raises TopicsError."""
    async with admin(bootstrap) as client:
        answer = await client.delete_topics(list(names))
    for name, code in answer.topic_error_codes:
        if code != 0:
            raise TopicsError(f"{name} was not deleted: Kafka error {code}")


async def apply(bootstrap: str, layout: Layout, environment: str) -> Plan:
    """Creates what is missing and changes what differs; returns what was done.

    Raises:
        TopicsError: a topic has another number of partitions than the layout: its keys would move.
    """
    todo = await plan(bootstrap, layout, environment)
    if todo.blocked:
        first = todo.blocked[0]
        raise TopicsError(
            f"{first.topic} has {first.have} partitions, the layout wants {first.want}: rows and keys would move. "
            "Use a new cluster or topic, or set the layout's number back"
        )
    replication = replication_of(layout, environment)
    async with admin(bootstrap) as client:
        if todo.create:
            await _create(client, todo.create, replication)
        for name in {change.topic for change in todo.change}:
            topic = next(topic for topic in layout.all_topics if topic.name == name)
            await _configure(client, topic, replication)
    await _until_in_force(bootstrap, layout, environment)
    return todo


async def _until_in_force(bootstrap: str, layout: Layout, environment: str) -> None:
    # The broker answers before its own view of the cluster has the change.
    for _ in range(50):
        left = await plan(bootstrap, layout, environment)
        if left.empty:
            return
        await asyncio.sleep(0.1)
    raise TopicsError(f"the broker did not take over {left.create or left.change}: run `vacancy topics plan`")


async def apply_topics(bootstrap: str, settings: Settings) -> None:
    """Everything an instance needs on its broker: the layout's topics, and the cluster's name on it.

    Raises:
        TopicsError: the cluster's topics differ for good, or it carries another instance.
    """
    layout = load_layout(settings)
    await apply(bootstrap, layout, settings.environment)
    claim = InstanceNamed(instance_id=Secrets.of(settings).instance_id, layout=layout.name)
    await _claim(bootstrap, layout.instance.name, claim)


async def _claim(bootstrap: str, topic: str, ours: InstanceNamed) -> None:
    """Names the cluster. Of two that claim it at once the first on the log has it; the other puts that name back."""
    holder = await _first_claim(bootstrap, topic)
    if holder is None:
        await _write_claim(bootstrap, topic, ours)
        holder = await _first_claim(bootstrap, topic)
    if holder is not None and holder != ours:
        await _write_claim(bootstrap, topic, holder)
        raise TopicsError(
            f"this Kafka cluster already carries the instance {holder.instance_id} with the layout {holder.layout!r}: "
            "use that instance's data directory, another cluster, or a namespace of your own"
        )


async def _first_claim(bootstrap: str, topic: str) -> InstanceNamed | None:
    found = await first_records(bootstrap, {TopicPartition(topic, 0): 0})
    for record in found.values():
        named = decode(record.value).data
        if isinstance(named, InstanceNamed):
            return named
    return None


async def _write_claim(bootstrap: str, topic: str, claim: InstanceNamed) -> None:
    writer = producer(bootstrap)
    await writer.start()
    try:
        envelope = originate(claim, source="vacancy", now=datetime.now(UTC))
        await writer.send_and_wait(topic, key=b"instance", value=encode(envelope))
    finally:
        await writer.stop()


async def _create(client: AIOKafkaAdminClient, topics: tuple[Topic, ...], replication: int) -> None:
    copies = replication if replication > 1 else await _default_copies(client)
    answer = await client.create_topics(
        [
            NewTopic(
                topic.name,
                topic.partitions,
                topic.replication or copies,
                topic_configs=config_of(topic, replication),
            )
            for topic in topics
        ]
    )
    for name, code, *message in answer.topic_errors:
        # 36: somebody else created it meanwhile, with the same layout.
        if code not in (0, 36):
            raise TopicsError(f"{name} was not created: Kafka error {code} {' '.join(str(part) for part in message)}")


async def _default_copies(client: AIOKafkaAdminClient) -> int:
    """How many replicas the brokers give a topic that asks for none; 1 where they do not say."""
    brokers = (await client.describe_cluster())["brokers"]
    asked = [ConfigResource(ConfigResourceType.BROKER, str(brokers[0]["node_id"]))] if brokers else []
    for response in await client.describe_configs(asked):
        for resource in response.resources:
            return int({entry[0]: entry[1] for entry in resource[4]}.get("default.replication.factor") or 1)
    return 1


async def _configure(client: AIOKafkaAdminClient, topic: Topic, replication: int) -> None:
    wanted = ConfigResource(ConfigResourceType.TOPIC, topic.name, config_of(topic, replication))
    for answer in await client.alter_configs([wanted]):
        for code, message, *_ in answer.resources:
            if code != 0:
                raise TopicsError(f"{topic.name} was not changed: Kafka error {code} {message or ''}")


async def settings_of(client: AIOKafkaAdminClient, topics: Collection[str]) -> dict[str, dict[str, str]]:
    """What is set of each topic on the broker, defaults included."""
    found: dict[str, dict[str, str]] = {name: {} for name in topics}
    if topics:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
        for response in await client.describe_configs(resources):
            for resource in response.resources:
                found[resource[3]] = {entry[0]: entry[1] for entry in resource[4]}
    return found
