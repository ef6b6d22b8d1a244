"""Rows rebuilt from the inbox are those the processor left, and whatever differs is named (CLN-04, CLN-18)."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.changelog import source_header
from streams.deciding import Decider
from streams.local import LocalRows, Row
from streams.publisher import Record
from streams.rebuild import Comparison, Rebuild, compare, shown
from streams.restore import Returning
from streams.rows import Partition
from streams.services import BOOKING
from streams.topics import dead_letter_name
from tests.memory_log import MemoryLog, Stored
from tests.streams.tally import LAYOUT, Count, Life, Tally, ask, booking_in, fold, message

A, B = booking_in(0, 0), booking_in(0, 1)
#: What an inbox may hold: messages that count, are refused as too large, fail, or are no messages at all.
RECORDS = [
    *(message(booking_in(0, number)) for number in range(4)),
    message(A, "big 3500000"),
    message(A, "big 3500000", by="no way out"),
    message(A, "boom"),
    message(booking_in(1)),
    b"not JSON",
    None,
]


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


def rebuilt(path: Path, records: Sequence[Stored]) -> Rebuild:
    found = Rebuild(Decider(BOOKING, Tally(), LAYOUT.partitions), path)
    found.take(records)
    return found


def live(log: MemoryLog, path: Path) -> Partition:
    """The rows as the changelog has them."""
    partition = Partition(0, LocalRows(path))
    Returning(partition).take(log.read(BOOKING.rows))
    return partition


def counts(local: LocalRows) -> dict[str, int]:
    rows = {key: local.get(key) for key in local.keys()}  # noqa: SIM118
    return {key: msgspec.json.decode(row.payload or b"", type=Count).count for key, row in rows.items() if row}


async def worked(log: MemoryLog, directory: Path, cuts: random.Random | None = None) -> None:
    life = Life(log, directory)
    assert await life.work(cuts=lambda: cuts.randint(1, 9) if cuts is not None else 100)
    life.end()


@pytest.mark.proves("CLN-04", "CLN-18")
@settings(max_examples=30, deadline=None)
@given(which=st.lists(st.integers(0, len(RECORDS) - 1), min_size=1, max_size=40), seed=st.integers(0, 2**32))
def test_a_rebuild_comes_to_the_rows_of_the_processor(which: list[int], seed: int) -> None:
    log = MemoryLog()
    for number in which:
        ask(log, RECORDS[number])
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(worked(log, Path(directory) / "worker", random.Random(seed)))
        again = rebuilt(Path(directory) / "again", log.read(BOOKING.inbox))
        there = live(log, Path(directory) / "live")
        found = compare(again.local, there, there.position)
        letters = [dict(letter.headers) for letter in log.read(dead_letter_name(BOOKING.inbox))]
        assert again.dead == Counter(letter["vacancy-dlq-class"].decode() for letter in letters)
        assert again.decided + again.dead.total() == len(which)
        small = {key: count for key, count in fold(_without_large(log)).items() if count}
        assert counts(again.local) == small
        assert found == Comparison(same=len(small))
        assert again.local.position is not None
        assert again.local.position == there.local.position
        again.local.close()
        there.close()


def _without_large(log: MemoryLog) -> list[Stored]:
    return [record for record in log.read(BOOKING.inbox) if b"big" not in (record.value or b"")]


async def test_rows_decided_again_beyond_the_end_are_no_differences(log: MemoryLog, tmp_path: Path) -> None:
    for name in (A, B, A):
        ask(log, message(name))
    await worked(log, tmp_path / "worker")
    again = rebuilt(tmp_path / "again", log.read(BOOKING.inbox)[:2])
    assert compare(again.local, live(log, tmp_path / "live"), 1) == Comparison(same=1, moved_on=1)


async def test_a_rebuild_from_the_middle_lacks_what_came_before(log: MemoryLog, tmp_path: Path) -> None:
    for name in (A, B, A, A):
        ask(log, message(name))
    again = rebuilt(tmp_path / "again", log.read(BOOKING.inbox)[2:])
    assert counts(again.local) == {A: 2}


async def test_a_row_that_differs_is_named_with_its_fields(log: MemoryLog, tmp_path: Path) -> None:
    for name in (A, B):
        ask(log, message(name))
    await worked(log, tmp_path / "worker")
    wrong = msgspec.json.encode(Count(7))
    log.append(BOOKING.rows, 0, Record(A.encode(), wrong, (source_header(0),)))
    again = rebuilt(tmp_path / "again", log.read(BOOKING.inbox))
    found = compare(again.local, live(log, tmp_path / "live"), 1)
    assert [(each.key, each.fields) for each in found.differences] == [(A, {"count": ("7", "1")})]
    assert found.same == 1


async def test_rows_that_only_one_side_has_differ(log: MemoryLog, tmp_path: Path) -> None:
    for name in (A, B):
        ask(log, message(name))
    await worked(log, tmp_path / "worker")
    log.append(BOOKING.rows, 0, Record(A.encode(), None, (source_header(1),)))
    log.append(BOOKING.rows, 0, Record(b"surplus", b'{"count":1}', (source_header(1),)))
    again = rebuilt(tmp_path / "again", log.read(BOOKING.inbox))
    found = compare(again.local, live(log, tmp_path / "live"), 1)
    assert {each.key: dict(each.fields) for each in found.differences} == {
        "surplus": {"count": ("1", "(missing)")},
        A: {"count": ("(missing)", "1"), "padding": ("(missing)", '""')},
    }


async def test_a_row_deleted_beyond_the_end_is_no_difference(log: MemoryLog, tmp_path: Path) -> None:
    for name in (A, B, B):
        ask(log, message(name))
    await worked(log, tmp_path / "worker")
    log.append(BOOKING.rows, 0, Record(A.encode(), None, (source_header(2),)))
    again = rebuilt(tmp_path / "again", log.read(BOOKING.inbox)[:1])
    assert compare(again.local, live(log, tmp_path / "live"), 0) == Comparison(moved_on=2)


async def test_a_zombies_late_record_is_not_the_live_row(log: MemoryLog, tmp_path: Path) -> None:
    for _ in range(2):
        ask(log, message(A))
    await worked(log, tmp_path / "worker")
    log.append(BOOKING.rows, 0, Record(A.encode(), msgspec.json.encode(Count(1)), (source_header(0),)))
    again = rebuilt(tmp_path / "again", log.read(BOOKING.inbox))
    assert compare(again.local, live(log, tmp_path / "live"), 1) == Comparison(same=1)


def test_nothing_sealed_is_shown() -> None:
    assert shown('"3fa9c01b.q8xkZ0_-aaaaaaaaaaaaaaaaaa=="') == "(sealed)"
    assert shown('"CONFIRMED"') == '"CONFIRMED"'
    assert len(shown("x" * 100)) == 60


def test_nested_values_differ_by_their_path(tmp_path: Path) -> None:
    ours, theirs = LocalRows(tmp_path / "ours"), Partition(0, LocalRows(tmp_path / "theirs"))
    ours.write({"k": Row(b'{"lines":[{"n":1},{"n":2}],"empty":[]}', 0, -1)}, 0)
    theirs.store({"k": Row(b'{"lines":[{"n":1},{"n":3}],"empty":[]}', 0, 0)}, 1)
    [difference] = compare(ours, theirs, 0).differences
    assert difference.fields == {"lines.1.n": ("3", "2")}
