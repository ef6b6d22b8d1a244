"""Fetches are finished in their order, once what follows from them is on the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from streams.finishing import Finishing
from streams.processor import Batch
from streams.publisher import Acknowledgement


class Log:
    """What was finished, and acknowledgements that come when a test says so."""

    def __init__(self) -> None:
        self.finished: list[int] = []
        self.failed: list[BaseException] = []
        self.finishing = Finishing(self._finish, self.failed.append)

    def _finish(self, fetched: Sequence[Batch]) -> None:
        self.finished += [batch.partition for batch in fetched]


def fetch(number: int) -> Sequence[Batch]:
    records: Any = [SimpleNamespace(offset=0)]
    return [Batch(number, records, lambda: None)]


def pending() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_next_fetch_does_not_wait_and_is_not_finished_first() -> None:
    log, first, second = Log(), pending(), pending()
    await log.finishing.add(fetch(1), [Acknowledgement(first)])
    await log.finishing.add(fetch(2), [Acknowledgement(second)])
    second.set_result(None)
    await turns()
    assert log.finished == []
    first.set_result(None)
    await turns()
    assert log.finished == [1, 2]


async def test_nothing_said_is_finished_at_once() -> None:
    log = Log()
    await log.finishing.add(fetch(1), [])
    await turns()
    assert log.finished == [1]
    await log.finishing.add(fetch(2), [])
    await turns()
    assert log.finished == [1, 2]


async def test_there_is_room_for_so_many() -> None:
    log, held = Log(), pending()
    added = 0

    async def add() -> None:
        nonlocal added
        for number in range(100):
            await log.finishing.add(fetch(number), [Acknowledgement(held)])
            added += 1

    adding = asyncio.create_task(add())
    await turns()
    assert 0 < added < 100
    held.set_result(None)
    await adding
    await turns()
    assert log.finished == list(range(100))


async def test_a_message_that_could_not_be_written_ends_the_process() -> None:
    log, lost = Log(), pending()
    await log.finishing.add(fetch(1), [Acknowledgement(lost)])
    lost.set_exception(OSError("no broker"))
    await turns()
    assert log.finished == []
    with pytest.raises(OSError, match="no broker"):
        raise log.failed[0]
