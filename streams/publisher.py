"""Writing to the log from inside the processor: many records a request, and changelog slices as one record batch.

`KafkaPublisher` speaks to Kafka; `streams.memory` has the same for tests, in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.topics import LARGE

#: What one request to a topic of normal size may carry; the broker's own limit is 1 MiB.
_BATCH_BYTES = 900 * 1024
Headers = Sequence[tuple[str, bytes]]


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record to write. A value of None deletes the key on a compacted topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Acknowledgement:
    """Awaited until every replica asked for has a record. Many wait for the same one, so none may cancel it."""

    __slots__ = ("_future",)

    def __init__(self, future: asyncio.Future[None]) -> None:
        self._future = future
        # A failure is told to whoever waits; if nobody does any more, the process is ending anyway.
        future.add_done_callback(lambda done: done.exception())

    def __await__(self) -> Generator[None, None, None]:
        if self._future.done():
            return self._future.__await__()
        return asyncio.shield(self._future).__await__()


class Publisher(Protocol):
    """Where the processor writes."""

    def send(self, topic: str, partition: int, record: Record) -> Acknowledgement:
        """Queues a record; order per partition is kept. Records of one batch share their acknowledgement."""
        ...

    async def send_atomic(self, topic: str, partition: int, records: Sequence[Record]) -> int:
        """Writes the records as one record batch, which the log holds wholly or not at all; returns its first offset.

        Raises:
            BatchTooLarge: they do not fit one batch.
        """
        ...


class BatchTooLarge(Exception):
    """More than one record batch can hold: the caller has to cut smaller."""


@dataclass(frozen=True, slots=True)
class Others:
    """Topics that are written as their document sets its producers, which may promise less than ours (C9)."""

    topics: frozenset[str]
    acks: int | str = "all"
    compression: str | None = None
    batch_bytes: int = LARGE
    linger_ms: int = 0

    def producer(self, bootstrap: str) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            acks=self.acks,
            enable_idempotence=self.acks == "all",
            compression_type=self.compression,
            # A message larger than that is a batch of its own, not an error.
            max_batch_size=self.batch_bytes,
            max_request_size=2 * LARGE,
            request_timeout_ms=30_000,
        )


class KafkaPublisher:
    """Group commit: while one batch of a partition is on its way, the records behind it gather in the next."""

    def __init__(self, bootstrap: str, others: Others | None = None) -> None:
        self._others = others.topics if others is not None else frozenset()
        self._other = others.producer(bootstrap) if others is not None else None
        self._linger = others.linger_ms / 1000 if others is not None else 0.0
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=LARGE,
            max_request_size=2 * LARGE,
            request_timeout_ms=30_000,
        )
        self._waiting: dict[tuple[str, int], list[_Open]] = {}
        self._flushing: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def start(self) -> None:
        await self._producer.start()
        if self._other is not None:
            await self._other.start()

    async def stop(self) -> None:
        for task in list(self._flushing.values()):
            await asyncio.wait([task])
        await self._producer.stop()
        if self._other is not None:
            await self._other.stop()

    def send(self, topic: str, partition: int, record: Record) -> Acknowledgement:
        target = (topic, partition)
        waiting = self._waiting.setdefault(target, [])
        if not waiting or not waiting[-1].add(record):
            waiting.append(_Open(self._of(topic).create_batch(), record))
            if target not in self._flushing:
                self._flushing[target] = asyncio.create_task(self._flush(target))
        return waiting[-1].acknowledged

    async def send_atomic(self, topic: str, partition: int, records: Sequence[Record]) -> int:
        builder = self._producer.create_batch()
        for record in records:
            if not _append(builder, record):
                raise BatchTooLarge(f"{topic}/{partition}: {len(records)} rows")
        if builder.size() > LARGE:  # append() takes a first record of any size (docs/decisions/0003)
            raise BatchTooLarge(f"{topic}/{partition}: {builder.size()} bytes")
        sent = await (await self._producer.send_batch(builder, topic, partition=partition))
        return int(sent.offset)

    def _of(self, topic: str) -> AIOKafkaProducer:
        return self._other if self._other is not None and topic in self._others else self._producer

    async def _flush(self, target: tuple[str, int]) -> None:
        # Give everything that is ready now the chance to join the batch; a document may want more patience.
        await asyncio.sleep(self._linger if target[0] in self._others else 0)
        waiting = self._waiting[target]
        while waiting:
            await self._send_batch(target, waiting.pop(0))
        del self._flushing[target]

    async def _send_batch(self, target: tuple[str, int], batch: _Open) -> None:
        try:
            await (await self._of(target[0]).send_batch(batch.builder, target[0], partition=target[1]))
        except Exception as error:
            batch.sent.set_exception(error)
        else:
            batch.sent.set_result(None)


class _Open:
    """A batch that still takes records."""

    __slots__ = ("acknowledged", "builder", "sent")

    def __init__(self, builder: BatchBuilder, first: Record) -> None:
        self.builder = builder
        _append(builder, first)
        self.sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.acknowledged = Acknowledgement(self.sent)

    def add(self, record: Record) -> bool:
        if self.builder.size() + len(record.value or b"") > _BATCH_BYTES:
            return False
        return _append(self.builder, record)


def _append(builder: BatchBuilder, record: Record) -> bool:
    added = builder.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers))
    return added is not None
