"""Logging: the part's name on every line, and no message bodies."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from config.logging import Discreet, Seldom, Settled, configure


@pytest.fixture(autouse=True)
def _root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_names_the_part(capsys: pytest.CaptureFixture[str]) -> None:
    configure("worker-1", "info")
    logging.getLogger("vacancy").info("hello")
    logging.getLogger("vacancy").debug("quiet")
    said = capsys.readouterr().err
    assert "INFO worker-1 vacancy: hello" in said
    assert "quiet" not in said


def test_what_faust_says_of_messages_is_left_out() -> None:
    record = logging.LogRecord("faust.topics", logging.ERROR, "", 0, "cannot send %r", ("4111 1111",), None)
    assert Discreet().filter(record)
    assert "4111" not in record.getMessage()
    assert record.getMessage().startswith("cannot send")


def test_a_long_line_is_cut() -> None:
    record = logging.LogRecord("any", logging.ERROR, "", 0, "x" * 5000, (), None)
    Discreet().filter(record)
    assert len(record.getMessage()) < 2100


def _of_kafka(text: str) -> logging.LogRecord:
    return logging.LogRecord("aiokafka.consumer.group_coordinator", logging.ERROR, "", 0, "failed: %s", (text,), None)


def test_what_a_starting_broker_answers_is_left_out_at_first_only(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("config.logging.time.monotonic", lambda: now[0])
    settled = Settled()
    harmless = _of_kafka("[Error 15] GroupCoordinatorNotAvailableError")
    assert not settled.filter(harmless)
    assert not settled.filter(_of_kafka("[Error 6] NotLeaderForPartitionError"))
    assert settled.filter(_of_kafka("[Error 30] GroupAuthorizationFailedError"))
    assert settled.filter(logging.LogRecord("vacancy", logging.ERROR, "", 0, "NotLeaderForPartition", (), None))
    now[0] += 30
    assert settled.filter(harmless)


def test_at_level_debug_nothing_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    for level in ("debug", "info"):
        configure("worker-1", level)
        logging.getLogger("aiokafka.x").error("%s NotLeaderForPartitionError", level)
    said = capsys.readouterr().err
    assert "debug NotLeader" in said
    assert "info NotLeader" not in said


def test_faust_s_word_on_a_restore_it_does_not_know_is_put_right() -> None:
    text = "POSSIBLE INTERNAL ERROR: Recovery has no remaining offsets %r"
    record = logging.LogRecord("faust.tables.recovery", logging.ERROR, "", 0, text, (3,), None)
    assert Discreet().filter(record)
    assert record.getMessage().startswith("rows are still being restored")


def test_what_is_said_of_a_broker_that_is_away_is_said_seldom_and_counted() -> None:
    now = [100.0]
    seldom = Seldom(lambda: now[0])

    def said(name: str, line: int, level: int = logging.ERROR) -> str | None:
        record = logging.LogRecord(name, level, "client.py", line, "no answer from node %d", (1,), None)
        return record.getMessage() if seldom.filter(record) else None

    assert said("aiokafka", 1) == "no answer from node 1"
    assert [said("aiokafka", 1) for _ in range(7)] == [None] * 7
    assert said("aiokafka", 2) == "no answer from node 1"  # something else
    assert said("aiokafka", 1, logging.CRITICAL) == "no answer from node 1"
    now[0] += 10
    assert said("aiokafka", 1) == "no answer from node 1 (and 7 times like it)"
    assert [said("streams.processor", 1) for _ in range(3)] == ["no answer from node 1"] * 3
