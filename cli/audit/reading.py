"""Reads the whole log into a `History`: every partition up to where it ended when the reading began, never beyond.

The ends are noted in an order that makes the cut consistent: first what is committed and durable, then dead letters,
what the world reads, and last the inboxes and effects. So whatever a position has passed has its outcome in the cut,
and whatever was said has its cause there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)

from cli.audit import names
from cli.audit.filing import add
from cli.audit.history import History
from cli.audit.wire import Record

_FETCH = 8 * 1024 * 1024
_RECORDS = 5_000
_STALLED = 60.0
#: How long a broker that has just started may take to know its groups' offsets, in seconds.
_LOADING = 5.0
#: How often it is asked while it does not, in seconds.
_AGAIN = 0.3
#: What it answers meanwhile, if it does not simply know of none.
_NOT_YET = (GroupLoadInProgressError, GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError)

Progress = Callable[[int, int], None]


class CannotAuditError(Exception):
    """The log cannot be read as a whole; one line says why."""


@dataclass
class Cut:
    """What there is to read: for each partition the first offset and the one to stop before."""

    begins: dict[TopicPartition, int] = field(default_factory=dict)
    ends: dict[TopicPartition, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """How many offsets there are; compacted ones are gone, so there are at most so many records."""
        return sum(end - self.begins[tp] for tp, end in self.ends.items())

    def of(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        """What is to be read of these topics: partitions with at least one offset."""
        return {tp: end for tp, end in self.ends.items() if tp.topic in topics and end > self.begins[tp]}


async def read_log(bootstrap: str, history: History, *, prefix: str = "", progress: Progress | None = None) -> None:
    """Adds every record of the instance whose topics begin with `prefix`. `progress` gets (read, of).

    Raises CannotAuditError when the topics are not there or stop giving records.
    """
    topics = await _topics(bootstrap, history, prefix)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH,
        fetch_max_bytes=4 * _FETCH,
        auto_offset_reset="earliest",  # what retention takes away while we read is skipped
    )
    await consumer.start()
    try:
        cut = await _cut(consumer, topics, prefix)
        await _note_deletions(bootstrap, history, cut, prefix)
        reader = _Reader(consumer, history, cut, prefix, progress)
        for phase in _phases([tp.topic for tp in cut.ends], prefix):
            await reader.read(phase)
    finally:
        await consumer.stop()


async def _topics(bootstrap: str, history: History, prefix: str) -> dict[str, int]:
    """The instance's topics with their partitions; notes on the way what the consumer groups have committed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        history.committed = await _commits(admin, prefix, _LOADING if history.started is None else 0.0)
        wanted = [name for name in await admin.list_topics() if _is_ours(name, prefix)]
        described = await admin.describe_topics(wanted) if wanted else []
    finally:
        await admin.close()
    found = {topic["topic"]: len(topic["partitions"]) for topic in described}
    missing = [prefix + inbox for inbox in names.INBOXES if prefix + inbox not in found]
    if missing:
        raise CannotAuditError(f"{bootstrap} has no topic {missing[0]}: is this the broker of a Vacancy instance?")
    return found


async def _commits(admin: AIOKafkaAdminClient, prefix: str, patience: float) -> dict[tuple[str, int], int]:
    """What the groups come back to. A broker that has just started knows it only after a while.

    It is asked for `patience` seconds until it knows of every inbox, and while it says that it is not ready, which a
    running instance's restarted broker may do as well, for five seconds at least. Then that is raised.
    """
    found: dict[tuple[str, int], int] = {}
    began = time.monotonic()
    while True:
        passed = time.monotonic() - began
        try:
            await _ask(admin, prefix, found)
        except _NOT_YET:
            if passed >= max(patience, _LOADING):
                raise
        else:
            if {topic for topic, _ in found} >= set(names.CAUSES) or passed >= patience:
                return found
        await asyncio.sleep(_AGAIN)


async def _ask(admin: AIOKafkaAdminClient, prefix: str, found: dict[tuple[str, int], int]) -> None:
    """Adds what the broker knows now."""
    for group in await admin.list_consumer_groups():
        for tp, committed in (await admin.list_consumer_group_offsets(group[0])).items():
            place = tp.topic.removeprefix(prefix), tp.partition
            if tp.topic.startswith(prefix) and place[0] in names.CAUSES:
                found[place] = max(found.get(place, 0), committed.offset)


def _is_ours(topic: str, prefix: str) -> bool:
    name = topic.removeprefix(prefix).removesuffix(names.DEAD)
    known = name in names.CAUSES or name in names.CHANGELOGS or name in names.PUBLIC or name == names.WORKERS
    return topic.startswith(prefix) and known


