"""What we change in Faust's consumer: where it runs, where it begins, what it fetches at a time, and what it commits.

Faust keeps the assignment, the groups, the flow control and the commits; the commit takes our offsets, because Faust's
own bookkeeping of single acknowledgements loses records under `kill -9` (docs/decisions/0002).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, cast

import aiokafka
import mode
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.utils.futures import maybe_async

from streams.fetched import Batches
from streams.lease import Lease
from streams.measures import Underway

#: What a patient consumer waits for at most, and how many bytes are worth a fetch before.
_PATIENCE_MS, _ENOUGH_BYTES = 150, 128 * 1024
#: So many records of a partition are committed before the interval is over, and with them what else is done so soon.
_MANY, _SOON_S = 25, 0.05


class _Listener(driver.ConsumerRebalanceListener):
    """Tells the lease when the group moves, before anything else happens."""

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> Awaitable[None]:
        cast("Consumer", self._thread.consumer).lease.left()
        return cast("Awaitable[None]", super().on_partitions_revoked(revoked))

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        cast("Consumer", self._thread.consumer).lease.joined()
        await super().on_partitions_assigned(assigned)


class _InLoop(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread without the thread: a thread for each group costs more than what it takes off the loop.

    Two threads that share an interpreter wait for each other at every fetch, and a loop that is stuck should not be
    kept in its group by a heartbeat that does not know of it.
    """

    def __init__(self, consumer: Consumer, *, loop: asyncio.AbstractEventLoop, **kwargs: Any) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, **kwargs)

    def _get_tasks(self) -> Iterable[Any]:
        return ()  # they keep a thread awake

    async def maybe_start(self) -> bool:
        return await mode.Service.maybe_start(self)

    async def start(self) -> None:
        await mode.Service.start(self)

    async def stop(self) -> None:
        if self._started.is_set() and not self._stopped.is_set():
            self._stopped.set()
            try:
                await self.on_thread_stop()
            finally:
                self._shutdown.set()

    async def crash(self, exc: BaseException) -> None:
        await mode.Service.crash(self, exc)

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await maybe_async(fun(*args, **kwargs))

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """As Faust's, which puts the whole assignment together anew for each partition."""
        try:
            await self._ensure_consumer().commit(
                {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}
            )
        except Exception as error:
            if not (isinstance(error, CommitFailedError) and "already rebalanced" in str(error)):
                self.log.exception("committing failed: %r", error)
                await self.crash(error)
            return False
        return True

    async def on_start(self) -> None:
        await super().on_start()
        coordinator = cast("Any", self._ensure_consumer())._coordinator
        heartbeat = coordinator._do_heartbeat
        lease = cast("Consumer", self.consumer).lease

        async def renewing() -> bool:
            sent = time.monotonic()
            accepted = bool(await heartbeat())
            if accepted:
                lease.renew(sent)
            return accepted

        coordinator._do_heartbeat = renewing
        if cast("Consumer", self.consumer).patient:
            fetcher = cast("Any", self._ensure_consumer())._fetcher
            fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = _ENOUGH_BYTES, _PATIENCE_MS


class Consumer(driver.Consumer):
    """Commits the offsets the settler says are durable, and starts where the rows are."""

    RebalanceListener = _Listener
    lease: Lease

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        transport = cast("Transport", self.transport)
        self.lease = transport.lease
        self._tell_revoked = transport.on_revoked
        self._start_at = transport.start_at
        self.patient = transport.patient
        self._underway = Underway(transport.app.conf.id)
        self.scheduler = Batches(transport.gathered, self._handed_on)
        #: The offset after the last record handed on, by partition.
        self._handed: dict[TP, int] = {}
        #: The next offset to commit, for each partition something became durable in; and what is committed of them.
        self._durable: dict[TP, int] = {}
        self._committed: dict[TP, int] = {}
        self._early: asyncio.Task[None] | None = None

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _InLoop(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        # Unlike the listener, this runs on the loop of the agents: whatever must not begin any more is told here.
        self._tell_revoked()
        await super().on_partitions_revoked(revoked)

    async def perform_seek(self) -> None:
        """To the committed offsets, or to where the rows say that work goes on.

        A partition nothing was committed of begins at its first record: aiokafka leaves it where it is, which is behind
        whatever was fetched, and dropped, while the rows were being restored.
        """
        await super().perform_seek()
        self._durable.clear()
        self._committed.clear()
        self._underway.forget()
        self._handed.clear()
        uncommitted = [tp for tp in self.assignment() if self._read_offset.get(tp) is None]
        firsts = await self.earliest_offsets(*uncommitted) if uncommitted else {}
        for tp in self.assignment():
            offset = self._start_at(tp)
            offset = firsts.get(tp) if offset is None else offset
            if offset is not None:
                await self.seek(tp, offset)

    def done_below(self, tp: TP, offset: int) -> None:
        """Everything of a partition below `offset` is done for good: the next commit says so."""
        self._durable[tp] = offset
        self._underway.done_below(tp, offset)
        if offset - self._committed.setdefault(tp, offset - 1) >= _MANY and self._early is None:
            self._early = asyncio.create_task(self._commit_early())

    def _handed_on(self, tp: TP, records: Sequence[Any]) -> None:
        self._handed[tp] = records[-1].offset + 1
        self._underway.fetched(tp, records)

    def underway(self) -> dict[TP, tuple[int, int]]:
        """Where each partition stands that anything was handed over of: up to where, and below which all is done."""
        return {tp: (handed, self._durable.get(tp, -1)) for tp, handed in list(self._handed.items())}

    async def _commit_early(self) -> None:
        await asyncio.sleep(_SOON_S)
        self._early = None
        if not self.should_stop:  # who stops commits by itself
            await self.commit()

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """As Faust's, but what is asked for while another commit is under way is made after it, not left out."""
        while await self.maybe_wait_for_commit_to_finish():
            pass
        return await super().commit(topics, start_new_transaction)

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commits what is durable, and nothing of what Faust keeps account of: a table of it for a debug log, its
        producer, attachments and tables, which are none of ours, cost many times the commit.
        """
        self._acked.clear()
        self._acked_index.clear()
        assigned = self.assignment()
        offsets = {
            tp: offset
            for tp, offset in self._durable.items()
            if tp in assigned
            and offset != self._committed.get(tp)
            and (topics is None or tp in topics or tp.topic in topics)
        }
        if not offsets or not await self._commit(offsets):
            return False
        self._committed |= offsets
        return True

    async def verify_all_partitions_active(self) -> None:
        """Faust's look for stuck streams knows nothing of batches: it takes every changelog partition for stuck."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """A batch is one message at its last offset: the gaps before it mean nothing."""


class Transport(driver.Transport):
    """Faust's transport with our consumer."""

    Consumer = Consumer

    def __init__(
        self,
        *args: Any,
        lease: Lease,
        on_revoked: Callable[[], None],
        start_at: Callable[[TP], int | None],
        patient: bool = False,
        gathered: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lease = lease
        self.on_revoked = on_revoked
        self.start_at = start_at
        self.patient = patient
        self.gathered = gathered


assert aiokafka.__version__.startswith("0.14."), "streams.transport overrides private methods of aiokafka 0.14"
