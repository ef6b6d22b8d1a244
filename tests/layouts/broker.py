"""What stands on a broker, as its administrator sees it: topics with their settings, and who reads them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3

from streams.admin import admin

_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class OnBroker:
    """A topic as it is: retention in days."""

    partitions: int
    retention: float
    replicas: int = 1


async def topics_of(bootstrap: str) -> dict[str, OnBroker]:
    """Every topic of the broker."""
    async with admin(bootstrap) as client:
        names = await client.list_topics()
        described = {each["topic"]: each["partitions"] for each in await client.describe_topics(names)}
        retention = await _retention(client, names)
    return {
        name: OnBroker(len(partitions), retention[name] / _DAY_MS, min(len(each["replicas"]) for each in partitions))
        for name, partitions in described.items()
    }


def documented(topics: dict[str, OnBroker]) -> dict[str, OnBroker]:
    """Those that are not the platform's own, nor Kafka's."""
    return {
        name: each for name, each in topics.items() if not name.startswith(("vacancy.", "__")) and ".dlq" not in name
    }


async def groups_of(bootstrap: str) -> dict[str, set[str]]:
    """The consumer groups that are at work, and what each subscribes of what is not the platform's own."""
    with pytest.MonkeyPatch.context() as patch:
        # aiokafka reads the answers of version 3 as those of version 2.
        patch.setattr(DescribeGroupsRequest_v3, "RESPONSE_TYPE", DescribeGroupsResponse_v3)
        async with admin(bootstrap) as client:
            names = [name for name, _ in await client.list_consumer_groups()]
            answers = await client.describe_consumer_groups(names)
    found = {}
    for group in (group for answer in answers for group in answer.groups):
        _, name, state, _, _, members, *_ = group
        assert state == "Stable", group
        said = [ConsumerProtocolMemberMetadata.decode(member[3]) for member in members]
        subscribed = {topic for each in said for topic in each.subscription}
        found[name] = {topic for topic in subscribed if not topic.startswith("vacancy.") or topic == "vacancy.events"}
    return found


async def _retention(client: AIOKafkaAdminClient, names: list[str]) -> dict[str, float]:
    found = {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    for response in await client.describe_configs(asked):
        for resource in response.resources:
            found[resource[3]] = next(float(entry[1]) for entry in resource[4] if entry[0] == "retention.ms")
    return found
