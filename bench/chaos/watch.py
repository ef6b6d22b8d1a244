"""Watches events flow: when the end of each changelog partition moved. A partition that moves is being decided."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from cli.audit import names
from streams.admin import admin

#: Of the services that every booking passes: others may have nothing to do for a while.
_TOPICS = tuple(f"vacancy.{service}.rows" for service in names.CORE)
_POLL = 0.05
_ANSWER = 3.0
_END = 2.0
#: What is raised while the broker is away.
_AWAY = (KafkaError, OSError, TimeoutError)
#: What a killed process had sent may still arrive for so long.
_ECHO = 0.2


@dataclass
class Flow:
    """The moments (monotonic, seconds) at which each partition was seen to have moved."""

    moved: defaultdict[TopicPartition, list[float]] = field(default_factory=lambda: defaultdict(list))
    _ends: dict[TopicPartition, int] = field(default_factory=dict)

    def see(self, ends: dict[TopicPartition, int], now: float) -> None:
        for tp, end in ends.items():
            if end > self._ends.get(tp, end):
                self.moved[tp].append(now)
            self._ends[tp] = end

    def seconds_from(self, moment: float) -> float | None:
        """How long after `moment` every partition that ever moved had moved again; None when one never did."""
        firsts = [
            next((at for at in moves if at > moment + _ECHO), None)
            for moves in self.moved.values()
            if moves[0] < moment
        ]
        if not firsts or None in firsts:
            return None
        return max(at for at in firsts if at is not None) - moment


@contextlib.asynccontextmanager
async def watched(bootstrap: Callable[[], str]) -> AsyncIterator[Flow]:
    """The flow for as long as it is looked at, whatever happens to the broker meanwhile."""
    flow = Flow()
    task = asyncio.create_task(_watch(bootstrap, flow))
    try:
        yield flow
    finally:
        # aiokafka drops a cancellation that meets one of its own, while it closes for one: asked until it has ended.
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=_END)
        with contextlib.suppress(asyncio.CancelledError):
            task.result()


async def _watch(bootstrap: Callable[[], str], flow: Flow) -> None:
    while True:
        with contextlib.suppress(*_AWAY):
            await _poll(bootstrap(), flow)
        await asyncio.sleep(_POLL)


async def _poll(bootstrap: str, flow: Flow) -> None:
    async with admin(bootstrap) as client:
        described = await client.describe_topics(list(_TOPICS))
    found = [TopicPartition(each["topic"], number) for each in described for number in range(len(each["partitions"]))]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, request_timeout_ms=2_000)
    try:
        await consumer.start()
        consumer.assign(found)
        consumer.pause(*found)
        while found:
            # Not `wait_for`: before Python 3.12 it drops a cancellation that comes together with the answer.
            async with asyncio.timeout(_ANSWER):
                ends = await consumer.end_offsets(found)
            flow.see(ends, time.monotonic())
            await asyncio.sleep(_POLL)
    finally:
        # aiokafka may wait for ever for a fetch that was cancelled with its broker; and what is raised here takes the
        # place of a cancellation.
        with contextlib.suppress(*_AWAY):
            async with asyncio.timeout(_END):
                await consumer.stop()
