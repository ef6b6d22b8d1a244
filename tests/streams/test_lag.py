"""How far the groups are behind, worked out from offsets."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from config.settings import layouts
from streams.lag import behind, counts, left_open, read_by, reads_next, waiting
from streams.layout import load_layout
from streams.replays import replays_topic

A0, A1, B0 = TopicPartition("a", 0), TopicPartition("a", 1), TopicPartition("b", 0)


def test_a_group_reads_on_behind_what_it_committed() -> None:
    begins = {A0: 0, A1: 50, B0: 0}
    # Of a1 what it committed is gone by now; of b it committed something once, but does not read it.
    assert reads_next({"a"}, {A0: 7, A1: 3, B0: 5}, begins) == {A0: 7, A1: 50}
    assert reads_next({"a", "b"}, {}, begins) == begins


def test_a_lag_is_that_of_all_partitions_and_as_old_as_its_oldest_record() -> None:
    reads = {"g": {A0: 7, A1: 50}, "h": {A0: 10, B0: 1}}
    lag, age = behind(reads, {A0: 10, A1: 52, B0: 1}, {(A0, 7): 100.0, (A1, 50): 40.0}, now=130.0)
    assert lag == {("a", "g"): 5, ("a", "h"): 0, ("b", "h"): 0}
    assert age == {("a", "g"): 90.0, ("a", "h"): 0.0, ("b", "h"): 0.0}


def test_a_group_that_keeps_up_has_no_record_read() -> None:
    reads = {"g": {A0: 90, A1: 3}}
    assert waiting(reads, {A0: 100, A1: 3}, {A0: 90, A1: 3}) == set()
    assert waiting(reads, {A0: 100, A1: 3}, {A0: 91, A1: 3}) == {(A0, 90)}
    assert waiting(reads, {A0: 100, A1: 3}, {}) == {(A0, 90)}


def test_letters_are_counted_under_the_topic_they_are_of() -> None:
    letters = TopicPartition("a.dlq", 0)
    appended, lying = counts(["a", "a.dlq", "b"], {A0: 5, A1: 0, letters: 2, B0: 0}, {A0: 9, A1: 1, letters: 5, B0: 3})
    assert appended == {"a": 10, "a.dlq": 5, "b": 3}
    assert lying == {"a": 3}


def test_letters_are_open_until_something_is_done_to_them() -> None:
    letters = TopicPartition("a.dlq", 0)
    begins, ends = {letters: 2}, {letters: 5}
    # The first two were taken away, the sixth came after the look; of topics that are gone nobody asks.
    assert left_open({"a": 3}, begins, ends, ["a/1", "a/2", "a/5", "b/2", "nonsense"]) == {"a": 2}
    assert left_open({"a": 3}, begins, ends, []) == {"a": 3}


@pytest.mark.parametrize("name", layouts())
def test_every_inbox_and_every_effect_has_one_group_that_reads_it(name: str) -> None:
    layout = load_layout(name)
    read = [topic for service in layout.running for topic in read_by(layout, service)]
    running = [service for name, service in layout.services.items() if name in layout.running]
    own = {each.inbox for each in running} | {each.effects_topic for each in running if each.effects}
    assert {topic: read.count(topic) for topic in own} == dict.fromkeys(own, 1)
    assert read_by(layout, "gate") == {topic.name for topic in (*layout.public, replays_topic(layout))}
