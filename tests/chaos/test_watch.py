"""The watch ends when it is told to, whatever its consumer is doing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition

from bench.chaos import watch


class Consumer:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.stops = True
        self.broken = False

    async def start(self) -> None: ...

    def assign(self, partitions: list[TopicPartition]) -> None: ...

    def pause(self, *partitions: TopicPartition) -> None: ...

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked.set()
        if self.broken:
            raise RuntimeError("to end what would not end")
        await self.answer
        return dict.fromkeys(partitions, 1)

    async def stop(self) -> None:
        if not self.stops:
            await asyncio.get_running_loop().create_future()


class Admin:
    async def describe_topics(self, topics: list[str]) -> list[dict[str, object]]:
        return [{"topic": topic, "partitions": [0, 1]} for topic in topics]


@pytest.fixture
async def consumer(monkeypatch: pytest.MonkeyPatch) -> Consumer:
    @asynccontextmanager
    async def admin(bootstrap: str) -> AsyncIterator[Admin]:
        yield Admin()

    made = Consumer()
    monkeypatch.setattr(watch, "admin", admin)
    monkeypatch.setattr(watch, "AIOKafkaConsumer", lambda **settings: made)
    monkeypatch.setattr(watch, "_END", 0.05)
    return made


@pytest.mark.parametrize("turns", range(5))
async def test_an_answer_that_comes_with_the_end_does_not_keep_it(consumer: Consumer, turns: int) -> None:
    async def watching() -> None:
        async with watch.watched(lambda: ""):
            await consumer.asked.wait()
            consumer.answer.set_result(None)
            for _ in range(turns):
                await asyncio.sleep(0)

    await ends(watching(), consumer)


async def test_a_consumer_that_does_not_stop_does_not_keep_it(consumer: Consumer) -> None:
    async def watching() -> None:
        async with watch.watched(lambda: ""):
            consumer.stops = False
            await consumer.asked.wait()

    await ends(watching(), consumer)


async def ends(watching: Coroutine[Any, Any, None], consumer: Consumer) -> None:
    # Not a timeout, which cancels: a second cancellation may do what the first did not.
    task = asyncio.create_task(watching)
    done, _ = await asyncio.wait([task], timeout=10)
    consumer.broken = True
    if not consumer.answer.done():
        consumer.answer.set_result(None)
    await asyncio.wait([task])
    assert done
