"""What is due when: entries of a partition under keys that sort as time does, for a clock to look through.

A key is `{index}|{instant}|{whose}`. The entry points to a row, and the row decides: one that came back, e.g. from a
zombie, is taken out by the tick it causes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from streams.rows import RowStore
from streams.working import WorkingRows


def instant(time: datetime) -> str:
    """Sorts as time does."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds")


def move(
    rows: WorkingRows,
    key_of: Callable[[datetime], str],
    entry_of: Callable[[datetime], msgspec.Struct],
    was: datetime | None,
    due: datetime | None,
    *,
    ticked: Iterable[datetime | None] = (),
) -> None:
    """Keeps the entry of a row that was due at one time, and is at another. `ticked`: when a tick believed it was due;
    what is not due then has no entry there.
    """
    for over in {was, *ticked} - {due, None}:
        if over is not None:
            rows.delete(key_of(over))
    if due is not None and due != was:
        rows.put(key_of(due), entry_of(due), keep=False)


def over(store: RowStore, partition: int, index: str, now: datetime, most: int) -> Iterator[bytes]:
    """The entries of an index ("d|") that are due, the longest due first, at most `most`."""
    limit = f"{index}{instant(now)}|"
    for count, (key, raw) in enumerate(store.scan(partition, index)):
        if key >= limit or count >= most:
            return
        yield raw
