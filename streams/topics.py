"""Where messages flow inside the platform: the inboxes, effects, changelogs and compacted views, with their keys.

What the documents name is in `config/layouts/*.toml`, read by `streams.layout`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from aiokafka.partitioner import murmur2

from streams.events import Event, availability, booking, control, payment

#: How to take a message's key from its data.
KeyOf = Callable[[Any], str]


@lru_cache(maxsize=65_536)
def resource_key(provider_id: str, product_id: str) -> str:
    """The key of a resource; quoting keeps `a/b` + `c` and `a` + `b/c` apart."""
    return f"{quote(provider_id, safe='')}/{quote(product_id, safe='')}"


@lru_cache(maxsize=65_536)
def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: murmur2, as Kafka's own clients choose it."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % partitions)


KEYS: dict[str, KeyOf] = {
    "booking_id": lambda event: str(event.booking_id),
    "payment_id": lambda event: str(event.payment_id),
    "user_id": lambda event: str(event.user_id),
    "entity_id": lambda event: str(event.entity_id),
    "resource": lambda event: resource_key(event.provider_id, event.product_id),
    "service/partition": lambda event: f"{event.service}/{event.partition}",
    "user_id/key_id": lambda event: f"{event.user_id}/{event.key_id}",
    "instance": lambda event: "instance",
    "gateway": lambda event: str(event.gateway),
}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be on the broker. Retention is in milliseconds, -1 for ever."""

    name: str
    partitions: int
    carries: tuple[type[Event], ...] = ()
    key: str = ""
    retention_ms: int = -1
    compacted: bool = False
    log_append_time: bool = False
    max_message_bytes: int | None = None

    def config(self) -> dict[str, str]:
        """The topic's own settings on the broker; what is not named here is the broker's default."""
        wanted = {"retention.ms": str(self.retention_ms)}
        if self.compacted:
            # A zombie's late record must not outlive the newer one it follows (design 5.7): keep both for a day.
            wanted = {"cleanup.policy": "compact", "min.compaction.lag.ms": str(DAY_MS)}
        if self.log_append_time:
            wanted["message.timestamp.type"] = "LogAppendTime"
        if self.max_message_bytes is not None:
            wanted["max.message.bytes"] = str(self.max_message_bytes)
        return wanted


@dataclass(frozen=True, slots=True)
class Service:
    """A stateful service: one inbox it alone decides, one changelog of its rows, perhaps effects outside."""

    name: str
    key: str
    accepts: tuple[type[Event], ...]
    effects: tuple[type[Event], ...] = ()

    @property
    def inbox(self) -> str:
        return f"vacancy.{self.name}.inbox"

    @property
    def rows(self) -> str:
        return f"vacancy.{self.name}.rows"

    @property
    def effects_topic(self) -> str:
        return f"vacancy.{self.name}.effects"


BOOKING = Service(
    name="booking",
    key="booking_id",
    accepts=(
        booking.RequestBooking,
        booking.CancelBooking,
        booking.DeadlinePassed,
        booking.LineReserved,
        booking.LineRejected,
        booking.PaymentAuthorized,
        booking.PaymentDeclined,
        booking.PaymentCaptured,
        booking.CaptureFailed,
        booking.PaymentRefunded,
    ),
)
AVAILABILITY = Service(
    name="availability",
    key="resource",
    accepts=(availability.DeclareResource, availability.Hold, availability.ConfirmHold, availability.Release),
)
PAYMENT = Service(
    name="payment",
    key="payment_id",
    accepts=(payment.Authorize, payment.Capture, payment.Void, payment.Refund, payment.ProviderAnswered),
    effects=(payment.ProviderCall,),
)
SERVICES = {service.name: service for service in (BOOKING, AVAILABILITY, PAYMENT)}

#: Changelogs and dead letters take what no other topic may: a row or a poison of up to 4 MiB.
LARGE = 4 * 1024 * 1024
DAY_MS = 24 * 3600 * 1000

RATES = Topic("vacancy.rates", 1, (availability.ResourceDeclared,), "resource", compacted=True)
WORKERS = Topic("vacancy.workers", 1, (control.WorkerOwns,), "service/partition", compacted=True)
USER_KEYS = Topic("vacancy.keys", 4, (control.UserKeyAdded,), "user_id/key_id", compacted=True)
INSTANCE = Topic("vacancy.instance", 1, (control.InstanceNamed,), "instance", compacted=True)
NUMBERS = Topic("vacancy.numbers", 1, (control.NumbersLeased,), "gateway")


def service_topics(service: Service, partitions: int) -> tuple[Topic, ...]:
    """The topics a stateful service needs, all with the same number of partitions."""
    topics = [
        Topic(service.inbox, partitions, service.accepts, service.key, log_append_time=True),
        Topic(service.rows, partitions, compacted=True, max_message_bytes=LARGE),
    ]
    if service.effects:
        topics.append(Topic(service.effects_topic, partitions, service.effects, service.key, 7 * DAY_MS))
    return tuple(topics)


def internal_topics(partitions: int) -> tuple[Topic, ...]:
    """Every topic of the platform that no document names."""
    own = [topic for service in SERVICES.values() for topic in service_topics(service, partitions)]
    return (*own, RATES, WORKERS, USER_KEYS, INSTANCE, NUMBERS)


def dead_letters(topic: Topic) -> Topic:
    """The dead-letter topic of a topic (CAT-25). One partition: what lies there is looked at, not worked through."""
    return Topic(dead_letter_name(topic.name), 1, max_message_bytes=LARGE + 64 * 1024)


def dead_letter_name(topic: str) -> str:
    return f"{topic}.dlq"
