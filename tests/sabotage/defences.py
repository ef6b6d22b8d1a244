"""The defences, each removed by a patch inside a real worker. Product code knows nothing of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from typing import Any, cast

import msgspec

import agents.payment
import domain.availability
import streams.processor
import streams.restore
from adapters.provider import ProviderUnavailable
from domain.inventory import Night
from streams.changelog import Verdict, source_header
from streams.deciding import Poison
from streams.effects import EffectRunner
from streams.envelope import caused_by
from streams.events import Envelope
from streams.following import Healer
from streams.lease import Lease
from streams.local import POSITION_KEY, Row
from streams.processor import Batch, Processor
from streams.publisher import Acknowledgement, Record
from streams.settling import Settler, _position
from streams.slices import Slice
from streams.voice import Voice

_REMOVED: dict[str, Callable[[], None]] = {}


def remove(name: str) -> None:
    """Removes one from this process."""
    _REMOVED[name]()


def _removes(function: Callable[[], None]) -> Callable[[], None]:
    _REMOVED[function.__name__] = function
    return function


@_removes
def capacity() -> None:
    """A night is taken for fuller by one than it is allowed to be."""
    held: Any = vars(Night)["held"].fget
    vars_of_night: Any = Night
    vars_of_night.held = property(lambda night: max(0, held(night) - 1))


@_removes
def dead_letters() -> None:
    """Poison is dropped."""
    Processor._bury = lambda self, slice_, record, poison: None  # type: ignore[method-assign]


@_removes
def derived_ids() -> None:
    """Whatever follows gets an id that is drawn, and a new one if it is decided again: after outputs, before rows."""

    def drawn(cause: Envelope, event: Any, **more: Any) -> Envelope:
        return msgspec.structs.replace(caused_by(cause, event, **more), event_id=str(uuid.uuid4()))

    vars(streams.processor)["caused_by"] = drawn
    _slow_changelog()


def _slow_changelog() -> None:
    """What makes a kill between outputs and rows sure to happen."""
    settle = Settler._settle

    async def slowly(self: Settler, partition: Any, slice_: Slice) -> None:
        for acknowledged in slice_.outputs:
            await acknowledged
        await asyncio.sleep(0.3)
        await settle(self, partition, slice_)

    Settler._settle = slowly  # type: ignore[method-assign]


@_removes
def outputs_first() -> None:
    """Rows are made durable before what follows from them was said."""
    say = Voice.say

    def later(self: Voice, envelope: Envelope) -> Acknowledgement:
        loop = asyncio.get_running_loop()
        if not envelope.source.endswith("-service"):
            return say(self, envelope)
        loop.call_later(0.5, say, self, envelope)
        done = loop.create_future()
        done.set_result(None)
        return Acknowledgement(done)

    Voice.say = later  # type: ignore[method-assign]


@_removes
def results_before_commits() -> None:
    """A call is committed when it is begun."""
    perform = EffectRunner._perform

    async def committed(self: EffectRunner, partition: int, record: Any) -> None:
        self._commit(partition, record.offset + 1)
        await asyncio.sleep(1.5)
        await perform(self, partition, record)

    EffectRunner._perform = committed  # type: ignore[method-assign]


@_removes
def idempotency_keys() -> None:
    """Every attempt of a call has a key of its own; now and then the answer is lost and the call made again."""
    ask, lost = agents.payment._ask, iter(_every_fifth())

    async def anew(provider: Any, call: Any, token: str | None, key: str) -> Any:
        answer = await ask(provider, call, token, str(uuid.uuid4()))
        if next(lost):
            raise ProviderUnavailable("the answer is lost")
        return answer

    async def attempts(provider: Any, call: Any, token: str | None, key: str) -> Any:
        try:
            return await anew(provider, call, token, key)
        except ProviderUnavailable:
            return await ask(provider, call, token, str(uuid.uuid4()))

    vars(agents.payment)["_ask"] = attempts


def _every_fifth() -> Iterator[bool]:
    while True:
        yield from (False, False, False, False, True)


@_removes
def fencing() -> None:
    """A worker that was paused goes on as if its partitions were still its own, their owner puts right nothing of what
    it writes, and a recovery takes whatever stands last on the changelog.
    """

    async def nothing(*args: Any) -> None: ...

    lease, healer = cast("Any", Lease), cast("Any", Healer)
    lease.hold, lease.fresh, healer.guard = nothing, lambda self: True, nothing
    vars(streams.restore)["judge"] = lambda held, **record: Verdict.APPLY
    _slow_changelog()


@_removes
def memories() -> None:
    """What was refused or let go of is not remembered: the same hold once more is a new one."""
    known = domain.availability._record

    def forgotten(holding: Any, message: Any) -> Any:
        record = known(holding, message)
        return None if record is not None and record.state in ("refused", "released") else record

    vars(domain.availability)["_record"] = forgotten


@_removes
def processor() -> None:
    """A stock agent, at least once: rows are written by themselves, nothing is waited for, only offsets are kept."""

    async def apply(self: Processor, batch: Batch) -> None:
        partition, loop = self._store.assigned(batch.partition), asyncio.get_running_loop()
        for record in batch.records:
            try:
                message = self._decider.read(record)
                events, changes, now = self._decider.decide(partition.working, record, message)
            except Poison:
                continue  # acknowledged on the exception
            partition.working.hand_over(changes, 0)
            rows: dict[str, Row] = {}
            for key, written in changes.items():
                row = Record(key.encode(), written.payload, (source_header(record.offset),))
                self._publisher.send(f"vacancy.{self._service.name}.rows", partition.number, row)
                rows[key] = Row(written.payload, record.offset, 0)
            position = _position(record)
            self._publisher.send(f"vacancy.{self._service.name}.rows", partition.number, position)
            rows[POSITION_KEY] = Row(position.value, record.offset, 0)
            partition.store(rows, partition.local.changelog_next)
            partition.decided = record.offset
            partition.working.durable(iter(rows), 0)
            for event in events:
                envelope = caused_by(message, event, index=0, now=now, source=self._source)
                # As with a producer that lingers, which makes a kill before it sends sure to happen.
                loop.call_later(0.3, self._voice.say, msgspec.structs.replace(envelope, event_id=str(uuid.uuid4())))
            self._settler._commit(partition.number, record.offset + 1)
        batch.done()

    Processor.apply = apply  # type: ignore[method-assign]
