"""Reads the whole log into a `History`: every partition up to where it ended when the reading began, never beyond.

The ends are noted in an order that makes the cut consistent: first what is committed and durable, then dead letters,
what the world reads, and last the inboxes and effects. So whatever a position has passed has its outcome in the cut,
and whatever was said has its cause there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.audit import names
from cli.audit.broker import CannotAuditError, Topic, retention_of, topics_of
from cli.audit.filing import add
from cli.audit.history import History
from cli.audit.wire import Record

_FETCH = 8 * 1024 * 1024
_RECORDS = 5_000
_STALLED = 60.0

Progress = Callable[[int, int], None]


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


async def read_log(bootstrap: str, history: History, *, progress: Progress | None = None) -> None:
    """Adds every record of the instance whose topics are spelled as the history says. `progress` gets (read, of).

    Raises CannotAuditError when the topics are not there or stop giving records.
    """
    topics = await topics_of(bootstrap, history)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH,
        fetch_max_bytes=4 * _FETCH,
        auto_offset_reset="earliest",  # what retention takes away while we read is skipped
    )
    await consumer.start()
    try:
        cut = await _cut(consumer, topics)
        await _note_deletions(bootstrap, history, cut, topics)
        reader = _Reader(consumer, history, cut, {topic.spelled: name for name, topic in topics.items()}, progress)
        for phase in _phases(topics):
            await reader.read(phase)
    finally:
        await consumer.stop()


async def _cut(consumer: AIOKafkaConsumer, topics: Mapping[str, Topic]) -> Cut:
    cut = Cut()
    changelogs = [name for name in topics if name in names.CHANGELOGS]
    causes = [name for name in topics if name in names.CAUSES]
    dead = [name for name in topics if name.endswith(names.DEAD)]
    others = [name for name in topics if name not in {*changelogs, *dead, *causes}]
    groups = [_partitions(topics[name] for name in group) for group in (changelogs, dead, others, causes)]
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


def _partitions(topics: Iterable[Topic]) -> list[TopicPartition]:
    return [TopicPartition(topic.spelled, number) for topic in topics for number in range(topic.partitions)]


async def _note_deletions(bootstrap: str, history: History, cut: Cut, topics: Mapping[str, Topic]) -> None:
    """Where the oldest records are gone, and since when everything is kept."""
    plain = {topic.spelled: name for name, topic in topics.items()}
    cut_short = {tp.topic for tp, begin in cut.begins.items() if begin > 0}
    keeps = await retention_of(bootstrap, sorted(cut_short)) if cut_short else {}
    now = round(time.time() * 1000)
    for tp, begin in cut.begins.items():
        place = plain[tp.topic], tp.partition
        history.begins[place] = begin
        if begin > 0 and (kept := keeps.get(tp.topic, -1)) >= 0:
            history.kept_from[place] = now - kept


def _phases(topics: Mapping[str, Topic]) -> list[list[str]]:
    """Dead letters, then changelogs, then what causes things, then the rest: the order `History` asks for."""
    phases: list[list[str]] = [[], [], [], []]
    for name, topic in topics.items():
        kinds = (name.endswith(names.DEAD), name in names.CHANGELOGS, name in names.CAUSES, True)
        phases[kinds.index(True)].append(topic.spelled)
    return phases


@dataclass
class _Reader:
    consumer: AIOKafkaConsumer
    history: History
    cut: Cut
    #: The plain names of the topics by how they are spelled.
    plain: Mapping[str, str]
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
        topic, end = self.plain[tp.topic], self.cut.ends[tp]
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
