"""One life of an instance: the real Apps, agents, processors and tables, on what is durable and nothing else.

Only Faust, Kafka, RocksDB and the outside are left out. Everything that lasts goes through a seam here, which passes a
crash point before and after it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import msgspec
from faust.types import TP

from adapters.links import Links
from agents.tools import Tools
from cli.compose import STATEFUL, STATELESS
from config.settings import Settings
from streams.app import ServiceApp, service_app
from streams.deciding import Decides
from streams.envelope import NAMESPACE, caused_by, originate
from streams.events import ENCODER, Envelope, Event
from streams.events.hooks import EndpointKnown
from streams.group import GroupApp, Runtime, consumer_app
from streams.layout import Layout, load_layout
from streams.listening import Listener
from streams.publisher import Acknowledgement, Record
from streams.restore import Returning
from streams.rows import Partition, RowStore
from streams.signing import Signer
from streams.voice import Voice
from streams.working import WorkingRows
from tests.crash.durable import Durable, Rows
from tests.crash.outside import Endpoints, Hooks, Keys, Mailer, Passes, Provider, Receipts
from tests.domain.provider import Card
from tests.memory_log import Stored

#: Who says what came of a call, or that something is due: under ids that are drawn, where nobody counts them.
_DRAWN = ("payment", "sending", "texting", "hooks", "forgetting", "receipt")
#: Fetches after which a flow that is not at rest never will be, and turns of the loop between two of them.
_PATIENCE, _TURNS = 5_000, 6
SIGNER = Signer(b"a test's own")


class Stuck(AssertionError):
    """The instance does not come to rest."""


class Faust:
    """What our Apps use of a Faust App: agents and timers are noted, and driven by `Process`."""

    def __init__(self, group: str, partitions: int, done_below: Callable[[str, TP, int], None]) -> None:
        self.group = group
        self.agents: dict[tuple[str, ...], Callable[[Any], Coroutine[Any, Any, None]]] = {}
        self.timers: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.conf = SimpleNamespace(topic_partitions=partitions, broker_consumer="")
        self.consumer = SimpleNamespace(done_below=partial(done_below, group))
        self.tables = SimpleNamespace()
        self.on_before_shutdown = SimpleNamespace(connect=lambda handler: None)

    def topic(self, *names: str, **options: Any) -> tuple[str, ...]:
        return names

    def agent(self, topics: tuple[str, ...], name: str) -> Callable[[Any], Any]:
        return lambda function: self.agents.setdefault(topics, function)

    def timer(self, interval: float, name: str) -> Callable[[Any], Any]:
        return self.timers.append

    def Table(self, *names: str, **options: Any) -> None: ...


class Stream:
    """What an agent of a group reads: of each place, what was not fetched yet."""

    def __init__(self, group: str, first: dict[tuple[str, int], int]) -> None:
        self.group = group
        #: The next record to fetch, by topic and partition.
        self.next = first
        self._fetches: asyncio.Queue[list[list[Stored]]] = asyncio.Queue()

    def fetch(self, durable: Durable) -> None:
        fetched = [log[next_:] for place, next_ in self.next.items() if len(log := durable.logs[place]) > next_]
        for records in fetched:
            self.next[records[0].topic, records[0].partition] += len(records)
        if fetched:
            self._fetches.put_nowait(fetched)

    def noack(self) -> Stream:
        return self

    async def events(self) -> AsyncIterator[Any]:
        while True:
            yield SimpleNamespace(value=await self._fetches.get(), ack=lambda: None)


class Log:
    """The publisher: what is sent lies on the log some turns later, and is acknowledged then."""

    def __init__(self, durable: Durable, passes: Passes) -> None:
        self._durable, self._passes = durable, passes
        self._tails: dict[tuple[str, int], asyncio.Task[None]] = {}

    def send(self, topic: str, partition: int, record: Record) -> Acknowledgement:
        before = self._tails.get((topic, partition))
        task = self._tails[topic, partition] = asyncio.create_task(self._append(before, topic, partition, record))
        return Acknowledgement(task)

    async def _append(self, before: asyncio.Task[None] | None, topic: str, partition: int, record: Record) -> None:
        # Whoever does not wait for the acknowledgement has gone on by then.
        for _ in range(5):
            await asyncio.sleep(0)
        if before is not None:
            await before
        self._passes("before the output is durable")
        self._durable.append(topic, partition, record)
        self._passes("after the output is durable")

    async def send_atomic(self, topic: str, partition: int, records: Sequence[Record]) -> int:
        await asyncio.sleep(0)
        self._passes("before the changelog is durable")
        first = self._durable.append(topic, partition, records[0]).offset
        for record in records[1:]:
            self._durable.append(topic, partition, record)
        self._passes("after the changelog is durable")
        return first


class Watched:
    """A service's table, with a crash point on both sides of each decision."""

    def __init__(self, table: Decides, passes: Passes) -> None:
        self._table, self._passes = table, passes
        self.refuse = table.refuse

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        self._passes("before the decision")
        events = self._table.apply(rows, message, now, offset)
        self._passes("after the decision")
        return events


