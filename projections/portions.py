"""What is written at once, and how far that brings the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiokafka import TopicPartition

from streams.reader import Raw


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a changelog's partition is in the tables (`schema.WATERMARKS`)."""

    next: int
    decided: int = -1
    known_through: int = -1
    whole_from: int = 0
    as_of: datetime | None = None

    @property
    def whole(self) -> bool:
        return self.next >= self.whole_from


Watermarks = dict[TopicPartition, Watermark]


@dataclass(frozen=True, slots=True)
class Portion:
    """Consecutive records of one partition of a service's changelog, read after its watermark."""

    service: str
    partition: TopicPartition
    after: Watermark
    records: Sequence[Raw]
    #: Whether nothing came after them when they were read.
    last: bool

    @property
    def next(self) -> int:
        return self.records[-1].offset + 1
