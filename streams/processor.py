"""The one way an agent handles what it reads: effectively once, in batches (design 5).

An inbox partition's records are decided one after the other on the rows they touch. Decisions are cut into slices,
and each slice becomes durable in the order that `streams.settling` keeps. A record at or below the position was
decided before: its outputs and rows are durable, it is skipped. One above it is decided again on exactly the state of
the first time, so it says exactly the same again (same ids, same content).
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from streams.codec import Undecodable, decode
from streams.dead_letters import Class, dead_letter
from streams.envelope import caused_by
from streams.events import Envelope, Event
from streams.keys import KEYS, partition_of
from streams.publisher import Publisher
from streams.reader import Raw
from streams.rows import NotOwner, Partition, RowStore
from streams.services import Service
from streams.settling import Settler
from streams.slices import DECISION_BYTES, Slice, changes_size
from streams.topics import dead_letter_name
from streams.voice import Voice
from streams.working import WorkingRows, Written

logger = logging.getLogger(__name__)


class Decides(Protocol):
    """What a table gives the processor: one message decided on its rows."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        """Writes what the message changes and returns what is to be said. Pure but for `rows`.

        `now` and `offset` are the inbox record's: the only clock there is.
        """
        ...

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """The same for a message whose decision does not fit a slice: a small refusal, remembered; None for none."""
        ...


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
    ) -> None:
        self._service = service
        self._table = table
        self._voice = voice
        self._store = store
        self._publisher = publisher
        self._settler = settler
        #: The offset of the first record at or after an offset of an inbox partition, asked only when one is missing.
        self._next_on_log = next_on_log
        self._group = group

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
        slice_ = self._settler.new_slice(partition)
        for record in batch.records:
            if record.offset <= partition.decided:
                continue
            if record.offset > partition.decided + 1:
                await self._check_gap(partition, record.offset)
            await self._take(partition, slice_, record)
            if slice_.full:
                await self._settler.add(partition, slice_)
                slice_ = self._settler.new_slice(partition)
                # Heartbeats, views and the settling of earlier slices get their turn.
                await asyncio.sleep(0)
        slice_.done.append(batch.done)
        await self._settler.add(partition, slice_)

    async def _check_gap(self, partition: Partition, offset: int) -> None:
        found = await self._next_on_log(partition.number, partition.decided + 1)
        if found is None or found != offset:
            raise GapError(f"{self._service.inbox}/{partition.number}: {offset} follows {partition.decided}")
        logger.warning("%s/%s has no records before %s", self._service.inbox, partition.number, offset)

    async def _take(self, partition: Partition, slice_: Slice, record: Raw) -> None:
        try:
            message = self._read(record)
        except Undecodable as error:
            kind: Class = "misplaced" if isinstance(error, Misplaced) else "undecodable"
            self._bury(slice_, record, str(error), kind)
        else:
            if self._voice.lacks(message.data):
                await self._voice.catch_up()
            self._decide(partition, slice_, record, message)
        partition.decided = record.offset
        slice_.records += 1
        slice_.last_offset, slice_.last_timestamp = record.offset, record.timestamp
        slice_.last_checksum = checksum(record.value)

    def _read(self, record: Raw) -> Envelope:
        message = decode(record.value)
        if not isinstance(message.data, self._service.accepts):
            raise Misplaced(f"{message.event_type} does not belong in {self._service.inbox}")
        key = KEYS[self._service.key](message.data)
        if partition_of(key, self._store.partitions) != record.partition:
            # Its rows live in another partition: deciding it here would fork them.
            raise Misplaced(f"{self._service.key} {key!r} belongs in another partition than {record.partition}")
        return message

    def _decide(self, partition: Partition, slice_: Slice, record: Raw, message: Envelope) -> None:
        rows, now = partition.working, datetime.fromtimestamp(record.timestamp / 1000, UTC)
        try:
            events, changes = self._outcome(rows, message, now, record.offset)
        except TooLargeError as error:
            self._bury(slice_, record, str(error), "too-large")
            return
        except Exception as error:  # a bug in a decision must not stop the partition, nor lose the message
            rows.take_changes()
            logger.exception("%s/%s at %s", self._service.inbox, record.partition, record.offset)
            self._bury(slice_, record, f"{type(error).__name__}: {error}", "decision-failed")
            return
        rows.hand_over(changes, slice_.number)
        slice_.add(changes, record.offset)
        for index, event in enumerate(events):
            said = caused_by(message, event, index=index, now=now, source=f"{self._service.name}-service")
            slice_.says(self._voice.say(said))

    def _outcome(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int
    ) -> tuple[Sequence[Event], dict[str, Written]]:
        events: Sequence[Event] | None = self._table.apply(rows, message, now, offset)
        changes = rows.take_changes()
        if changes_size(changes) > DECISION_BYTES:
            events = self._table.refuse(rows, message, now, offset, "too_large")
            changes = rows.take_changes()
        if events is None or changes_size(changes) > DECISION_BYTES:
            raise TooLargeError(f"the decision on {message.event_type} {message.event_id} does not fit a record batch")
        return events, changes

    def _bury(self, slice_: Slice, record: Raw, reason: str, kind: Class) -> None:
        logger.warning("dead letter: %s/%s at %s: %s", record.topic, record.partition, record.offset, reason)
        letter = dead_letter(record, reason=reason, kind=kind, group=self._group)
        slice_.says(self._publisher.send(dead_letter_name(record.topic), 0, letter))


class TooLargeError(Exception):
    """A decision that cannot become durable at once, and has no smaller refusal."""


class Misplaced(Undecodable):
    """A message of ours in an inbox, or a partition of it, where it does not belong."""


def checksum(value: bytes | None) -> int:
    """Tells the record a position stands on from another one at the same place of a re-created topic."""
    return zlib.crc32(value or b"")
