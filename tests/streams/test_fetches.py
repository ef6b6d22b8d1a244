"""What one fetch brought an agent is one message for Faust and a batch for each partition for us."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from streams.fetched import Batches
from streams.group import batches, fetches


def records(topic: str, partition: int, *offsets: int) -> list[Any]:
    return [
        SimpleNamespace(topic=topic, partition=partition, offset=offset, timestamp=7, timestamp_type=0)
        for offset in offsets
    ]


FETCHED = {
    TP("created", 0): records("created", 0, 4, 5),
    TP("inbox", 1): records("inbox", 1, 9),
    TP("created", 1): [],
    TP("confirmed", 2): records("confirmed", 2, 1),
    TP("inbox", 0): records("inbox", 0, 3, 4),
}


class Stream:
    """One fetch as Faust's stream hands it over."""

    def __init__(self, value: Any) -> None:
        self.acknowledged = 0
        self._value = value

    def noack(self) -> Stream:
        return self

    async def events(self) -> AsyncIterator[Any]:
        yield SimpleNamespace(value=self._value, ack=self._ack)

    def _ack(self) -> None:
        self.acknowledged += 1


def test_documented_topics_are_one_message_and_every_other_topic_is_its_own() -> None:
    found = dict(Batches({"created", "confirmed"}).iterate(FETCHED))
    assert list(found) == [TP("created", 0), TP("inbox", 1)]
    documented, inbox = found.values()
    assert (documented.topic, documented.partition, documented.offset) == ("created", 0, 5)
    assert [[each.offset for each in part] for part in documented.value] == [[4, 5], [1]]
    assert [(part[0].partition, len(part)) for part in inbox.value] == [(1, 1), (0, 2)]


def test_nothing_fetched_is_no_message() -> None:
    assert list(Batches().iterate({TP("created", 1): []})) == []


async def test_faust_hears_that_it_is_done_when_every_partition_is() -> None:
    stream = Stream([records("inbox", 1, 9), records("inbox", 0, 3, 4)])
    (fetched,) = [each async for each in fetches(stream)]
    assert [(batch.partition, len(batch.records)) for batch in fetched] == [(1, 1), (0, 2)]
    fetched[1].done()
    assert stream.acknowledged == 0
    fetched[0].done()
    assert stream.acknowledged == 1


async def test_batches_come_one_after_the_other() -> None:
    stream = Stream([records("inbox", 1, 9), records("inbox", 0, 3, 4)])
    assert [batch.partition async for batch in batches(stream)] == [1, 0]
