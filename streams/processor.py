"""The one way an agent handles what it reads: effectively once, in batches (design 5).

An inbox partition's records are decided one after the other on the rows they touch. Decisions are cut into slices,
and each slice becomes durable in the order that `streams.settling` keeps. A record at or below the position was
decided before: its outputs and rows are durable, it is skipped. One above it is decided again on exactly the state of
the first time, so it says exactly the same again (same ids, same content).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from streams.dead_letters import dead_letter
from streams.deciding import Decider, Decides, Language, Poison
from streams.envelope import caused_by
from streams.events import Envelope, Event
from streams.measures import failed
from streams.publisher import Publisher
from streams.reader import Raw
from streams.rows import NotOwner, Partition, RowStore
from streams.services import Service
from streams.settling import Settler
from streams.slices import Slice
from streams.topics import dead_letter_name
from streams.voice import Voice

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one inbox partition. `done` is called once all of them are durable."""

    partition: int
    records: Sequence[Raw]
    done: Callable[[], None]


class GapError(Exception):
    """Records between the last decided one and the next were not handed over."""


class Processor:
    """Decides the batches of one service's inbox on the rows this worker owns."""

    def __init__(
        self,
        service: Service,
        table: Decides,
        *,
        voice: Voice,
        group: str,
        store: RowStore,
        publisher: Publisher,
        settler: Settler,
        next_on_log: Callable[[int, int], Awaitable[int | None]],
        language: Language | None = None,
    ) -> None:
        self._service = service
        self._decider = Decider(service, table, store.partitions, language)
        self._voice = voice
        self._store = store
        self._publisher = publisher
        self._settler = settler
        #: The offset of the first record at or after an offset of an inbox partition, asked only when one is missing.
        self._next_on_log = next_on_log
        self._group = group
        self._source = f"{service.name}-service"
        self._follows = language.follows if language is not None else self._caused_by

    async def apply(self, batch: Batch) -> None:
        """Decides a batch; returns when it is decided, not yet durable.

        Raises:
            GapError: records were left out; they are on the log, so this worker must begin again.
        """
        try:
            partition = self._store.assigned(batch.partition)
        except NotOwner:
            batch.done()  # a rebalance has begun: the next owner reads it again
            return
        slice_ = self._settler.new_slice()
        for record in batch.records:
            if record.offset <= partition.decided:
                continue
            if record.offset > partition.decided + 1:
                await self._check_gap(partition, record.offset)
            if unsaid := self._take(partition, slice_, record):
                # Said without it now and with it after a crash, the same event would say two things.
                await self._voice.catch_up()
                self._say(slice_, unsaid)
            if slice_.full:
                await self._settler.add(partition, slice_)
                slice_ = self._settler.new_slice()
                # Heartbeats, views and the settling of earlier slices get their turn.
                await asyncio.sleep(0)
        slice_.done.append(batch.done)
        await self._settler.add(partition, slice_)

    async def _check_gap(self, partition: Partition, offset: int) -> None:
        found = await self._next_on_log(partition.number, partition.decided + 1)
        if found is None or found != offset:
            raise GapError(f"{self._service.inbox}/{partition.number}: {offset} follows {partition.decided}")
        logger.warning("%s/%s has no records before %s", self._service.inbox, partition.number, offset)

    def _take(self, partition: Partition, slice_: Slice, record: Raw) -> list[Envelope]:
        """Decides a record and says what follows, or returns it: what shows a user whose key is not at hand yet."""
        unsaid: list[Envelope] = []
        try:
            message = self._decider.read(record)
            unsaid = self._decide(partition, slice_, record, message)
        except Poison as poison:
            self._bury(slice_, record, poison)
        partition.decided = record.offset
        slice_.take(record)
        return unsaid

    def _decide(self, partition: Partition, slice_: Slice, record: Raw, message: Envelope) -> list[Envelope]:
        events, changes, now = self._decider.decide(partition.working, record, message)
        partition.working.hand_over(changes, slice_.number)
        slice_.add(changes, record.offset)
        if not events:
            return []
        said = [self._follows(message, event, index, now) for index, event in enumerate(events)]
        if any([self._voice.lacks(event) for event in events]):
            return said
        self._say(slice_, said)
        return []

    def _caused_by(self, message: Envelope, event: Event, index: int, now: datetime) -> Envelope:
        return caused_by(message, event, index=index, now=now, source=self._source)

    def _say(self, slice_: Slice, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            slice_.says(self._voice.say(envelope))

    def _bury(self, slice_: Slice, record: Raw, poison: Poison) -> None:
        logger.warning("dead letter: %s/%s at %s: %s", record.topic, record.partition, record.offset, poison)
        failed(record.topic, self._group)
        letter = dead_letter(record, reason=str(poison), kind=poison.kind, group=self._group)
        slice_.says(self._publisher.send(dead_letter_name(record.topic), 0, letter))
