"""One Faust App for each consumer group: what every App of ours shares, with rows or without.

A consumer group is one App id. Several Apps share a process in `vacancy worker`, or have one each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import faust
import mode
from faust.serializers.codecs import Codec
from faust.types import TP

from streams.effects import EffectRunner
from streams.ending import end_process
from streams.fetched import Batches
from streams.finishing import Finishing
from streams.layout import Layout
from streams.lease import Lease
from streams.processor import Batch
from streams.profile import MAX_POLL_RECORDS
from streams.publisher import Acknowledgement, Publisher
from streams.recovery import RowsManager
from streams.services import PATIENT
from streams.topics import Topic
from streams.transport import Consumer, Transport
from streams.voice import Voice


@dataclass(frozen=True)
class Runtime:
    """What every App of one worker process shares."""

    bootstrap: str
    layout: Layout
    #: This slot's own state directory; nobody else may use it.
    directory: Path
    slot: int
    session_timeout: float
    publisher: Publisher
    voice: Voice
    max_poll_records: int = MAX_POLL_RECORDS
    fail: Callable[[BaseException], object] = end_process


class _App(faust.App):
    """An App whose crash ends the process: beside others in one worker it would die unseen."""

    def __init__(self, fail: Callable[[BaseException], object], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fail = fail
        #: Started before the App and stopped after it, where Faust's own command runs it.
        self.needs: list[mode.Service] = []

    async def on_start(self) -> None:
        for need in self.needs:
            await need.maybe_start()
        await super().on_start()

    async def on_shutdown(self) -> None:
        await super().on_shutdown()
        for need in reversed(self.needs):
            await need.stop()

    async def crash(self, reason: BaseException) -> None:
        self._fail(reason)
        await super().crash(reason)


class _Whole(Codec):
    """A batch is handed on as it is: the records' bytes are decoded where they are decided."""

    def _loads(self, s: Any) -> Any:
        return s

    def _dumps(self, s: Any) -> Any:
        return s


@dataclass
class GroupApp:
    """A consumer group's App and where it stands in its group."""

    name: str
    app: faust.App
    lease: Lease
    fail: Callable[[BaseException], object]
    #: Whether records may gather before they are fetched.
    patient: bool = False
    #: Called with the partitions of the service's own topics each time they are ready.
    on_ready: list[Callable[[set[int]], Awaitable[None]]] = field(default_factory=list)
    #: Called when a rebalance begins.
    on_revoked: list[Callable[[], object]] = field(default_factory=list)
    #: The documented topics it reads, which are handed on together whatever their partitions.
    documented: set[str] = field(default_factory=set)
    #: What makes the calls its effects topics ask for.
    effects: dict[str, EffectRunner] = field(default_factory=dict)
    #: The group has been joined, and the rows of every owned partition are restored where there are any.
    ready: bool = False

    def __post_init__(self) -> None:
        self._finishing = Finishing(self.finished, self.fail)

    def topics(self, topics: Iterable[Topic]) -> Any:
        """Documented topics for an agent to read in batches: one agent for all that the group reads."""
        topics = list(topics)
        self.documented.update(topic.name for topic in topics)
        return self.app.topic(*(topic.name for topic in topics), key_serializer="raw", value_serializer=_Whole())

    def topic(self, name: str) -> Any:
        """A topic of the service's own for an agent to read in batches."""
        return self.app.topic(
            name, partitions=self.app.conf.topic_partitions, key_serializer="raw", value_serializer=_Whole()
        )

    async def guarded(self, work: Awaitable[None]) -> None:
        """Nothing is ever raised into Faust, which would lose the batch: a failure ends the process."""
        try:
            await work
        except Exception as error:
            self.fail(error)

    def commit(self, topic: str, partition: int, offset: int) -> None:
        """Everything of a topic's partition below `offset` is done for good."""
        cast("Consumer", self.app.consumer).done_below(TP(topic, partition), offset)

    def finished(self, batches: Iterable[Batch]) -> None:
        """Everything in these batches is done for good."""
        for batch in batches:
            last = batch.records[-1]
            self.commit(last.topic, last.partition, last.offset + 1)
            batch.done()

    async def finish(self, batches: Sequence[Batch], said: Iterable[Acknowledgement]) -> None:
        """The same as soon as what was said of them is on the log, after those before them. Returns before that, when
        the next may be handled.
        """
        await self._finishing.add(batches, said)

    def revoked(self) -> None:
        self.ready = False
        for tell in self.on_revoked:
            tell()