class Disks(RowStore):
    """The rows of a service, on the disks of `Durable`."""

    def __init__(self, service: str, partitions: int, durable: Durable, passes: Passes) -> None:
        super().__init__(service, partitions, Path())
        self._durable, self._passes = durable, passes

    def open(self, partition: int) -> Partition:
        if partition not in self._open:
            local = Rows(self._durable.disks[self.service, partition])
            local.write = partial(self._write, local.write)  # type: ignore[method-assign]
            self._open[partition] = Partition(partition, local)
        return self._open[partition]

    def _write(self, write: Callable[..., None], *what: Any) -> None:
        self._passes("before the local write")
        write(*what)
        self._durable.version += 1
        self._passes("after the local write")


@cache
def layout_of(name: str) -> Layout:
    """A layout whose inboxes have one partition: order between partitions is none anyway."""
    return replace(load_layout(name), partitions=1)


class Process:
    """Everything that runs, from a start to a kill. `passes` is told of each crash point."""

    def __init__(
        self, durable: Durable, layout: Layout, services: Sequence[str], card: Card, passes: Passes, data: Path
    ) -> None:
        self.durable, self.layout = durable, layout
        self._passes: Passes = lambda point: None
        self._failures: list[BaseException] = []
        self._apps: list[Faust] = []
        self._streams: list[Stream] = []
        #: The partitions of inboxes that are decided here.
        self._owned: dict[tuple[str, int], Partition] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.services: list[ServiceApp] = []
        self._log = Log(durable, lambda point: self._passes(point))
        keys = Keys(durable, lambda point: self._passes(point))
        runtime = Runtime(
            bootstrap="",
            layout=layout,
            directory=data / "state",
            slot=0,
            session_timeout=3_600,
            publisher=self._log,
            voice=Voice(self._log, layout, SIGNER, keys),
            fail=self._failures.append,
        )
        tools = _tools(durable, layout, card, data, runtime, keys, lambda point: self._passes(point))
        with patch("streams.app.faust_app", self._app), patch("streams.group.faust_app", self._app):
            groups = [self._group(name, tools) for name in services]
        self.services = [group for group in groups if isinstance(group, ServiceApp)]
        for service in self.services:
            self._restore(service)
        self._passes = passes  # what came before was the start, which changes nothing

    def _app(self, name: str, runtime: Runtime) -> Any:
        self._apps.append(Faust(runtime.layout.group(name), runtime.layout.partitions, self._done_below))
        return self._apps[-1]

    def _group(self, name: str, tools: Tools) -> GroupApp:
        if name in STATELESS:
            group = consumer_app(name, tools.runtime)
            STATELESS[name](group, tools)
            return group
        table, attach = STATEFUL[name]
        passes: Passes = lambda point: self._passes(point)  # noqa: E731
        store: Callable[..., RowStore] = lambda name, partitions, directory: Disks(  # noqa: E731
            name, partitions, self.durable, passes
        )
        with patch("streams.app.RowStore", store):
            watched = Watched(table(self.layout), passes)
            built = service_app(self.layout.services[name], watched, tools.runtime)
        attach(built, tools)
        return built

    def _restore(self, service: ServiceApp) -> None:
        """What `streams.restore` does, but for the reading."""
        for number in range(self.layout.partitions):
            partition = service.store.open(number)
            records = self.durable.logs[service.service.rows, number][partition.local.changelog_next :]
            if records:
                Returning(partition).take(records)
            partition.restored()
            service.store.ready(number)
            self._owned[service.service.inbox, number] = partition

    def _done_below(self, group: str, tp: TP, offset: int) -> None:
        self._passes("before the commit")
        self.durable.committed[group, tp.topic, tp.partition] = offset
        self.durable.version += 1
        self._passes("after the commit")

    # --- what Faust does ---

    def start(self) -> None:
        """Every agent begins where its group stands."""
        for app in self._apps:
            for topics, agent in app.agents.items():
                first = {place: self._done(app.group, place) for place in self._places(topics)}
                stream = Stream(app.group, first)
                self._streams.append(stream)
                self._tasks.append(asyncio.create_task(agent(stream)))

    async def kill(self) -> None:
        """Nothing of it goes on."""
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def rest(self) -> None:
        """Works until everything that was said is done, ticks and what follows from them too."""
        for _ in range(5):
            await self._work()
            before = self.durable.version
            for app in self._apps:
                for timer in app.timers:
                    await timer()
            if self.durable.version == before:
                return
        raise Stuck("the clocks say the same for ever")

    async def _work(self) -> None:
        for _ in range(_PATIENCE):
            for stream in self._streams:
                stream.fetch(self.durable)
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if self._failures:
                raise self._failures[0]
            for task in self._tasks:
                if task.done():
                    task.result()
            if not any(self._waiting()):
                return
        raise Stuck(f"these wait for ever: {list(self._waiting())}")

    def _waiting(self) -> Iterator[tuple[str, str, int]]:
        """What is not done yet: an inbox's records by the position, all others by what is committed."""
        for stream in self._streams:
            for place in stream.next:
                if (end := len(self.durable.logs[place])) and self._done(stream.group, place) < end:
                    yield (stream.group, *place)

    def _done(self, group: str, place: tuple[str, int]) -> int:
        owned, committed = self._owned.get(place), self.durable.committed.get((group, *place), 0)
        return owned.position + 1 if owned is not None and owned.position >= 0 else committed

    def _places(self, topics: Sequence[str]) -> Iterator[tuple[str, int]]:
        for topic in topics:
            known = self.layout.named.get(topic)
            for number in range(known.partitions if known is not None else self.layout.partitions):
                yield topic, number


