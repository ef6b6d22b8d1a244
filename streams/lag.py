"""How far the consumer groups of an instance are behind, asked of the broker: right when no worker is there to say it.

What a group has not committed is its lag. A look costs a request for each group and a few more; a record is read only
where it has waited since the look before.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streams.layout import Layout
from streams.letter_desk import Desk
from streams.letters import place_of
from streams.reader import consumer, first_records
from streams.replays import replays_topic
from streams.topics import Topic, dead_letter_name

#: What a lag is of: a topic, and the group that reads it.
Reading = tuple[str, str]
#: By group, the offset it reads next of each partition.
Reads = Mapping[str, Mapping[TopicPartition, int]]
#: A partition and an offset.
Place = tuple[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """One look at the log and its readers."""

    #: Records that are not committed yet, over all partitions.
    lag: Mapping[Reading, int] = field(default_factory=dict)
    #: The age of the oldest of them in seconds; 0 where none has waited since the look before.
    age: Mapping[Reading, float] = field(default_factory=dict)
    #: Records that were ever appended, by topic.
    messages: Mapping[str, int] = field(default_factory=dict)
    #: Dead letters that lie on a topic's dead-letter topic, by topic.
    letters: Mapping[str, int] = field(default_factory=dict)
    #: Those of them that nothing was done to.
    open_letters: Mapping[str, int] = field(default_factory=dict)


class LogWatch:
    """Looks at the log of one instance, over connections that stay open."""

    def __init__(self, bootstrap: str, layout: Layout, desk: Desk) -> None:
        self._bootstrap = bootstrap
        self._desk = desk
        self._groups = {layout.group(name): read_by(layout, name) for name in layout.running}
        self._topics = [topic.name for topic in layout.all_topics]
        self._partitions = _partitions(layout.all_topics)
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._ends: Mapping[TopicPartition, int] = {}
        self._appended: dict[Place, float] = {}

    async def look(self) -> Standing:
        """Raises LogUnavailable, KafkaError, OSError or TimeoutError; then the next look connects anew, but not if it
        was given up.
        """
        try:
            return await self._look()
        except Exception:  # one that is cancelled keeps what it learned: a busy broker is slowest at first
            await self.stop()
            raise

    async def stop(self) -> None:
        admin, reader, self._admin, self._reader = self._admin, self._reader, None, None
        for close in (admin.close if admin else None, reader.stop if reader else None):
            if close is not None:
                with contextlib.suppress(Exception):  # a broker that is away is no reason to stay
                    await close()

    async def _look(self) -> Standing:
        admin, reader = await self._connected()
        found = await asyncio.gather(*(admin.list_consumer_group_offsets(group) for group in self._groups))
        # Ends after commits: what moves in between counts as lag, never against it.
        ends = await reader.end_offsets(self._partitions)
        begins = await reader.beginning_offsets(self._partitions)
        reads = {
            group: reads_next(topics, {TopicPartition(*tp): each.offset for tp, each in committed.items()}, begins)
            for (group, topics), committed in zip(self._groups.items(), found, strict=True)
        }
        await self._read_appended(waiting(reads, ends, self._ends))
        self._ends = ends
        lag, age = behind(reads, ends, self._appended, time.time())
        appended, lying = counts(self._topics, begins, ends)
        # What was done after the ends: a letter is never counted as open that was handled before the look.
        await self._desk.catch_up()
        return Standing(lag, age, appended, lying, left_open(lying, begins, ends, self._desk.handled_letters()))

    async def _connected(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        if self._admin is None or self._reader is None:
            self._admin, self._reader = (
                AIOKafkaAdminClient(bootstrap_servers=self._bootstrap),
                consumer(self._bootstrap),
            )
            await self._admin.start()
            await self._reader.start()
        return self._admin, self._reader

    async def _read_appended(self, places: Collection[Place]) -> None:
        """Finds out when what stands at these places was appended; it is remembered while it waits."""
        self._appended = {place: at for place, at in self._appended.items() if place in places}
        left = {place for place in places if place not in self._appended}
        while left:
            asked = dict(left)  # one place of each partition: groups may wait at several
            records = await first_records(self._bootstrap, asked)
            for tp, offset in asked.items():
                self._appended[tp, offset] = records[tp].timestamp / 1000 if tp in records else time.time()
            left -= set(asked.items())


def read_by(layout: Layout, service: str) -> frozenset[str]:
    """The names of the topics that a service's group reads."""
    running = layout.running
    # Mails are the notification service's effects; a group of their own sends them where the layout has one.
    sends = {"notification": "mail" if "mail" in running else "notification"}
    effects = {
        each.effects_topic
        for name, each in layout.services.items()
        if name in running and each.effects and sends.get(name, name) == service
    }
    inboxes = {layout.services[service].inbox} if service in layout.services else set()
    documented = (*layout.public, replays_topic(layout)) if service == "gate" else layout.subscriptions(service)
    return frozenset({*inboxes, *effects, *(topic.name for topic in documented)})


def reads_next(
    topics: Collection[str], committed: Mapping[TopicPartition, int], begins: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Where a group goes on reading: behind what it committed; at the first record where it committed nothing, or where
    that is not on the log any more.
    """
    return {tp: max(committed.get(tp, 0), first) for tp, first in begins.items() if tp.topic in topics}


def waiting(reads: Reads, ends: Mapping[TopicPartition, int], before: Mapping[TopicPartition, int]) -> set[Place]:
    """The places where a group stands before a record that was there at the look before; at the first, before any."""
    places = {(tp, offset) for offsets in reads.values() for tp, offset in offsets.items()}
    return {(tp, offset) for tp, offset in places if offset < before.get(tp, ends[tp])}


def behind(
    reads: Reads, ends: Mapping[TopicPartition, int], appended: Mapping[Place, float], now: float
) -> tuple[dict[Reading, int], dict[Reading, float]]:
    """The lag of every group in each topic it reads: in records, and in seconds."""
    lag: dict[Reading, int] = {}
    age: dict[Reading, float] = {}
    for group, offsets in reads.items():
        for tp, offset in offsets.items():
            reading = (tp.topic, group)
            lag[reading] = lag.get(reading, 0) + max(0, ends[tp] - offset)
            age[reading] = max(age.get(reading, 0.0), now - appended.get((tp, offset), now))
    return lag, age


def counts(
    topics: Iterable[str], begins: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """Records ever appended to each topic, and the dead letters of each topic that has a place for them."""
    appended, lying = dict.fromkeys(topics, 0), dict.fromkeys(topics, 0)
    for tp, end in ends.items():
        appended[tp.topic] += end
        lying[tp.topic] += end - begins[tp]
    return appended, {name: lying[letters] for name in lying if (letters := dead_letter_name(name)) in lying}


def left_open(
    lying: Mapping[str, int],
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    handled: Iterable[str],
) -> dict[str, int]:
    """The letters of each topic that nothing was done to, of those that lie there; `handled` are ids of letters."""
    left = dict(lying)
    for place in filter(None, map(place_of, handled)):
        topic, offset = place
        tp = TopicPartition(dead_letter_name(topic), 0)
        if topic in left and begins[tp] <= offset < ends[tp]:
            left[topic] -= 1
    return left


def _partitions(topics: Iterable[Topic]) -> list[TopicPartition]:
    return [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
