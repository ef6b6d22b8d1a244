"""How long two hops take at a steady rate: from an event's own time to when a reader has its answer.

Sent and read here, in this process, so both times are one clock's. A reader of committed records: what an exactly-once
system has not committed is not there yet.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.figures import quantile
from bench.micro.kafka import Kafka
from bench.micro.load import PARTITIONS, Load, value_of
from bench.micro.measure import alive, until
from bench.micro.systems import Run, System
from bench.parts import CannotMeasure
from streams.child import Child

_TICK_S = 0.002
#: At the rate, before it counts: connections, joined groups and just-in-time compilers are not of interest.
_WARM_S = 3.0
_START_S, _REST_S = 60.0, 10.0
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


async def latency(kafka: Kafka, system: System, run: Run, load: Load, rate: int, seconds: float) -> dict[str, Any]:
    """Quantiles in milliseconds at `rate` events a second, over `seconds`.

    Raises:
        CannotMeasure: it ended, or did not answer.
    """
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
    reader = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, isolation_level="read_committed")
    await producer.start()
    await reader.start()
    try:
        reader.assign([TopicPartition(run.output, number) for number in range(PARTITIONS)])
        await reader.seek_to_beginning()
        with alive(system, run) as child:
            return await _paced(Pace(producer, run.source, load), Watch(reader), child, rate, seconds)
    finally:
        await reader.stop()
        await producer.stop()


class Pace:
    """Sends the bookings of a load when they are due."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, load: Load) -> None:
        self._producer = producer
        self._topic = topic
        self._bookings = itertools.cycle(load.bookings())
        self.sent = 0

    async def send(self, rate: int) -> None:
        """For as long as it is not cancelled."""
        begun, count = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - begun) * rate)
            for _ in range(count, due):
                booking = next(self._bookings)
                await self._producer.send(
                    self._topic,
                    key=booking.booking_id.encode(),
                    value=value_of(booking),
                    partition=booking.partition,
                )
            self.sent, count = self.sent + max(0, due - count), max(due, count)
            await asyncio.sleep(_TICK_S)


class Watch:
    """Reads the answers as they become readable."""

    def __init__(self, reader: AIOKafkaConsumer) -> None:
        self._reader = reader
        self.answers = 0
        #: When each event was sent, and how long its answer took, both in milliseconds.
        self.took: list[tuple[float, float]] = []

    async def read(self) -> None:
        """For as long as it is not cancelled."""
        while True:
            fetched = await self._reader.getmany(timeout_ms=500)
            now = time.time() * 1000
            for records in fetched.values():
                self.answers += len(records)
                for record in records:
                    sent = orjson.loads(record.value)["sent"]
                    self.took.append((sent, now - sent))

    def between(self, begin: float, end: float) -> list[float]:
        """How long the answers took to what was sent in between, in milliseconds."""
        return [took for sent, took in self.took if begin <= sent < end]


async def _paced(pace: Pace, watch: Watch, child: Child, rate: int, seconds: float) -> dict[str, Any]:
    async def answering() -> bool:
        return watch.answers > 0

    async def all_answered() -> bool:
        return watch.answers >= pace.sent

    reading = asyncio.create_task(watch.read())
    first = asyncio.create_task(pace.send(PARTITIONS))
    try:
        await until(answering, child, _START_S, "answer")
    finally:
        first.cancel()
    sending = asyncio.create_task(pace.send(rate))
    try:
        await asyncio.sleep(_WARM_S)
        begin = time.time() * 1000
        await asyncio.sleep(seconds)
        end = time.time() * 1000
        sending.cancel()
        await until(all_answered, child, _REST_S, f"answer {rate} events a second")
    finally:
        sending.cancel()
        reading.cancel()
        await asyncio.gather(reading, sending, first, return_exceptions=True)
    return summary(watch.between(begin, end), rate, seconds)


def summary(took: list[float], rate: int, seconds: float) -> dict[str, Any]:
    """What was seen. Raises CannotMeasure: fewer than nine of ten events that were due came."""
    if len(took) < 0.9 * rate * seconds:
        raise CannotMeasure(f"{len(took)} of {rate * seconds:.0f} events could be sent and answered")
    figures = {name: round(quantile(took, share), 2) for name, share in _SHARES.items()}
    return {"events_per_second": rate, "seconds": seconds, "events": len(took), "ms": {**figures, "max": max(took)}}
