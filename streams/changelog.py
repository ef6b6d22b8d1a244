"""Which changelog record holds, when a worker that was paused may have written after its successor (design 5.7).

A record carries the inbox offset it was decided at. Decisions are deterministic, so of two records of one row the one
decided later holds, wherever they stand on the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from streams.local import Row

SOURCE_HEADER = "source-offset"


class Verdict(Enum):
    """What to do with a changelog record."""

    #: It is as new as what is held, or newer.
    APPLY = "apply"
    #: It is history: a newer record of its row stands later on the log.
    IGNORE = "ignore"
    #: It is old and stands last: whoever owns the row has to put the newer one again.
    STALE = "stale"


def judge(held: Row | None, *, source: int, at: int, deletes: bool, known_through: int) -> Verdict:
    """The verdict on a record decided at inbox offset `source` that stands at changelog offset `at`.

    `held` is the row as known (a remembered deletion counts); `known_through` is the position up to which every row
    that still exists is held, so that a row not held was deleted.
    """
    if held is not None:
        if source >= held.source:
            return Verdict.APPLY
        return Verdict.STALE if at > held.written else Verdict.IGNORE
    if deletes or source > known_through:
        return Verdict.APPLY
    return Verdict.STALE


def source_header(offset: int) -> tuple[str, bytes]:
    return SOURCE_HEADER, str(offset).encode()


def source_of(headers: Sequence[tuple[str, bytes]]) -> int:
    """The inbox offset a changelog record was decided at; -1 for a record that does not say."""
    for name, value in headers:
        if name == SOURCE_HEADER:
            return int(value)
    return -1