async def _cut(consumer: AIOKafkaConsumer, topics: dict[str, int], prefix: str) -> Cut:
    cut = Cut()
    changelogs = [prefix + name for name in names.CHANGELOGS]
    causes = [prefix + name for name in names.CAUSES]
    dead = [name for name in topics if name.endswith(names.DEAD)]
    others = [name for name in topics if name not in {*changelogs, *dead, *causes}]
    groups = [_partitions(group, topics) for group in (changelogs, dead, others, causes)]
    # A client asks for the leaders of what it is assigned only: without it every question below costs seconds.
    consumer.assign([tp for group in groups for tp in group])
    consumer.pause(*consumer.assignment())
    for partitions in groups:
        if partitions:
            cut.ends |= await consumer.end_offsets(partitions)
            cut.begins |= await consumer.beginning_offsets(partitions)
    # What was deleted between the two questions is not there to be read.
    cut.begins = {tp: min(begin, cut.ends[tp]) for tp, begin in cut.begins.items()}
    return cut


def _partitions(names_: Iterable[str], topics: dict[str, int]) -> list[TopicPartition]:
    return [TopicPartition(name, number) for name in names_ for number in range(topics.get(name, 0))]


async def _note_deletions(bootstrap: str, history: History, cut: Cut, prefix: str) -> None:
    """Where the oldest records are gone, and since when everything is kept."""
    cut_short = {tp.topic for tp, begin in cut.begins.items() if begin > 0}
    keeps = await _retention(bootstrap, sorted(cut_short)) if cut_short else {}
    now = round(time.time() * 1000)
    for tp, begin in cut.begins.items():
        place = tp.topic.removeprefix(prefix), tp.partition
        history.begins[place] = begin
        if begin > 0 and (kept := keeps.get(tp.topic, -1)) >= 0:
            history.kept_from[place] = now - kept


async def _retention(bootstrap: str, topics: list[str]) -> dict[str, int]:
    """For how long each topic keeps its records, in ms; -1 for ever."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics])
    finally:
        await admin.close()
    found = {resource[3]: resource[4] for answer in answers for resource in answer.resources}
    return {
        topic: next((int(entry[1]) for entry in entries if entry[0] == "retention.ms"), -1)
        for topic, entries in found.items()
    }


def _phases(topics: Iterable[str], prefix: str) -> list[list[str]]:
    """Dead letters, then changelogs, then what causes things, then the rest: the order `History` asks for."""
    phases: list[list[str]] = [[], [], [], []]
    for topic in dict.fromkeys(topics):
        name = topic.removeprefix(prefix)
        kinds = (name.endswith(names.DEAD), name in names.CHANGELOGS, name in names.CAUSES, True)
        phases[kinds.index(True)].append(topic)
    return phases


@dataclass
class _Reader:
    consumer: AIOKafkaConsumer
    history: History
    cut: Cut
    prefix: str
    progress: Progress | None
    _read: int = 0

    async def read(self, topics: list[str]) -> None:
        left = self.cut.of(topics)
        if not left:
            return
        self.consumer.assign(list(left))
        for tp in left:
            self.consumer.seek(tp, self.cut.begins[tp])
        moved = time.monotonic()
        while left:
            fetched = await self.consumer.getmany(timeout_ms=500, max_records=_RECORDS)
            for tp, records in fetched.items():
                self._add(tp, records)
                moved = time.monotonic()
            await self._finish(left)
            if time.monotonic() - moved > _STALLED:
                raise CannotAuditError(f"no records came for {_STALLED:.0f} s although {next(iter(left))} has more")
        self._tell()

    def _add(self, tp: TopicPartition, records: Sequence[object]) -> None:
        topic, end = tp.topic.removeprefix(self.prefix), self.cut.ends[tp]
        for raw in records:
            if raw.offset < end:  # type: ignore[attr-defined]  # aiokafka's records have no types
                add(self.history, _record(topic, raw))
        self._read += len(records)
        self._tell()

    async def _finish(self, left: dict[TopicPartition, int]) -> None:
        """Partitions read to their end are not fetched any further."""
        for tp in [tp for tp in left]:
            if await self.consumer.position(tp) >= left[tp]:
                self.consumer.pause(tp)
                del left[tp]

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self._read, self.cut.records)


def _record(topic: str, raw: object) -> Record:
    fields = ("partition", "offset", "timestamp", "key", "value", "headers")
    return Record(topic, *(getattr(raw, name) for name in fields))
