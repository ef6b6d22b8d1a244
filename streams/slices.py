"""A slice: consecutive decisions of one partition that become durable together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from streams.changelog import source_header
from streams.publisher import Acknowledgement, Record
from streams.reader import Raw
from streams.working import Written

#: A slice ends at whichever comes first; its changelog then fits one record batch, and the loop yields often.
SLICE_RECORDS = 128
SLICE_BYTES = 512 * 1024
#: What a single decision may write; leaves room for headers and the position in a 4 MiB batch.
DECISION_BYTES = 3 * 1024 * 1024


@dataclass(slots=True)
class Slice:
    """The rows that consecutive inbox records left behind, and the acknowledgements their outputs wait for."""

    number: int
    #: The inbox record it ends with.
    last: Raw | None = None
    records: int = 0
    size: int = 0
    rows: dict[str, tuple[Written, int]] = field(default_factory=dict)
    outputs: list[Acknowledgement] = field(default_factory=list)
    #: Called once the slice is durable: the batches that end in it.
    done: list[Callable[[], None]] = field(default_factory=list)

    def take(self, record: Raw) -> None:
        """The next inbox record is part of it, whatever was decided on it."""
        self.last = record
        self.records += 1

    def add(self, changes: dict[str, Written], offset: int) -> None:
        for key, written in changes.items():
            before = self.rows.get(key)
            if before is not None:
                self.size -= before[0].size
            self.rows[key] = (written, offset)
            self.size += written.size

    def says(self, acknowledged: Acknowledgement) -> None:
        """An output is on its way; consecutive ones often share a batch."""
        if not self.outputs or self.outputs[-1] is not acknowledged:
            self.outputs.append(acknowledged)

    @property
    def full(self) -> bool:
        return self.records >= SLICE_RECORDS or self.size >= SLICE_BYTES

    def absorb(self, later: Slice) -> bool:
        """Takes the next slice in if both fit one record batch."""
        if self.size + later.size > DECISION_BYTES or later.last is None:
            return False
        for key, (written, offset) in later.rows.items():
            self.add({key: written}, offset)
        self.number, self.records, self.last = later.number, self.records + later.records, later.last
        self.outputs += later.outputs
        self.done += later.done
        return True

    def changelog(self) -> list[Record]:
        """The rows as changelog records, each with the inbox offset it was decided at."""
        return [
            Record(key.encode(), written.payload, (source_header(offset),))
            for key, (written, offset) in self.rows.items()
        ]
