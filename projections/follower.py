"""Follows the changelogs of an instance and brings them into the tables, for as long as it runs.

The database's watermarks say where to go on; what is committed to Kafka is for tools that show lag. While the database
does not answer nothing is fetched, and everything stays on the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from projections.database import DOWN, Database, reason
from projections.mapping import projected
from projections.portions import Portion, Watermark, Watermarks
from projections.store import Overtaken, Store, WrongCluster
from streams.following import stopped
from streams.layout import Layout
from streams.reader import Raw

logger = logging.getLogger(__name__)
#: Records of one transaction at most, and how long they gather, in seconds.
_RECORDS = 5_000
_GATHER_S = 0.3
#: How often tables that are at the end of the log say as of when, in seconds.
_TOUCH_S = 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0
GROUP = "projections"


@dataclass
class State:
    """What the process says of itself at /readyz."""

    #: "starting", "following", "waiting" (for the database), "refused" (it shows another log).
    doing: str = "starting"
    detail: str = ""
    lag: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Which log is followed."""

    bootstrap: str
    cluster_id: str
    layout: Layout
    #: Makes this process a static member of its group.
    member: str = "1"

    @property
    def topics(self) -> dict[str, str]:
        """The changelogs, each with the service whose it is."""
        services = self.layout.services
        return {services[name].rows: name for name in projected(self.layout.running)}


class Follower(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One member of the group that keeps the tables."""

    def __init__(self, source: Source, database: Database) -> None:
        self._source = source
        self._topics = source.topics
        self._database = database
        self.store = Store(database)
        self.state = State()
        self._watermarks: Watermarks = {}
        self._migrated = False
        #: Whether the consumer stands where the watermarks say.
        self._placed = False
        self._pause = _FIRST_PAUSE_S
        self._touched = 0.0

    async def run(self) -> None:
        """Until cancelled. Raises KafkaError when the log cannot be reached at all."""
        group = self._source.layout.group(GROUP)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._source.bootstrap,
            group_id=group,
            group_instance_id=f"{group}-{self._source.member}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=_RECORDS,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=200,
        )
        self._consumer = consumer
        consumer.subscribe(list(self._topics), listener=self)
        await consumer.start()
        try:
            while True:
                await self._round()
        finally:
            await stopped(consumer)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        self._placed = False

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Nothing of them is fetched before it is known from where on."""
        self._placed = False
        self._consumer.pause(*assigned)

    async def _round(self) -> None:
        try:
            if self._placed or await self._place():
                fetched = await self._consumer.getmany(timeout_ms=500, max_records=_RECORDS)
                if fetched and self._placed:
                    await self._store(fetched)
                await self._touch()
                await asyncio.sleep(_GATHER_S)
            else:
                await asyncio.sleep(_GATHER_S)
        except Overtaken as error:
            logger.warning("%s: going on where the tables are", error or "another process writes, too")
            self._hold_back()
        except WrongCluster as error:
            self._refuse(str(error))
            await self._idle(_LONGEST_PAUSE_S)
        except KafkaError as error:
            logger.warning("Kafka does not answer: %s", type(error).__name__)
            await asyncio.sleep(_FIRST_PAUSE_S)
        except DOWN as error:
            await self._wait(reason(error))

    async def _place(self) -> bool:
        """Seeks to where the tables are, and fetches from there. Returns whether there is anything to follow."""
        if not self._migrated:
            await self._database.migrate()
            self._migrated = True
        await self.store.claim(self._source.cluster_id, self._source.layout.namespace)
        assigned = set(self._consumer.assignment())
        if not assigned:
            return False
        ends = await self._consumer.end_offsets(list(assigned))
        begins = await self._consumer.beginning_offsets(list(assigned))
        known = await self._whole(await self.store.watermarks(), begins, ends)
        if set(self._consumer.assignment()) != assigned:
            return False
        self._watermarks = {tp: known[tp] for tp in assigned}
        self._placed = True
        for tp in assigned:
            self._consumer.seek(tp, max(known[tp].next, begins[tp]))
        self._consumer.resume(*assigned)
        self.state.doing, self.state.detail, self._pause = "following", "", _FIRST_PAUSE_S
        return True

    async def _whole(
        self, known: Watermarks, begins: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> Watermarks:
        """The watermarks with a beginning for partitions that have none, and a new one for those that no longer fit."""
        if fresh := {tp: end for tp, end in ends.items() if tp not in known}:
            await self.store.begin(fresh)
        for tp, end in ends.items():
            at = known.get(tp, Watermark(0)).next
            if at > end or 0 < at < begins[tp]:
                logger.warning(
                    "%s/%s begins at %s and ends at %s, and the tables are at %s: it was cut or re-created; "
                    "its tables are filled anew",
                    *(tp.topic, tp.partition, begins[tp], end, at),
                )
                await self.store.reset(self._topics[tp.topic], {tp: end})
        return await self.store.watermarks()

    async def _store(self, fetched: Mapping[TopicPartition, Sequence[Raw]]) -> None:
        portions = []
        for tp, records in fetched.items():
            after = self._watermarks[tp]
            ours = [record for record in records if record.offset >= after.next]
            if ours:
                last = ours[-1].offset + 1 >= (self._consumer.highwater(tp) or 0)
                portions.append(Portion(self._topics[tp.topic], tp, after, ours, last))
        if not portions:
            return
        self._watermarks |= await self.store.apply(portions)
        # For tools that show lag: where to go on is in the database.
        with contextlib.suppress(KafkaError):
            await self._consumer.commit({portion.partition: portion.next for portion in portions})

    async def _touch(self) -> None:
        """Says how far behind the tables are; of partitions at their end also as of when they show the log.

        Raises Overtaken when they were reset, which who has nothing to write would not notice.
        """
        if time.monotonic() - self._touched < _TOUCH_S or not self._placed:
            return
        now = datetime.now(UTC)
        known = await self.store.watermarks()
        if any(tp not in known or known[tp].next != at.next for tp, at in self._watermarks.items()):
            raise Overtaken("the tables were reset")
        ends = await self._consumer.end_offsets(list(self._watermarks))
        lags = {tp: max(ends[tp] - at.next, 0) for tp, at in self._watermarks.items()}
        self.state.lag = {
            topic: sum(lag for tp, lag in lags.items() if tp.topic == topic) for topic in sorted(self._topics)
        }
        if here := {tp: ends[tp] for tp, lag in lags.items() if lag == 0}:
            await self.store.touch(here, now)
        self._touched = time.monotonic()

    def _hold_back(self) -> None:
        """Nothing is fetched until the consumer is placed again."""
        self._placed = False
        self._consumer.pause(*self._consumer.assignment())

    async def _wait(self, why: str) -> None:
        if self.state.doing != "waiting":
            logger.error("the projections' database does not answer (%s): waiting, nothing is lost", why)
        self.state.doing, self.state.detail = "waiting", why
        self._hold_back()
        await self._idle(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_S)

    async def _idle(self, seconds: float) -> None:
        """Fetches nothing; asking for records all the same keeps the group from taking this member for stuck."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await self._consumer.getmany(timeout_ms=max(round(left * 1000), 1))
            await asyncio.sleep(0)

    def _refuse(self, why: str) -> None:
        if self.state.doing != "refused":
            logger.error("%s", why)
        self.state.doing, self.state.detail = "refused", why
