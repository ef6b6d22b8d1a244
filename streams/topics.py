"""What a topic is, how a message finds its partition, and which topics hold what the platform knows of itself.

The services' own topics follow from `streams.services`; what the documents name is in `config/layouts/*.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.events import Event, availability, control, hooks, rate_plans
from streams.keys import Partitioner, murmur

#: Changelogs and dead letters take what no other topic may: a row or a poison of up to 4 MiB.
LARGE = 4 * 1024 * 1024
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be on the broker. Retention is in milliseconds, -1 for ever."""

    name: str
    partitions: int
    carries: tuple[type[Event], ...] = ()
    key: str = ""
    retention_ms: int = -1
    compacted: bool = False
    #: How long an overwritten record may still lie on the broker's disk; None leaves that to the broker.
    compacted_within_ms: int | None = None
    log_append_time: bool = False
    max_message_bytes: int | None = None
    #: What the document calls the canonical types it carries, where that is not their own name.
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    partitioner: Partitioner = murmur
    #: Copies on the broker; by default as many as the environment has of every topic.
    replication: int | None = None

    def config(self) -> dict[str, str]:
        """The topic's own settings on the broker; what is not named here is the broker's default."""
        wanted = {"retention.ms": str(self.retention_ms)}
        if self.compacted:
            # A zombie's late record must not outlive the newer one it follows (design 5.7): keep both for a day.
            wanted = {"cleanup.policy": "compact", "min.compaction.lag.ms": str(DAY_MS)}
        if self.compacted_within_ms is not None:
            # What is erased is to be gone from the disk as well, and nobody writes old keys over new ones.
            wanted |= {"min.compaction.lag.ms": "0", "max.compaction.lag.ms": str(self.compacted_within_ms)}
        if self.log_append_time:
            wanted["message.timestamp.type"] = "LogAppendTime"
        if self.max_message_bytes is not None:
            wanted["max.message.bytes"] = str(self.max_message_bytes)
        return wanted

    def partition(self, key: str) -> int:
        """The partition of a key on this topic."""
        return self.partitioner(key, self.partitions)


RATES = Topic(
    "vacancy.rates",
    1,
    (availability.ResourceDeclared, rate_plans.RatePlanDeclared, rate_plans.NightStepped),
    "resource/plan/night",
    compacted=True,
)
WORKERS = Topic("vacancy.workers", 1, (control.WorkerOwns,), "service/partition", compacted=True)
USER_KEYS = Topic(
    "vacancy.keys",
    4,
    (control.UserKeyAdded, control.UserKeyErased),
    "user_id/key_id",
    compacted=True,
    compacted_within_ms=DAY_MS,
)
INSTANCE = Topic("vacancy.instance", 1, (control.InstanceNamed,), "instance", compacted=True)
NUMBERS = Topic("vacancy.numbers", 1, (control.NumbersLeased,), "gateway")
WEBHOOKS = Topic("vacancy.webhooks", 1, (hooks.EndpointKnown,), "endpoint_id", compacted=True)
#: What was done to dead letters, and by whom: kept as long as they are.
LETTERS = Topic("vacancy.dead-letters", 1, (control.DeadLetterHandled,), "letter")
#: Records of documented topics for a group that failed at them (`streams.replays`), as they came. Their topics' readers
#: are never shown them twice.
REPLAYS = Topic("vacancy.replays", 1, retention_ms=7 * DAY_MS, max_message_bytes=LARGE + 64 * 1024)
#: What the platform keeps of itself, beside its services' topics.
OWN = (RATES, WORKERS, USER_KEYS, INSTANCE, NUMBERS, WEBHOOKS, LETTERS, REPLAYS)


def events_topic(partitions: int, carries: tuple[type[Event], ...]) -> Topic:
    """Where news goes that a layout's document has no topic for (design 2)."""
    return Topic("vacancy.events", partitions, carries, "aggregate", 7 * DAY_MS)


def dead_letters(topic: Topic) -> Topic:
    """The dead-letter topic of a topic (CAT-25). One partition: what lies there is looked at, not worked through."""
    return Topic(dead_letter_name(topic.name), 1, max_message_bytes=LARGE + 64 * 1024)


def dead_letter_name(topic: str) -> str:
    return f"{topic}.dlq"
