"""Keys: which part of a message decides its partition, and how."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from aiokafka.partitioner import murmur2

#: How to take a message's key from its data.
KeyOf = Callable[[Any], str]
#: The partition of a key among so many.
Partitioner = Callable[[str, int], int]

_LAST_NUMBER = re.compile(r"(\d+)\D*$")


@lru_cache(maxsize=4_096)
def quoted(name: str) -> str:
    """A name as a part of a key, that no separator in it reaches into another part."""
    return quote(name, safe="")


@lru_cache(maxsize=65_536)
def resource_key(provider_id: str, product_id: str) -> str:
    """The key of a resource; quoting keeps `a/b` + `c` and `a` + `b/c` apart."""
    return f"{quoted(provider_id)}/{quoted(product_id)}"


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: murmur2, as Kafka's own clients choose it."""
    return hash_of(key) % partitions


@lru_cache(maxsize=65_536)
def hash_of(key: str) -> int:
    """A key's murmur2 hash: remembered once, whatever number of partitions the topics of an entity have."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF)


murmur: Partitioner = partition_of


def modulo_list(key: str, partitions: int) -> int:
    """The hotel document's list (HTL-35, C5): PROP-001, PROP-004, PROP-007 share a partition: (n - 1) mod partitions.

    A key without a number goes where murmur2 sends it.
    """
    found = _LAST_NUMBER.search(key)
    return (int(found[1]) - 1) % partitions if found else partition_of(key, partitions)


def last_digit(key: str, partitions: int) -> int:
    """The hotel document's text (HTL-35, C5): ids ending in 0, 3, 6, 9 share a partition: last digit mod partitions.

    A key without a number goes where murmur2 sends it.
    """
    found = _LAST_NUMBER.search(key)
    return int(found[1][-1]) % partitions if found else partition_of(key, partitions)


PARTITIONERS: dict[str, Partitioner] = {"murmur2": murmur, "modulo-list": modulo_list, "last-digit": last_digit}


def _property(event: Any) -> str:
    """The property an event is about: its own, or that of the first line of its booking."""
    provider_id = getattr(event, "provider_id", None)
    if provider_id is None and getattr(event, "about", None) is not None and event.about.lines:
        provider_id = event.about.lines[0].provider_id
    return str(provider_id if provider_id is not None else _aggregate(event))


_AGGREGATES = ("entry_id", "booking_id", "record_id", "payment_id", "user_id", "entity_id", "endpoint_id", "dependency")


def _aggregate(event: Any) -> str:
    """Whatever an event is about: a booking before its payment, a resource last."""
    for field in _AGGREGATES:
        value = getattr(event, field, None)
        if value is not None:
            return str(value)
    return resource_key(event.provider_id, event.product_id)


def rate_key(provider_id: str, product_id: str, rate_plan: str, slot: str | None = None) -> str:
    """The key of a resource's plan, or of one night under it."""
    names = (rate_plan,) if slot is None else (rate_plan, slot)
    return "/".join((resource_key(provider_id, product_id), *map(quoted, names)))


def _rate(event: Any) -> str:
    rate_plan = getattr(event, "rate_plan", None)
    if rate_plan is None:
        return resource_key(event.provider_id, event.product_id)
    return rate_key(event.provider_id, event.product_id, rate_plan, getattr(event, "slot", None))


KEYS: dict[str, KeyOf] = {
    "booking_id": lambda event: str(event.booking_id),
    "payment_id": lambda event: str(event.payment_id),
    "user_id": lambda event: str(event.user_id),
    "record_id": lambda event: str(event.record_id),
    "entity_id": lambda event: str(event.entity_id),
    "property_id": _property,
    "aggregate": _aggregate,
    "resource": lambda event: resource_key(event.provider_id, event.product_id),
    "service/partition": lambda event: f"{event.service}/{event.partition}",
    "resource/plan/night": _rate,
    "user_id/key_id": lambda event: f"{event.user_id}/{event.key_id}",
    "instance": lambda event: "instance",
    "letter": lambda event: str(event.letter),
    "gateway": lambda event: str(event.gateway),
    "endpoint_id": lambda event: str(event.endpoint_id),
    "endpoint_id/delivery_id": lambda event: f"{event.endpoint_id}/{event.delivery_id}",
}
