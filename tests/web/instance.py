"""A whole instance in memory, for the web's tests; only Kafka is left out.

The real tables decide on real rows as soon as something is appended, a provider answers at once, and plain views stand
for the compacted topics.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from streams.envelope import caused_by, originate
from streams.events import Envelope, Event
from streams.events.availability import ResourceDeclared
from streams.events.control import WorkerOwns
from streams.events.payment import PaymentMethod, ProviderAnswered, ProviderCall
from streams.events.rate_plans import PlanNews
from streams.events.users import ForgetUser, UserForgotten
from streams.keys import KEYS, partition_of
from streams.layout import Layout, load_layout
from streams.local import POSITION_KEY, Position, Row
from streams.log import Appended, LogUnavailable
from streams.rows import RowStore
from streams.services import SERVICES, Service
from streams.topics import Topic
from streams.working import WorkingRows
from tables.analytics import Analytics
from tables.availability import Availability
from tables.hooks import Hooks
from tables.notifications import Notifications
from tables.payments import Payments
from tables.rates import Rates
from tables.receipts import Receipts
from tables.records import Records
from tables.reservations import Reservations
from tables.users import Users
from tests.memory_log import MemoryLog

E = TypeVar("E", bound=Event)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_SERVICE_OF = {model.event_type: service for service in SERVICES.values() for model in service.accepts}


class View(Generic[E]):
    """A compacted topic's newest events."""

    def __init__(self) -> None:
        self.values: dict[str, E] = {}
        self._changed = asyncio.Condition()

    def get(self, key: str) -> E | None:
        return self.values.get(key)

    def items(self) -> Iterator[tuple[str, E]]:
        yield from list(self.values.items())

    async def put(self, key: str, value: E) -> None:
        async with self._changed:
            self.values[key] = value
            self._changed.notify_all()

    async def until(self, key: str, predicate: Callable[[E], bool], timeout: float) -> E:  # noqa: ASYNC109
        async with self._changed, asyncio.timeout(timeout):
            await self._changed.wait_for(lambda: key in self.values and predicate(self.values[key]))
            return self.values[key]


class Seals:
    """Marks what was sealed, so that tests see what is in the clear; `erased` users cannot be read any more."""

    def __init__(self) -> None:
        self.erased: set[str] = set()

    async def seal(self, user_id: str, text: str) -> str:
        return f"sealed:{user_id}:{text.encode().hex()}"

    async def unseal(self, user_id: str, sealed: str) -> str | None:
        owner, _, text = sealed.rpartition(":")
        assert owner == f"sealed:{user_id}"
        return None if user_id in self.erased else bytes.fromhex(text).decode()

    async def caught_up(self) -> None: ...

    async def forget(self, user_id: str) -> int:
        self.erased.add(user_id)
        return 1


class Table(Protocol):
    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]: ...


def _tables(layout: Layout) -> dict[str, Table]:
    return {
        "booking": Reservations(),
        "availability": Availability(rates="rate" in layout.running),
        "payment": Payments(),
        "user": Users(),
        "record": Records(),
        "notification": Notifications(),
        "receipt": Receipts(layout.partitions),
        "rate": Rates(),
        "analytics": Analytics(layout.partitions),
        "webhook": Hooks(),
    }


class Numbers:
    def __init__(self) -> None:
        self.given = 0

    async def next(self) -> int:
        self.given += 1
        return self.given


