"""Ticks: a clock's belief that something in a row is due. The row, and the tick's own place on the log, decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from streams.app import ServiceApp
from streams.envelope import originate
from streams.events import Event
from streams.group import Runtime
from streams.rows import NotOwner, RowStore

TICK_S = 1.0

#: What is due in a partition by a time: bounded, the longest over first; the rest follows in the next tick.
Due = Callable[[RowStore, int, datetime], Sequence[Event]]


def tick(service: ServiceApp, runtime: Runtime, name: str, due: Due, every: float = TICK_S) -> None:
    """Has a service told, every so many seconds, of what is due in the partitions of this worker."""

    @service.app.timer(interval=every, name=name)  # type: ignore[untyped-decorator]
    async def tell() -> None:
        await service.guarded(tell_due(service, runtime, due, datetime.now(UTC)))


async def tell_due(service: ServiceApp, runtime: Runtime, due: Due, now: datetime) -> None:
    """Says what is due by `now`, and returns once it is on the log."""
    numbers = [partition.number for partition in service.store.owned()]
    ticks = [
        runtime.voice.say(originate(event, source="ticker", now=now))
        for number in numbers
        for event in _due(service.store, number, due, now)
    ]
    for acknowledged in ticks:
        await acknowledged


def _due(store: RowStore, partition: int, due: Due, now: datetime) -> Sequence[Event]:
    try:
        return due(store, partition, now)
    except NotOwner:
        return ()  # a rebalance came between: the next owner's ticker finds them
