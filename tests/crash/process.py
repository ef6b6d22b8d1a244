"""One life of an instance: the real Apps, agents, processors and tables, on what is durable and nothing else.

Only Faust, Kafka, RocksDB and the outside are left out. Everything that lasts goes through a seam here, which passes a
crash point before and after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from faust.types import TP

from adapters.links import Links
from agents.tools import Tools
from cli.compose import STATEFUL, STATELESS
from config.settings import Settings
from streams.app import ServiceApp, service_app
from streams.breakers import Breakers
from streams.events.hooks import EndpointKnown
from streams.group import GroupApp, Runtime, consumer_app
from streams.layout import Layout, load_layout
from streams.listening import Listener
from streams.restore import Returning
from streams.rows import Partition, RowStore
from streams.signing import Signer
from streams.voice import Voice
from tests.crash.durable import Durable
from tests.crash.outside import Endpoints, Hooks, Keys, Mailer, Passes, Provider, Receipts
from tests.crash.stand_ins import Disks, Faust, Log, Stream, Watched
from tests.domain.provider import Card

#: Fetches after which a flow that is not at rest never will be, and turns of the loop between two of them.
_PATIENCE, _TURNS = 5_000, 6
SIGNER = Signer(b"a test's own")


class Stuck(AssertionError):
    """The instance does not come to rest."""


@cache
def layout_of(name: str) -> Layout:
    """A layout whose inboxes have one partition: order between partitions is none anyway. It tries again at once, and
    so seldom that no breaker opens.
    """
    return replace(load_layout(name), partitions=1, retry_delays=(0.0, 0.0))


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
        breakers=Breakers("worker-0", lambda envelope: None),
        provider=cast("Any", Provider(durable, passes, card)),
        mailer=cast("Any", Mailer(durable, passes)),
        sms=nothing,
        links=Links("http://vacancy.example", b"a test's own"),
        receipts=cast("Any", Receipts()),
        endpoints=cast("Any", Endpoints(durable, layout.route_table()[EndpointKnown.event_type].name)),
        hooks=cast("Any", Hooks(durable, passes)),
    )
