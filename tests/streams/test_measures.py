"""How long records took, what failed and how far a recovery is, as a worker's page says it (CAT-36)."""

from __future__ import annotations

import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from streams.fetched import Batches
from streams.measures import Durations, Recovery, Underway, counted
from streams.services import BOOKING
from tests.memory_log import MemoryLog
from tests.streams.tally import Life, ask, booking_in, message

T = TP("t", 0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Group:
    """A group that fetches and finishes, and what its page says of it."""

    def __init__(self) -> None:
        self.durations, self.clock = Durations(), Clock()
        self.underway = Underway("g", self.durations, self.clock)

    def fetch(self, *offsets: int, tp: TP = T) -> None:
        self.underway.fetched(tp, records(*offsets))

    def took(self) -> dict[str, float]:
        """By bucket how many records took no longer; and their number and sum."""
        (family,) = self.durations.collect()
        assert all({"topic", "consumer_group"} >= sample.labels.keys() - {"le"} for sample in family.samples)
        return {
            sample.labels.get("le", sample.name.rpartition("_")[2]): sample.value
            for sample in family.samples
            if sample.labels["topic"] == "t"
        }


def records(*offsets: int) -> list[Any]:
    return [SimpleNamespace(offset=offset) for offset in offsets]


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


@pytest.mark.proves("CAT-36")
def test_a_record_takes_from_its_fetch_until_offsets_are_done_below_it() -> None:
    group = Group()
    group.fetch(0, 1, 2)
    group.clock.now = 0.2
    group.fetch(3, 4)
    group.clock.now = 3.0
    group.underway.done_below(T, 4)
    took = group.took()
    assert (took["2.5"], took["5.0"], took["count"]) == (0, 4, 4)
    assert took["sum"] == pytest.approx(3 * 3.0 + 2.8)
    group.clock.now = 7.0
    group.underway.done_below(T, 5)
    took = group.took()
    assert (took["5.0"], took["10.0"], took["+Inf"], took["count"]) == (4, 5, 5, 5)


def test_a_batch_that_is_done_in_parts_counts_each_record_once() -> None:
    group = Group()
    group.fetch(10, 11, 15, 16)  # what is not on the log was never handed over
    for offset in (11, 11, 12, 16, 17, 17):
        group.underway.done_below(T, offset)
    assert group.took()["count"] == 4


def test_what_was_under_way_when_a_partition_moved_is_not_counted() -> None:
    group = Group()
    group.fetch(0, 1)
    group.underway.forget()
    group.fetch(0, tp=TP("t", 1))
    group.clock.now = 1.0
    group.underway.done_below(T, 2)
    assert group.took() == {}
    group.underway.done_below(TP("t", 1), 1)
    assert group.took()["count"] == 1


def test_what_a_fetch_hands_on_is_told_for_each_partition() -> None:
    told: list[tuple[TP, int]] = []
    batches = Batches((), lambda tp, fetched: told.append((tp, len(fetched))))
    made = SimpleNamespace(topic="t", partition=0, offset=1, timestamp=1, timestamp_type=0)
    assert len(list(batches.iterate({T: [made, made], TP("t", 1): []}))) == 1
    assert told == [(T, 2)]


def test_a_page_has_the_histogram_under_its_exact_name() -> None:
    group, registry = Group(), CollectorRegistry()
    registry.register(group.durations)
    group.fetch(0)
    group.clock.now = 5.0
    group.underway.done_below(T, 1)
    page = generate_latest(registry).decode()
    series = 'kafka_consumer_processing_duration_seconds_bucket{consumer_group="g",le="5.0",topic="t"} 1.0'
    assert series in page.splitlines()


@pytest.mark.proves("CAT-36")
async def test_each_poisoned_record_is_an_error_of_its_topic_and_group(tmp_path: Path) -> None:
    log, labels = MemoryLog(), {"topic": BOOKING.inbox, "consumer_group": "vacancy-booking"}
    life = Life(log, tmp_path)
    labels["consumer_group"] = life.processor._group
    before = value("kafka_consumer_errors_total", **labels) or 0.0
    name = booking_in(0)
    for content in (message(name), b"no message", message(name, "boom"), message(name)):
        ask(log, content)
    assert await life.work()
    assert value("kafka_consumer_errors_total", **labels) == before + 2


async def test_each_failed_attempt_is_an_error() -> None:
    topic = f"effects-{uuid.uuid4()}"

    async def call(asked: int) -> int:
        if asked == 0:
            raise OSError("no connection")
        return asked

    calling = counted(call, topic, "g")
    assert await calling(3) == 3
    assert value("kafka_consumer_errors_total", topic=topic, consumer_group="g") is None
    with pytest.raises(OSError, match="no connection"):
        await calling(0)
    assert value("kafka_consumer_errors_total", topic=topic, consumer_group="g") == 1


def test_a_recovery_says_what_it_read_and_what_is_left() -> None:
    service = f"service-{uuid.uuid4()}"
    recovery = Recovery(service)

    def progress() -> tuple[float | None, float | None]:
        names = ("vacancy_recovery_rows", "vacancy_recovery_remaining")
        rows, left = (value(name, service=service, partition="1") for name in names)
        return rows, left

    recovery.begins(1, 100, 400)
    assert progress() == (0, 300)
    recovery.read(1, records(100, 150))
    assert progress() == (2, 249)
    recovery.read(1, records(380, 405))  # somebody appended meanwhile
    assert progress() == (4, 0)
    recovery.begins(1, 406, 406)
    assert progress() == (0, 0)
