"""Appending to the log from outside a decision: what is answered is on Kafka, on every replica it asks for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.structs import RecordMetadata

from streams.codec import encode
from streams.envelope import originate
from streams.events import Envelope, Event
from streams.keys import partition_of
from streams.layout import Layout
from streams.topics import Topic

logger = logging.getLogger(__name__)
#: After so long without an acknowledgement the caller is told; the record may still arrive.
APPEND_TIMEOUT_S = 10.0


class LogUnavailable(Exception):
    """Kafka did not acknowledge in time: the record may or may not be on the log."""


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a message landed."""

    envelope: Envelope
    topic: str
    partition: int
    offset: int


def producer(bootstrap: str) -> AIOKafkaProducer:
    """A producer that loses nothing: acks=all, idempotent (HTL-36)."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_request_size=8 * 1024 * 1024,
        request_timeout_ms=15_000,
        retry_backoff_ms=100,
    )


class Log:
    """The log as the outside writes to it: each event goes to its layout's topic, under its key.

    A record is handed to the client once. Until Kafka takes it the client asks again by itself, every 100 ms and under
    the same sequence number, so that it is written once; handed over a second time it would be a second record. The
    layout's retries are how often we say that it waits, before that is logged and raised (CLN-19).
    """

    def __init__(self, bootstrap: str, layout: Layout) -> None:
        self._layout = layout
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        self._producer = producer(self._bootstrap)
        await self._producer.start()

    async def stop(self) -> None:
        if self._producer is not None:
            await self._producer.stop()

    async def append(
        self,
        event: Event,
        *,
        source: str,
        correlation_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Appended:
        """Appends an originating event and returns once Kafka has it.

        Raises:
            LogUnavailable: no acknowledgement within 10 s; safe to append again, receivers know a retry.
        """
        now = datetime.now(UTC)
        envelope = originate(event, source=source, now=now, correlation_id=correlation_id, metadata=metadata)
        topic, key = self._layout.route(event)
        partition, offset = await self._send(topic, key, None if event.ends_its_key else encode(envelope))
        return Appended(envelope, topic.name, partition, offset)

    async def _send(self, topic: Topic, key: str, value: bytes | None) -> tuple[int, int]:
        if self._producer is None:
            raise LogUnavailable("the log is not open")
        sending = asyncio.ensure_future(
            self._producer.send_and_wait(
                topic.name, key=key.encode(), value=value, partition=partition_of(key, topic.partitions)
            )
        )
        try:
            sent = await self._taken(topic.name, sending)
        except KafkaError as error:
            logger.error("%s: not appended: %s: %s", topic.name, type(error).__name__, error)
            raise LogUnavailable(f"{topic.name}: {type(error).__name__}: {error}") from error
        finally:
            sending.cancel()  # nobody waits any more; what the client has queued it still sends
        return sent.partition, sent.offset

    async def _taken(self, topic: str, sending: asyncio.Future[RecordMetadata]) -> RecordMetadata:
        """Waits in as many equal parts as the layout has attempts."""
        retries = len(self._layout.retry_delays)
        for attempt in range(retries + 1):
            await asyncio.wait([sending], timeout=APPEND_TIMEOUT_S / (retries + 1))
            if sending.done():
                return sending.result()
            if attempt < retries:
                logger.warning("%s: not taken yet, Kafka is asked again: %s of %s", topic, attempt + 1, retries)
        raise KafkaTimeoutError(f"no acknowledgement within {APPEND_TIMEOUT_S:g} s")
