"""Appending from outside: Kafka is asked for as long as the caller is promised, then that is logged and told."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.structs import RecordMetadata, TopicPartition

from streams.codec import decode
from streams.events.booking import CancelBooking
from streams.layout import Layout, load_layout
from streams.log import Log, LogUnavailable

ASKED = CancelBooking(booking_id="b", reason="rain", cancelled_by="guest")


class Producer:
    """Raises what it is told to, or takes what it is given when the test says so."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.takes = asyncio.Event()
        self.sent: list[bytes] = []
        self.left = 0

    async def send_and_wait(self, topic: str, *, key: bytes, value: bytes, partition: int) -> RecordMetadata:
        self.sent.append(value)
        if self.failure is not None:
            raise self.failure
        try:
            await self.takes.wait()
        except asyncio.CancelledError:
            self.left += 1
            raise
        return RecordMetadata(topic, partition, TopicPartition(topic, partition), 7, 0, 0, 0)


def log_of(producer: Any, layout: str = "clinic") -> Log:
    log = Log("nowhere:9092", load_layout(layout))
    log._producer = cast("AIOKafkaProducer", producer)
    return log


def levels(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.levelname for record in caplog.records if record.name == "streams.log"]


@pytest.mark.proves("CLN-19", "C11")
@pytest.mark.parametrize(("layout", "retries"), [("clinic", 3), ("catalogue", 5)])
async def test_what_is_not_taken_is_logged_at_each_retry_then_raised_and_handed_over_once(
    layout: str, retries: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("streams.log.APPEND_TIMEOUT_S", 0.05)
    producer = Producer()
    with pytest.raises(LogUnavailable, match="no acknowledgement"):
        await log_of(producer, layout).append(ASKED, source="gateway")
    assert levels(caplog) == ["WARNING"] * retries + ["ERROR"]
    await asyncio.sleep(0)
    assert (len(producer.sent), producer.left) == (1, 1)


async def test_what_is_taken_late_is_taken(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    producer = Producer()
    log = log_of(producer)

    class Late(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            producer.takes.set()

    monkeypatch.setattr("streams.log.APPEND_TIMEOUT_S", 4.0)
    logger, late = logging.getLogger("streams.log"), Late()
    logger.addHandler(late)
    try:
        appended = await log.append(ASKED, source="gateway")
    finally:
        logger.removeHandler(late)
    assert (appended.offset, levels(caplog)) == (7, ["WARNING"])
    assert [decode(value) for value in producer.sent] == [appended.envelope]


async def test_what_can_never_be_taken_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LogUnavailable, match="MessageSizeTooLarge"):
        await log_of(Producer(MessageSizeTooLargeError())).append(ASKED, source="gateway")
    assert levels(caplog) == ["ERROR"]


async def test_a_caller_that_goes_away_waits_no_longer() -> None:
    producer = Producer()
    asking = asyncio.create_task(log_of(producer).append(ASKED, source="gateway"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(0)
    assert (len(producer.sent), producer.left) == (1, 1)


@pytest.mark.broker
@pytest.mark.proves("CLN-19")
async def test_a_broker_that_is_away_is_told_and_what_it_was_handed_is_written_once(
    kafka: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With the real client, which raises nothing itself while it asks again."""
    layout = load_layout("clinic")
    topic = dataclasses.replace(layout.route(ASKED)[0], name="appended-while-away")
    await _create(kafka, topic.name, topic.partitions)
    log = Log(kafka, cast("Layout", SimpleNamespace(route=lambda _: (topic, "b"), retry_delays=layout.retry_delays)))
    await log.start()
    try:
        first = await log.append(ASKED, source="gateway")
        with monkeypatch.context() as away:
            away.setattr("streams.log.APPEND_TIMEOUT_S", 1.0)
            asked = _cut_off(log, away)
            with pytest.raises(LogUnavailable, match="no acknowledgement"):
                await log.append(ASKED, source="gateway")
        assert levels(caplog) == ["WARNING"] * 3 + ["ERROR"]
        assert len(asked) > 1, "the client asked again"
        monkeypatch.setattr("streams.log.APPEND_TIMEOUT_S", 60.0)
        last = await log.append(ASKED, source="gateway")
    finally:
        await log.stop()
    assert (first.offset, last.offset) == (0, 2)
    ids = [decode(value).event_id for value in await _read(kafka, topic.name, first.partition, 3)]
    assert (ids[0], ids[2], len(set(ids))) == (first.envelope.event_id, last.envelope.event_id, 3)


def _cut_off(log: Log, patch: pytest.MonkeyPatch) -> list[int]:
    """No connection is there any more, and none is made. Returns whom the client asks for one."""
    asked: list[int] = []

    async def refused(host: str, port: int, **more: object) -> None:
        asked.append(port)
        raise ConnectionRefusedError

    patch.setattr("aiokafka.client.create_conn", refused)
    for connection in list(cast("Any", log._producer).client._conns.values()):
        connection.close()
    return asked


async def _create(bootstrap: str, topic: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1)])
    finally:
        await admin.close()


async def _read(bootstrap: str, topic: str, partition: int, number: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, partition)])
        async with asyncio.timeout(60):
            return [bytes((await consumer.getone()).value) for _ in range(number)]
    finally:
        await consumer.stop()