async def fetches(stream: Any) -> AsyncIterator[Sequence[Batch]]:
    """What each fetch brought an agent, as a batch for each partition; Faust hears of it once all of them are done.

    The stream is Faust's: its interface type leaves out `noack`.
    """
    async for event in stream.noack().events():
        yield _batches_of(event.value, event.ack)


async def batches(stream: Any) -> AsyncIterator[Batch]:
    """The same, one batch after the other."""
    async for fetched in fetches(stream):
        for batch in fetched:
            yield batch


def _batches_of(partitions: Sequence[Sequence[Any]], acknowledge: Callable[[], object]) -> list[Batch]:
    left = len(partitions)

    def done() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            acknowledge()

    return [Batch(records[0].partition, records, done) for records in partitions]


def faust_app(name: str, runtime: Runtime) -> faust.App:
    """The bare App of a service's group, set up as we rely on it."""
    group = runtime.layout.group(name)
    datadir = runtime.directory / name / "faust"
    datadir.mkdir(parents=True, exist_ok=True)
    return _App(
        runtime.fail,
        group,
        broker=[f"kafka://{server}" for server in runtime.bootstrap.split(",")],
        store="memory://",
        datadir=str(datadir),
        ConsumerScheduler=Batches,
        TableManager=RowsManager,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=runtime.layout.partitions,
        table_standby_replicas=0,
        # A static member that comes back within the session keeps its partitions: no rebalance after a crash.
        consumer_group_instance_id=f"{group}-{runtime.slot}",
        broker_session_timeout=runtime.session_timeout,
        broker_heartbeat_interval=min(1.0, runtime.session_timeout / 5),
        broker_commit_interval=0.5,
        broker_max_poll_records=runtime.max_poll_records,
        # Fetches in an agent's queue; what else waits, waits in the consumer. A full one holds up the whole group.
        stream_buffer_maxsize=16,
        web_enabled=False,
    )


def connect(
    group: GroupApp, start_at: Callable[[TP], int | None], restore: Callable[[set[int]], Awaitable[bool]]
) -> None:
    """Puts our consumer and recovery into the App. `restore` says whether the given partitions are ready."""
    app = group.app

    async def restored(partitions: set[int]) -> None:
        try:
            if await restore(partitions):
                for tell in group.on_ready:
                    await tell(partitions)
                group.ready = True
        except Exception as error:
            group.fail(error)

    app._new_transport = lambda: Transport(  # type: ignore[method-assign]
        app.conf.broker_consumer,
        app,
        lease=group.lease,
        on_revoked=group.revoked,
        start_at=start_at,
        patient=group.patient,
        gathered=group.documented,
    )
    manager = cast("RowsManager", app.tables)
    manager.restore, manager.restored = restored, lambda: group.ready


def consumer_app(name: str, runtime: Runtime) -> GroupApp:
    """The App of a group that keeps no rows."""
    lease = Lease(runtime.session_timeout)
    group = GroupApp(name, faust_app(name, runtime), lease, runtime.fail, patient=name in PATIENT)

    async def nothing(partitions: set[int]) -> bool:
        return True

    async def close(*args: object, **kwargs: object) -> None:
        group.revoked()

    connect(group, lambda tp: None, nothing)
    group.app.on_before_shutdown.connect(close)
    return group
