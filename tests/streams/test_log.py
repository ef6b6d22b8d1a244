"""Appending from outside: what Kafka does not take is sent again as the layout says, then told to the caller."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
)

from streams.codec import decode
from streams.events.booking import CancelBooking
from streams.layout import load_layout
from streams.log import Log, LogUnavailable

ASKED = CancelBooking(booking_id="b", reason="rain", cancelled_by="guest")


class Producer:
    """Fails as it is told, then takes what it is given."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.sent: list[bytes] = []

    async def send_and_wait(self, topic: str, *, key: bytes, value: bytes, partition: int) -> Any:
        self.sent.append(value)
        if self.failures:
            raise self.failures.pop(0)
        return SimpleNamespace(partition=partition, offset=7)


def log_of(producer: Any, layout: str = "clinic") -> Log:
    log = Log("nowhere:9092", load_layout(layout))
    log._producer = cast("AIOKafkaProducer", producer)
    return log


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were taken, none of which lasts."""
    taken: list[float] = []
    sleep = asyncio.sleep

    async def at_once(delay: float) -> None:
        taken.append(delay)
        await sleep(0)

    monkeypatch.setattr("streams.log.asyncio.sleep", at_once)
    return taken


@pytest.mark.proves("CLN-19", "C11")
async def test_three_times_after_100_ms_then_it_is_logged_and_raised(
    pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    producer = Producer(*(KafkaConnectionError() for _ in range(4)))
    with pytest.raises(LogUnavailable):
        await log_of(producer).append(ASKED, source="gateway")
    assert (len(producer.sent), pauses) == (4, [0.1, 0.1, 0.1])
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3 + ["ERROR"]


@pytest.mark.parametrize("failure", [KafkaTimeoutError(), NotLeaderForPartitionError()])
async def test_what_is_sent_again_is_the_same_message(pauses: list[float], failure: Exception) -> None:
    producer = Producer(failure, failure)
    appended = await log_of(producer, "catalogue").append(ASKED, source="gateway")
    assert (appended.offset, len(set(producer.sent)), pauses) == (7, 1, [0.1, 0.2])
    assert decode(producer.sent[0]) == appended.envelope


async def test_what_can_never_be_taken_is_not_sent_again(pauses: list[float]) -> None:
    producer = Producer(MessageSizeTooLargeError())
    with pytest.raises(LogUnavailable):
        await log_of(producer).append(ASKED, source="gateway")
    assert (len(producer.sent), pauses) == (1, [])


async def test_all_attempts_together_take_no_longer_than_the_caller_is_promised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Silent:
        async def send_and_wait(self, topic: str, **more: Any) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr("streams.log.APPEND_TIMEOUT_S", 0.01)
    with pytest.raises(LogUnavailable, match="TimeoutError"):
        await log_of(Silent()).append(ASKED, source="gateway")