class Instance:
    """`append` as the log has it. While `paused` services are named, what their inboxes get waits there."""

    def __init__(self, directory: Path, layout: str = "catalogue") -> None:
        self.directory = directory
        self.layout: Layout = replace(load_layout(layout), partitions=2)
        self.rates: View[ResourceDeclared] = View()
        self.plans: View[PlanNews] = View()
        self.workers: View[WorkerOwns] = View()
        self.appended: list[Event] = []
        self.correlations: list[str | None] = []
        self.published: list[Envelope] = []
        #: Dead letters, and what becomes of them.
        self.dead = MemoryLog()
        self.reachable = True
        #: Why nothing new may be taken.
        self.hindrance = ""
        self.paused: set[str] = set()
        self.declines: str | None = None
        #: The provider does not answer: what it was asked waits in `calls`.
        self.silent = False
        self.calls: list[Envelope] = []
        self.now = NOW
        self.stores = {name: self._store(name, directory) for name in SERVICES}
        self._tables = _tables(self.layout)
        self._ends: dict[tuple[str, int], int] = {}
        self._waiting: deque[tuple[Service, int, int, Envelope]] = deque()

    def _store(self, name: str, directory: Path) -> RowStore:
        store = RowStore(name, self.layout.partitions, directory / name)
        for number in range(store.partitions):
            store.open(number)
            store.ready(number)

        async def end_of_inbox(partition: int) -> int:
            return self._ends.get((name, partition), 0)

        store.end_of_inbox = end_of_inbox
        return store

    def close(self) -> None:
        for store in self.stores.values():
            store.close()

    async def append(
        self,
        event: Event,
        *,
        source: str,
        correlation_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Appended:
        if not self.reachable:
            raise LogUnavailable("the broker is away")
        self.appended.append(event)
        self.correlations.append(correlation_id)
        envelope = originate(event, source=source, now=self.now, correlation_id=correlation_id, metadata=metadata)
        topic, partition, offset = await self._route(envelope)
        await self.run()
        return Appended(envelope, topic.name, partition, offset)

    async def run(self) -> None:
        """Decides what waits in inboxes that are not paused, and what follows from it."""
        held = [entry for entry in self._waiting if entry[0].name in self.paused]
        while self._waiting:
            entry = self._waiting.popleft()
            if entry[0].name in self.paused:
                held.append(entry) if entry not in held else None
            else:
                await self._decide(*entry)
        self._waiting.extend(held)

    async def _route(self, envelope: Envelope) -> tuple[Topic, int, int]:
        event = envelope.data
        topic, key = self.layout.route(event)
        partition = partition_of(key, topic.partitions)
        service = _SERVICE_OF.get(event.event_type)
        if service is None:
            await self._publish(envelope)
            return topic, partition, 0
        offset = self._ends.get((service.name, partition), 0)
        self._ends[service.name, partition] = offset + 1
        self._waiting.append((service, partition, offset, envelope))
        return topic, partition, offset

    async def _decide(self, service: Service, number: int, offset: int, envelope: Envelope) -> None:
        partition = self.stores[service.name].partition(number)
        rows = WorkingRows(partition.local)
        events = self._tables[service.name].apply(rows, envelope, self.now, offset)
        changed = {key: Row(written.payload, offset, offset) for key, written in rows.take_changes().items()}
        position = msgspec.json.encode(Position(offset, 0, 0))
        partition.store({**changed, POSITION_KEY: Row(position, offset, offset)}, offset + 1)
        for index, event in enumerate(events):
            await self._route(caused_by(envelope, event, index=index, now=self.now, source=service.name))

    async def _publish(self, envelope: Envelope) -> None:
        self.published.append(envelope)
        match envelope.data:
            case PlanNews() as news if news.ends_its_key:
                self.plans.values.pop(KEYS["resource/plan/night"](news), None)
            case PlanNews() as news:
                await self.plans.put(KEYS["resource/plan/night"](news), news)
            case ResourceDeclared() as declared:
                await self.rates.put(KEYS["resource"](declared), declared)
            case ProviderCall() if self.silent:
                self.calls.append(envelope)
            case ProviderCall() as call:
                answer = self._answer(call, envelope.event_id)
                await self._route(caused_by(envelope, answer, index=0, now=self.now, source="effects"))
            case ForgetUser() as forget if not self.silent:
                gone = UserForgotten(user_id=forget.user_id, asked_at=forget.asked_at, keys=1)
                await self._route(caused_by(envelope, gone, index=0, now=self.now, source="effects"))

    def _answer(self, call: ProviderCall, effect_id: str) -> ProviderAnswered:
        declined = self.declines if call.operation == "authorize" else None
        return ProviderAnswered(
            payment_id=call.payment_id,
            effect_id=effect_id,
            operation=call.operation,
            approved=declined is None,
            provider_reference=f"pi_{call.payment_id[:8]}",
            method=PaymentMethod(brand="visa", last4="4242"),
            error_code=declined,
            refund_id=call.refund_id,
        )
