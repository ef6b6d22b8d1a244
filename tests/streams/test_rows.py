"""What a worker knows of the rows it owns: which changelog records are its own, and who waits for what."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from streams.local import POSITION_KEY, LocalRows, Position, Row
from streams.rows import NotOwner, Partition, RowStore


@pytest.fixture
def partition(tmp_path: Path) -> Iterator[Partition]:
    found = Partition(0, LocalRows(tmp_path / "0"))
    yield found
    found.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RowStore]:
    found = RowStore("booking", 4, tmp_path)
    found.open(0)
    found.ready(0)
    yield found
    found.close()


def at(offset: int) -> dict[str, Row]:
    return {POSITION_KEY: Row(msgspec.json.encode(Position(offset, 0, 0)), offset, offset)}


def test_a_fetch_of_our_own_records_needs_no_second_look(partition: Partition) -> None:
    partition.wrote(0, 3)
    partition.wrote(3, 10)
    assert not partition.not_own(0, 9)
    partition.wrote(12, 15)
    assert partition.not_own(10, 14), "10 and 11 were written by somebody else"
    assert not partition.not_own(12, 14)
    assert partition.not_own(12, 15)


async def test_readers_are_woken_by_the_change_they_wait_for(store: RowStore) -> None:
    changed = asyncio.create_task(store.changed(0, "b|1", 5))
    passed = asyncio.create_task(store.passed(0, 5, offset=7))
    await asyncio.sleep(0)
    store.partition(0).store({"b|2": Row(b"{}", 6, 0), **at(6)}, 0)
    await asyncio.sleep(0)
    assert not changed.done()
    assert not passed.done()
    store.partition(0).store({"b|1": Row(b"{}", 7, 1), **at(7)}, 0)
    await asyncio.gather(changed, passed)
    assert store.get(0, "b|1") == b"{}"


async def test_a_reader_learns_that_the_partition_went_away(store: RowStore) -> None:
    waiting = asyncio.create_task(store.changed(0, "b|1", 5))
    await asyncio.sleep(0)
    store.release(set())
    with pytest.raises(NotOwner):
        await waiting
    with pytest.raises(NotOwner):
        store.get(0, "b|1")


def test_a_withdrawn_or_unsure_worker_serves_nothing(store: RowStore) -> None:
    store.may_serve = lambda: False
    assert not store.owns(0)
    store.may_serve = lambda: True
    store.withdraw()
    with pytest.raises(NotOwner):
        store.get(0, "b|1")


async def test_an_overdue_wait_says_so(store: RowStore) -> None:
    with pytest.raises(TimeoutError):
        await store.passed(0, 0.01, offset=99)


def test_a_row_is_kept_with_the_place_it_was_decided_at(tmp_path: Path) -> None:
    rows = LocalRows(tmp_path / "rows")
    rows.write({"n|a|1": Row(b"1", 5, 9), "n|a|2": Row(b"2", 6, 10), "o|a|1": Row(b"3", 6, 11), **at(6)}, 12)
    rows.close()
    again = LocalRows(tmp_path / "rows")
    try:
        assert again.get("n|a|1") == Row(b"1", 5, 9)
        assert list(again.scan("n|a|")) == [("n|a|1", b"1"), ("n|a|2", b"2")]
        assert again.position == Position(6, 0, 0)
        assert again.changelog_next == 12
        again.write({"n|a|1": Row(None, 7, 12)}, 13)
        assert again.get("n|a|1") is None
    finally:
        again.close()
