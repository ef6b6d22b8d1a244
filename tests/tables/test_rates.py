"""The rate service's rows: each resource's own, and each booking counted once (HTL-22, HTL-25)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from domain.rates import Outlook, Usage
from streams.envelope import originate
from streams.events import Event
from streams.local import LocalRows
from streams.working import WorkingRows
from tables.rates import Rates
from tests.domain.test_rates import NOW, record, review


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[WorkingRows]:
    local = LocalRows(tmp_path)
    yield WorkingRows(local)
    local.close()


def take(rows: WorkingRows, message: Event) -> list[Event]:
    said = list(Rates().apply(rows, originate(message, source="test", now=NOW), NOW, 0))
    rows.hand_over(rows.take_changes(), 0)
    return said


def changed(rows: WorkingRows, message: Event) -> set[str]:
    Rates().apply(rows, originate(message, source="test", now=NOW), NOW, 0)
    return set(rows.take_changes())


@pytest.mark.proves("HTL-22", "CAT-23")
def test_a_booking_counts_once_for_its_resource(rows: WorkingRows) -> None:
    other = msgspec.structs.replace(record("b3"), product_id="sea|view")
    assert [len(take(rows, message)) for message in (record("b1"), record("b2"), record("b1"), other)] == [1, 1, 0, 1]
    usage = rows.get("u|hotel/double", Usage)
    assert usage is not None
    assert (usage.bookings, usage.units) == (2, 4)
    assert rows.get("u|hotel/sea%7Cview", Usage) is not None
    assert changed(rows, record("b2")) == set()


@pytest.mark.proves("HTL-25")
def test_what_is_left_of_a_night_is_kept_and_says_nothing(rows: WorkingRows) -> None:
    assert take(rows, review(3)) == []
    assert changed(rows, review(3)) == set()
    assert rows.get("o|hotel/double|2026-12-24", Outlook) == Outlook(5, 3, NOW, NOW)
    assert changed(rows, review(2, minutes=1)) == {"o|hotel/double|2026-12-24"}


def test_there_is_no_smaller_way_to_decide(rows: WorkingRows) -> None:
    assert Rates().refuse(rows, originate(record(), source="test", now=NOW), NOW, 0, "too_large") is None
