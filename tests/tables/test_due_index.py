"""What is due when: an entry for each time that counts, and none for one that does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest

from streams.local import LocalRows
from streams.working import WorkingRows
from tables.due_index import instant, move

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


class Entry(msgspec.Struct, frozen=True):
    """What an index keeps."""

    due: datetime


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[WorkingRows]:
    local = LocalRows(tmp_path)
    yield WorkingRows(local)
    local.close()


def moved(rows: WorkingRows, was: datetime | None, due: datetime | None, *ticked: datetime | None) -> list[Entry]:
    """The entries that are there afterwards, each found under its own time."""
    move(rows, lambda at: f"d|{instant(at)}|b1", Entry, was, due, ticked=ticked)
    found = dict(rows.scan("d|", Entry))
    assert list(found) == [f"d|{instant(entry.due)}|b1" for entry in found.values()]
    return list(found.values())


def test_instants_sort_as_time_does_whatever_their_zone() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    assert instant(east) == instant(NOON) == "2026-12-01T12:00:00.000+00:00"
    assert instant(NOON) < instant(LATER)


def test_what_is_due_has_one_entry_at_its_time(rows: WorkingRows) -> None:
    assert moved(rows, None, NOON) == [Entry(NOON)]
    assert moved(rows, NOON, LATER) == [Entry(LATER)]
    assert moved(rows, LATER, None) == []


def test_an_entry_that_came_back_goes_with_its_tick(rows: WorkingRows) -> None:
    moved(rows, None, NOON)
    assert moved(rows, None, None, NOON, None) == []


def test_a_tick_for_what_is_still_due_takes_nothing_away(rows: WorkingRows) -> None:
    moved(rows, None, NOON)
    assert moved(rows, NOON, NOON, NOON) == [Entry(NOON)]
