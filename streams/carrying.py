"""Carrying news over a bridge: reads the source's topics as a consumer group, writes the target's, then commits.

A record is committed after the target has it, so a stop in between carries it again, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from streams.bridge import Bridge, Untranslatable
from streams.codec import Undecodable
from streams.dead_letters import Class, dead_letter
from streams.publisher import Acknowledgement, Publisher
from streams.reader import Raw
from streams.topics import dead_letter_name

logger = logging.getLogger(__name__)
_POLL_MS = 500


@dataclass(slots=True)
class Tally:
    """What became of the records read: carried, at home on the other side already, or put to the dead letters."""

    carried: int = 0
    home: int = 0
    dead: int = 0


class Carrier:
    """One bridge at work."""

    def __init__(
        self,
        bridge: Bridge,
        group: str,
        *,
        there: Publisher,
        back: Publisher,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._bridge = bridge
        self._group = group
        #: Writes to the target, and to the source's dead letters.
        self._there = there
        self._back = back
        #: Awaited before a batch is translated: every key that its texts were sealed with is at hand then.
        self._prepare = prepare
        self.tally = Tally()

    async def run(self, bootstrap: str, stop: asyncio.Event, *, once: bool, shown: Callable[[Tally], None]) -> None:
        """Carries until told to stop; with `once` only to where the topics end now. Raises KafkaError."""
        topics = self._bridge.source.layout.public
        reader = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=1_000,
        )
        reader.subscribe([topic.name for topic in topics])
        try:
            await reader.start()
            parts = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
            ends = await reader.end_offsets(parts) if once else {}
            while not (stop.is_set() or (once and await _reached(reader, ends))):
                fetched = await reader.getmany(timeout_ms=_POLL_MS)
                if fetched:
                    await self.carry([record for records in fetched.values() for record in records])
                    await _commit(reader, {tp: records[-1].offset + 1 for tp, records in fetched.items()})
                    shown(self.tally)
        finally:
            await reader.stop()

    async def carry(self, records: Sequence[Raw]) -> None:
        """Returns once the target, or the dead letters, have what became of these records."""
        if self._prepare is not None:
            await self._prepare()
        for acknowledged in dict.fromkeys(self._send(record) for record in records):
            if acknowledged is not None:
                await acknowledged

    def _send(self, record: Raw) -> Acknowledgement | None:
        try:
            carried = self._bridge.translate(record)
        except Undecodable as error:
            return self._bury(record, "undecodable", str(error))
        except Untranslatable as error:
            return self._bury(record, error.kind, str(error))
        if carried is None:
            self.tally.home += 1
            return None
        self.tally.carried += 1
        return self._there.send(carried.topic, carried.partition, carried.record)

    def _bury(self, record: Raw, kind: Class, reason: str) -> Acknowledgement:
        self.tally.dead += 1
        logger.warning("dead letter: %s/%s at %s: %s", record.topic, record.partition, record.offset, reason)
        letter = dead_letter(record, reason=reason, kind=kind, group=self._group)
        return self._back.send(dead_letter_name(record.topic), 0, letter)


async def _reached(reader: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    """Whether everything of ours is read; another member of the group reads the rest."""
    for tp in reader.assignment():
        if await reader.position(tp) < ends[tp]:
            return False
    return bool(reader.assignment())


async def _commit(reader: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
    try:
        await reader.commit(dict(offsets))
    except (CommitFailedError, IllegalStateError) as error:
        logger.warning("the group changed before a commit, some records are carried again: %s", error)
