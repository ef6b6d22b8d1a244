"""A compacted topic read whole into memory and followed: prices, owners, keys."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.codec import Undecodable, decode
from streams.ending import end_process
from streams.events import Event
from streams.topics import Topic

E = TypeVar("E", bound=Event)
logger = logging.getLogger(__name__)


class Compacted(Generic[E]):
    """The newest event under each key of a compacted topic; a record without a value takes its key away.

    Changes gather for `pause` seconds before they are read, which costs less than one by one; while somebody waits for
    them they are read at once.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: Topic,
        model: type[E],
        fail: Callable[[BaseException], object] = end_process,
        *,
        pause: float = 0.0,
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._model = model
        self._fail = fail
        self._values: dict[str, E] = {}
        self._next: dict[TopicPartition, int] = {}
        self._pause = pause
        self._changed = asyncio.Condition()
        self._waiting = 0
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Returns once everything that was on the topic at the call is read."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        self._consumer = consumer
        await consumer.start()
        partitions = [TopicPartition(self._topic.name, number) for number in range(self._topic.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                await self._read(timeout_ms=200)
            self._next[partition] = max(self._next.get(partition, 0), ends[partition])
        self._task = asyncio.create_task(self._follow(), name=f"follow {self._topic.name}")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._consumer is not None:
            await self._consumer.stop()

    def get(self, key: str) -> E | None:
        return self._values.get(key)

    def has_read(self, partition: int, offset: int) -> bool:
        """Whether the view has come past a place of the topic."""
        return self._next.get(TopicPartition(self._topic.name, partition), 0) > offset

    def items(self) -> Iterator[tuple[str, E]]:
        yield from list(self._values.items())

    async def until(self, key: str, predicate: Callable[[E], bool], timeout: float) -> E:  # noqa: ASYNC109
        """The value of a key as soon as it satisfies the predicate.

        Raises:
            TimeoutError: it did not within `timeout` seconds.
        """

        def satisfied() -> bool:
            value = self._values.get(key)
            return value is not None and predicate(value)

        with self._hurrying():
            async with self._changed:
                await asyncio.wait_for(self._changed.wait_for(satisfied), timeout)
                return self._values[key]

    async def caught_up(self, timeout: float) -> None:  # noqa: ASYNC109
        """Returns once everything that was on the topic at the call is read: what is missing then is not there.

        Raises:
            TimeoutError: Kafka did not say, or the reading took longer than `timeout` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._catch_up()
        except (TimeoutError, KafkaError) as error:
            raise TimeoutError(f"{self._topic.name} was not read to its end within {timeout:g} s") from error

    async def _catch_up(self) -> None:
        assert self._consumer is not None
        partitions = [TopicPartition(self._topic.name, number) for number in range(self._topic.partitions)]
        ends = await self._consumer.end_offsets(partitions)
        with self._hurrying():
            async with self._changed:
                await self._changed.wait_for(lambda: all(self._next.get(tp, 0) >= end for tp, end in ends.items()))

    async def _follow(self) -> None:
        try:
            while True:
                await self._read(timeout_ms=1000)
                await self._gather()
        except Exception as error:  # a view that went stale in silence would be worse than a restart
            self._fail(error)

    async def _gather(self) -> None:
        if self._pause:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._pause)

    @contextlib.contextmanager
    def _hurrying(self) -> Iterator[None]:
        self._waiting += 1
        self._hurry.set()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._hurry.clear()

    async def _read(self, timeout_ms: int) -> None:
        assert self._consumer is not None
        fetched = await self._consumer.getmany(timeout_ms=timeout_ms)
        if not fetched:
            return
        async with self._changed:
            for partition, records in fetched.items():
                for record in records:
                    self._take(record)
                self._next[partition] = records[-1].offset + 1
            self._changed.notify_all()

    def _take(self, record: ConsumerRecord[bytes, bytes]) -> None:
        key = (record.key or b"").decode(errors="replace")
        if record.value is None:
            self._values.pop(key, None)
            return
        try:
            event = decode(record.value).data
        except Undecodable as error:
            logger.warning("%s offset %s ignored: %s", record.topic, record.offset, error)
            return
        if isinstance(event, self._model):
            self._values[key] = event