_settings = cache(lambda data: Settings(data=data))


def _tools(
    durable: Durable, layout: Layout, card: Card, data: Path, runtime: Runtime, keys: Keys, passes: Passes
) -> Tools:
    nothing: Any = None
    return Tools(
        settings=_settings(data),
        runtime=runtime,
        listener=Listener(layout, SIGNER),
        keyring=cast("Any", keys),
        rates=nothing,
        numbers=nothing,
        provider=cast("Any", Provider(durable, passes, card)),
        mailer=cast("Any", Mailer(durable, passes)),
        sms=nothing,
        links=Links("http://vacancy.example", b"a test's own"),
        receipts=cast("Any", Receipts()),
        endpoints=cast("Any", Endpoints(durable, layout.route_table()[EndpointKnown.event_type].name)),
        hooks=cast("Any", Hooks(durable, passes)),
    )


def said(durable: Durable, layout: Layout, event: Event, source: str) -> Envelope:
    """An originating envelope, under an id that follows from how often the same was said before."""
    before = _times(durable, layout, event, ENCODER.encode(event))
    envelope = originate(event, source=source, now=durable.now, correlation_id="")
    drawn = str(uuid.uuid5(NAMESPACE, f"{event.event_type}/{event}/{before}"))
    return msgspec.structs.replace(envelope, event_id=drawn, correlation_id=drawn)


def _times(durable: Durable, layout: Layout, event: Event, of: bytes) -> int:
    """How many messages like this are where it goes, and contain that: what was lost with a crash is not counted."""
    topic, key = layout.route(event)
    here = durable.logs[topic.name, topic.partition(key)]
    return sum(of in (record.value or b"") and event.event_type.encode() in (record.value or b"") for record in here)


@contextmanager
def counted(durable: Durable, layout: Layout) -> Iterator[None]:
    """Within it, ids that are drawn follow from how often the same was said before; clocks show the flow's time.

    So what is appended a second time has another id than the first, as it has when it is drawn, and yet two runs can be
    compared.
    """

    def resulting(cause: Envelope, event: Event, *, now: datetime, source: str) -> Envelope:
        before = _times(durable, layout, event, cause.event_id.encode())
        return caused_by(cause, event, index=before, now=durable.now, source=source)

    async def at_once(function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    with ExitStack() as patches:
        for name in _DRAWN:
            patches.enter_context(patch(f"agents.{name}.resulting", resulting))
        patches.enter_context(
            patch("agents.ticking.originate", lambda event, source, now: said(durable, layout, event, source))
        )
        patches.enter_context(patch("agents.ticking.datetime", SimpleNamespace(now=lambda zone: durable.now)))
        patches.enter_context(patch("itsdangerous.timed.time", SimpleNamespace(time=lambda: durable.now.timestamp())))
        patches.enter_context(patch("asyncio.to_thread", at_once))
        yield
