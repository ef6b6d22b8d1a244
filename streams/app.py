"""The app factory: one Faust App for each service, with our processor behind its agents.

A consumer group is one App id. Several Apps share a process in `vacancy worker`, or have one each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import faust
from faust.serializers.codecs import Codec
from faust.types import TP

from streams.ending import end_process
from streams.layout import Layout
from streams.lease import Lease
from streams.processor import Batch, Decides, Processor
from streams.publisher import Publisher
from streams.recovery import RowsManager
from streams.restore import Restorer
from streams.rows import NotOwner, RowStore
from streams.settling import Settler
from streams.topics import Service
from streams.transport import Batches, Consumer, Transport


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
    fail: Callable[[BaseException], object] = end_process


class _App(faust.App):
    """An App whose crash ends the process: beside others in one worker it would die unseen."""

    def __init__(self, fail: Callable[[BaseException], object], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fail = fail

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
class ServiceApp:
    """A service's App, the rows it owns, and the processor that decides on them."""

    service: Service
    app: faust.App
    store: RowStore
    processor: Processor
    restorer: Restorer
    lease: Lease
    fail: Callable[[BaseException], object]
    #: Called with the owned partitions each time they are restored.
    on_ready: list[Callable[[set[int]], Awaitable[None]]] = field(default_factory=list)
    #: Called when a rebalance begins.
    on_revoked: list[Callable[[], object]] = field(default_factory=list)
    #: The group has been joined and the rows of every owned partition are restored.
    ready: bool = False

    def topic(self, name: str) -> Any:
        """A topic for an agent to read in batches."""
        partitions = self.store.partitions
        return self.app.topic(name, partitions=partitions, key_serializer="raw", value_serializer=_Whole())

    async def decide(self, batch: Batch) -> None:
        """Decides a batch of the inbox."""
        await self.guarded(self.processor.apply(batch))

    async def guarded(self, work: Awaitable[None]) -> None:
        """Nothing is ever raised into Faust, which would lose the batch: a failure ends the process."""
        try:
            await work
        except Exception as error:
            self.fail(error)

    def commit(self, topic: str, partition: int, offset: int) -> None:
        """Everything of a topic's partition below `offset` is done for good."""
        consumer = cast("Consumer", self.app.consumer)
        consumer.durable[TP(topic, partition)] = offset


async def batches(stream: Any) -> AsyncIterator[Batch]:
    """An agent's stream as batches; Faust hears of one as done when the processor says so.

    The stream is Faust's: its interface type leaves out `noack`.
    """
    async for event in stream.noack().events():
        yield Batch(event.message.partition, cast("list[Any]", event.value), event.ack)


def service_app(service: Service, table: Decides, runtime: Runtime) -> ServiceApp:
    """The App of a service, without its agents."""
    layout, partitions = runtime.layout, runtime.layout.partitions
    store = RowStore(service.name, partitions, runtime.directory / service.name / "rows")
    lease = Lease(runtime.session_timeout)
    store.may_serve = lease.fresh
    restorer = Restorer(runtime.bootstrap, service, store, runtime.publisher, lease, runtime.fail)

    def commit(partition: int, offset: int) -> None:
        built.commit(service.inbox, partition, offset)

    settler = Settler(service.rows, publisher=runtime.publisher, lease=lease, commit=commit, fail=runtime.fail)
    processor = Processor(
        service,
        table,
        layout=layout,
        store=store,
        publisher=runtime.publisher,
        settler=settler,
        next_on_log=restorer.next_on_log,
    )
    built = ServiceApp(service, _faust_app(service, runtime), store, processor, restorer, lease, runtime.fail)
    _connect(built, runtime)
    return built


def _faust_app(service: Service, runtime: Runtime) -> faust.App:
    group = runtime.layout.group(service)
    datadir = runtime.directory / service.name / "faust"
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
        broker_max_poll_records=2_000,
        # One batch at a time in an agent's queue; what waits, waits in the consumer.
        stream_buffer_maxsize=4,
        web_enabled=False,
    )


def _connect(built: ServiceApp, runtime: Runtime) -> None:
    app, service = built.app, built.service

    def revoked() -> None:
        built.ready = False
        built.restorer.interrupt()
        built.store.withdraw()
        for tell in built.on_revoked:
            tell()

    def start_at(tp: TP) -> int | None:
        if tp.topic != service.inbox:
            return None
        try:
            decided = built.store.assigned(tp.partition).decided
        except NotOwner:
            return None  # another rebalance has begun: nothing is handed over until its restore
        return decided + 1 if decided >= 0 else None

    async def restore(partitions: set[int]) -> None:
        try:
            if await built.restorer.restore(partitions):
                for tell in built.on_ready:
                    await tell(partitions)
                built.ready = True
        except Exception as error:
            runtime.fail(error)

    app._new_transport = lambda: Transport(  # type: ignore[method-assign]
        app.conf.broker_consumer, app, lease=built.lease, on_revoked=revoked, start_at=start_at
    )
    changelog = app.topic(service.rows, partitions=built.store.partitions, key_serializer="raw", value_serializer="raw")
    app.Table(service.name, partitions=built.store.partitions, changelog_topic=changelog)
    manager = cast("RowsManager", app.tables)
    manager.restore, manager.restored = restore, lambda: built.ready
    app.on_before_shutdown.connect(_closer(built))


def _closer(built: ServiceApp) -> Callable[..., Any]:
    async def close(*args: object, **kwargs: object) -> None:
        built.ready = False
        for tell in built.on_revoked:
            tell()
        await built.restorer.stop()

    return close
