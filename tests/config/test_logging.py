"""Logging: the part's name on every line, and no message bodies."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from config.logging import Discreet, configure


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
