"""Lines that follow a topic: written once, whole, and on the disk before anything is committed."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.journal import Journal, JournalDamaged, Line

DAY, NEXT = date(2026, 12, 24), date(2026, 12, 25)
TOPIC = "booking.booking.created"


def lines(*offsets: int, day: date = DAY, text: str = "ü\n") -> list[Line]:
    return [Line(offset, day, {"text": text}) for offset in offsets]


def file_of(directory: Path, day: date = DAY, partition: int = 0) -> Path:
    return directory / TOPIC / str(partition) / f"{day}.jsonl"


def offsets(path: Path) -> list[int]:
    return [json.loads(line)["offset"] for line in path.read_text("utf-8").splitlines()]


def test_each_partition_and_day_has_a_file_of_its_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log")
    journal.append(TOPIC, 0, [*lines(0, 1), *lines(2, day=NEXT), *lines(3)])
    journal.append(TOPIC, 1, lines(0))
    journal.append(TOPIC, 1, [])
    assert offsets(file_of(tmp_path / "log")) == [0, 1, 3]
    assert offsets(file_of(tmp_path / "log", NEXT)) == [2]
    assert offsets(file_of(tmp_path / "log", partition=1)) == [0]
    first = json.loads(file_of(tmp_path / "log").read_text("utf-8").splitlines()[0])
    assert first == {"offset": 0, "text": "ü\n"}


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    Journal(tmp_path / "log").append(TOPIC, 0, lines(0))
    file = file_of(tmp_path / "log")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent, tmp_path / "log")] == [
        0o600,
        0o700,
        0o700,
    ]


def test_what_is_handed_over_again_is_not_written_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(TOPIC, 0, lines(0, 1, 2))
    journal.append(TOPIC, 0, lines(1, 2, 3))
    Journal(tmp_path).append(TOPIC, 0, lines(0, 1, 2, 3, 4))
    journal.append(TOPIC, 0, lines(4, 5))
    journal.forget()
    journal.append(TOPIC, 0, lines(5))
    assert offsets(file_of(tmp_path)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("torn", [b'{"off', b'{"offset":2,"text":"x"}', b"\0" * 200_000])
def test_a_torn_last_line_is_cut_off_and_written_again(tmp_path: Path, torn: bytes) -> None:
    Journal(tmp_path).append(TOPIC, 0, lines(0, 1))
    with file_of(tmp_path).open("ab") as file:
        file.write(torn)
    Journal(tmp_path).append(TOPIC, 0, lines(1, 2))
    assert offsets(file_of(tmp_path)) == [0, 1, 2]


def test_a_file_of_one_torn_line_begins_anew(tmp_path: Path) -> None:
    file_of(tmp_path).parent.mkdir(parents=True)
    file_of(tmp_path).write_bytes(b'{"offset": 7')
    Journal(tmp_path).append(TOPIC, 0, lines(7))
    assert offsets(file_of(tmp_path)) == [7]


def test_long_lines_are_found_again(tmp_path: Path) -> None:
    Journal(tmp_path).append(TOPIC, 0, lines(0, 1, text="x" * 300_000))
    Journal(tmp_path).append(TOPIC, 0, lines(1, 2, text="y" * 65_536))
    assert offsets(file_of(tmp_path)) == [0, 1, 2]


@pytest.mark.parametrize("strange", [b"hello\n", b"[1]\n", b'{"offset":null}\n', b"\n"])
def test_a_last_line_that_is_none_of_ours_is_told_and_kept(tmp_path: Path, strange: bytes) -> None:
    Journal(tmp_path).append(TOPIC, 0, lines(0))
    with file_of(tmp_path).open("ab") as file:
        file.write(strange)
    before = file_of(tmp_path).read_bytes()
    with pytest.raises(JournalDamaged, match=r"2026-12-24\.jsonl"):
        Journal(tmp_path).append(TOPIC, 0, lines(1))
    assert file_of(tmp_path).read_bytes() == before


def test_a_full_disk_leaves_nothing_that_is_not_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, write = Journal(tmp_path), os.write
    journal.append(TOPIC, 0, lines(0))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", _full_after(5))
        with pytest.raises(OSError, match="No space"):
            journal.append(TOPIC, 0, lines(1))
    assert os.write is write
    assert not file_of(tmp_path).read_bytes().endswith(b"\n")
    journal.append(TOPIC, 0, lines(1, 2))
    assert offsets(file_of(tmp_path)) == [0, 1, 2]


def _full_after(bytes_left: int) -> Any:
    write, left = os.write, [bytes_left]

    def limited(file: int, content: Any) -> int:
        if not left[0]:
            raise OSError(28, "No space left on device")
        written = write(file, bytes(content)[: left[0]])
        left[0] -= written
        return written

    return limited


def test_lines_are_on_the_disk_when_it_returns_even_if_another_wrote_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def noted(file: int) -> None:
        synced.append(os.fstat(file).st_size)
        fsync(file)

    monkeypatch.setattr(os, "fsync", noted)
    Journal(tmp_path).append(TOPIC, 0, lines(0))
    size = file_of(tmp_path).stat().st_size
    assert synced[-1] == size
    synced.clear()
    Journal(tmp_path).append(TOPIC, 0, lines(0))
    assert synced == [size]


async def test_two_writers_of_one_partition_write_each_line_once(tmp_path: Path) -> None:
    journals = Journal(tmp_path), Journal(tmp_path)
    work = [
        asyncio.to_thread(journal.append, TOPIC, 0, lines(*range(first, first + 5)))
        for first in range(0, 50, 5)
        for journal in journals
    ]
    for pair in zip(work[::2], work[1::2], strict=True):
        await asyncio.gather(*pair)
    assert offsets(file_of(tmp_path)) == list(range(50))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(
        st.tuples(st.integers(0, 6), st.booleans(), st.sampled_from([b"", b"{", b'{"offset":99}'])), max_size=12
    ),
    days=st.lists(st.sampled_from([DAY, NEXT]), min_size=60, max_size=60),
)
def test_whatever_is_redelivered_each_offset_stands_once(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[int, bool, bytes]], days: list[date]
) -> None:
    """The naive oracle: all offsets so far, by day, in order. A crash tears the last line and goes back in the log."""
    directory = tmp_path_factory.mktemp("journal")
    journal, committed, written = Journal(directory), 0, 0
    for length, crashes, torn in batches:
        written = max(written, committed + length)
        journal.append(TOPIC, 0, [Line(n, days[n % 60], {}) for n in range(committed, committed + length)])
        if crashes:
            journal = Journal(directory)
            for path in (directory / TOPIC / "0").glob("*.jsonl"):
                with path.open("ab") as file:
                    file.write(torn)
        else:
            committed += length
    journal.append(TOPIC, 0, [Line(n, days[n % 60], {}) for n in range(written + 1)])
    for day in (DAY, NEXT):
        wanted = [n for n in range(written + 1) if days[n % 60] == day]
        path = file_of(directory, day)
        assert (offsets(path) if path.exists() else []) == wanted
