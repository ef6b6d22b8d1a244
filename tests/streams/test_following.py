"""An owner reads of its changelog only what it did not write, and what it stored in order is there again."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.local import LocalRows, Row
from streams.rows import Partition


def uncovered(own: list[tuple[int, int]], first: int, last: int) -> bool:
    """The oracle: whether an offset of `[first, last]` lies in none of the ranges."""
    return any(not any(begin <= offset < end for begin, end in own) for offset in range(first, last + 1))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_is_not_own_is_what_no_own_range_covers(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as directory:
        partition = Partition(0, LocalRows(Path(directory) / "0"))
        written: list[tuple[int, int]] = []
        end, looked = 0, 0
        for _ in range(data.draw(st.integers(1, 12))):
            begin = end + data.draw(st.sampled_from([0, 0, 0, 1, 3]))  # another's records stand there, now and then
            end = begin + data.draw(st.integers(1, 5))
            partition.wrote(begin, end)
            written.append((begin, end))
            upto = data.draw(st.integers(looked, end)) - 1
            if upto >= looked:
                assert partition.not_own(looked, upto) == uncovered(written, looked, upto)
                looked = upto + 1
        partition.close()


def test_a_store_that_was_closed_in_order_is_whole(tmp_path: Path) -> None:
    first = LocalRows(tmp_path / "0")
    first.write({"b|1": Row(b"{}", 3, 5)}, 6)
    first.close()
    second = LocalRows(tmp_path / "0")
    assert second.get("b|1") == Row(b"{}", 3, 5)
    assert second.changelog_next == 6
    second.close()
