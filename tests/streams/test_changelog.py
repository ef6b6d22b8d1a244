"""Which of two records of a row holds: the one decided later, wherever it stands (design 5.7)."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from streams.changelog import Verdict, judge, source_header, source_of
from streams.local import Row


def held(source: int, written: int) -> Row:
    return Row(b"{}", source, written)


def test_a_newer_record_holds() -> None:
    assert judge(held(5, 10), source=6, at=11, deletes=False, known_through=5) is Verdict.APPLY


def test_the_same_decision_written_again_holds() -> None:
    assert judge(held(5, 10), source=5, at=11, deletes=False, known_through=5) is Verdict.APPLY


def test_an_older_record_before_ours_is_history() -> None:
    assert judge(held(5, 10), source=4, at=9, deletes=False, known_through=5) is Verdict.IGNORE


def test_an_older_record_after_ours_is_stale() -> None:
    assert judge(held(5, 10), source=4, at=11, deletes=False, known_through=5) is Verdict.STALE


def test_a_row_that_was_deleted_does_not_come_back() -> None:
    assert judge(None, source=4, at=11, deletes=False, known_through=5) is Verdict.STALE
    assert judge(Row(None, 5, 10), source=4, at=11, deletes=False, known_through=5) is Verdict.STALE
    assert judge(Row(None, 5, 10), source=4, at=9, deletes=False, known_through=5) is Verdict.IGNORE


def test_a_row_seen_for_the_first_time_is_taken() -> None:
    assert judge(None, source=6, at=11, deletes=False, known_through=5) is Verdict.APPLY
    assert judge(None, source=6, at=11, deletes=True, known_through=-1) is Verdict.APPLY


def test_a_record_says_where_it_was_decided() -> None:
    assert source_of([("other", b"x"), source_header(42)]) == 42
    assert source_of([]) == -1


@given(
    decided=st.lists(st.booleans(), min_size=1, max_size=12),
    copies=st.lists(st.integers(0, 11), max_size=8),
    seed=st.integers(0, 1_000),
)
def test_late_copies_of_a_zombie_never_change_what_a_restore_comes_to(
    decided: list[bool], copies: list[int], seed: int
) -> None:
    # One row, decided at offsets 0.. (False: deleted); a zombie writes some of the records again, later.
    log = [(source, b"v%d" % source if kept else None) for source, kept in enumerate(decided)]
    late = [log[copy] for copy in copies if copy < len(log)]
    random.Random(seed).shuffle(late)
    row: Row | None = None
    for at, (source, value) in enumerate(log + late):
        if judge(row, source=source, at=at, deletes=value is None, known_through=-1) is Verdict.APPLY:
            row = Row(value, source, at)
    assert row is not None
    assert row.payload == log[-1][1]
