"""Rows made again from a service's inbox, saying nothing, and compared with the live ones (CLN-04, CLN-18).

The inbox is the ledger: decided again in its order it leaves the rows it left the first time. The live rows are the
service's changelog, read as a worker restores it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.deciding import Decider, Poison, checksum
from streams.local import POSITION_KEY, LocalRows, Position, Row
from streams.reader import Raw, read_to_end
from streams.restore import Returning
from streams.rows import Partition
from streams.working import WorkingRows, Written

#: Records decided before their rows are written.
_CHUNK = 500
#: Rebuilt rows stand on no changelog.
_NOWHERE = -1
#: What `streams.keyring` makes: a key's id, and a text that says nothing to anybody else.
_SEALED = re.compile(r"[0-9a-f]{8}\.[\w-]{16,}=*")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Extent:
    """The records `[start, end)` of one inbox partition; `log_end` is where the whole of it ends."""

    start: int
    end: int
    log_end: int

    @property
    def records(self) -> int:
        return self.end - self.start


class Rebuild:
    """One partition's inbox decided again into rows under `path`. Whoever made it closes `local`."""

    def __init__(self, decider: Decider, path: Path) -> None:
        self.local = LocalRows(path)
        self.decided = 0
        #: Records that changed nothing, by their class among the dead letters.
        self.dead: Counter[str] = Counter()
        self._decider = decider
        self._rows = WorkingRows(self.local)
        self._chunks = 0

    def take(self, records: Sequence[Raw]) -> None:
        """Decides consecutive records and stores what they leave."""
        for start in range(0, len(records), _CHUNK):
            self._take(records[start : start + _CHUNK])

    def _take(self, records: Sequence[Raw]) -> None:
        self._chunks += 1
        stored: dict[str, Row] = {}
        for record in records:
            changes = self._decide(record)
            self._rows.hand_over(changes, self._chunks)
            stored |= {key: Row(written.payload, record.offset, _NOWHERE) for key, written in changes.items()}
        last = records[-1]
        position = Position(last.offset, last.timestamp, checksum(last.value))
        stored[POSITION_KEY] = Row(msgspec.json.encode(position), last.offset, _NOWHERE)
        self.local.write(stored, 0)
        self._rows.durable(iter(stored), self._chunks)

    def _decide(self, record: Raw) -> dict[str, Written]:
        try:
            _, changes, _ = self._decider.decide(self._rows, record, self._decider.read(record))
        except Poison as poison:
            self.dead[poison.kind] += 1
            return {}
        self.decided += 1
        return changes


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not what the inbox makes of it: by field, the live value and the rebuilt one, fit to be shown."""

    partition: int
    key: str
    fields: Mapping[str, tuple[str, str]]


@dataclass(slots=True)
class Comparison:
    """What came of comparing one or more partitions."""

    same: int = 0
    #: Rows that were decided again beyond the end of the replay.
    moved_on: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, other: Comparison) -> None:
        self.same += other.same
        self.moved_on += other.moved_on
        self.differences += other.differences


def compare(rebuilt: LocalRows, live: Partition, through: int) -> Comparison:
    """The live rows against those rebuilt from the inbox through offset `through`, which is at most live's position."""
    found = Comparison()
    for key in live.local.keys():  # noqa: SIM118  # a method of ours, not a mapping's
        row = live.local.get(key)
        assert row is not None
        if row.source > through:
            found.moved_on += 1
        else:
            _judge(found, live.number, key, row, rebuilt.get(key))
    for key in rebuilt.keys():  # noqa: SIM118
        if live.local.get(key) is None:
            deleted = live.held(key)
            # Beyond the end of the replay somebody may have deleted it, and compaction the trace of that.
            if live.position > through and (deleted is None or deleted.source > through):
                found.moved_on += 1
            else:
                _judge(found, live.number, key, None, rebuilt.get(key))
    return found


def _judge(found: Comparison, partition: int, key: str, live: Row | None, rebuilt: Row | None) -> None:
    ours, theirs = (row.payload if row is not None else None for row in (rebuilt, live))
    if ours == theirs:
        found.same += 1
        return
    have, want = _leaves_of(theirs), _leaves_of(ours)
    names = [name for name in dict.fromkeys((*have, *want)) if have.get(name) != want.get(name)]
    fields = {name: (have.get(name, "(missing)"), want.get(name, "(missing)")) for name in names}
    found.differences.append(Difference(partition, key, fields or {"(bytes)": (str(theirs), str(ours))}))


def _leaves_of(payload: bytes | None) -> dict[str, str]:
    """A row's values by the path to them, as they may be shown; a row that is not there has none."""
    return {} if payload is None else dict(_leaves(json.loads(payload), ""))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if value and isinstance(value, dict | list):
        within = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in within:
            yield from _leaves(each, f"{path}.{name}" if path else str(name))
    else:
        yield path or "(row)", json.dumps(value, ensure_ascii=False)


def shown(value: str) -> str:
    """A value for people: shortened, and nothing of a sealed text."""
    if _SEALED.search(value):
        return "(sealed)"
    return value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…"


async def extents(
    reader: AIOKafkaConsumer, inbox: Sequence[TopicPartition], since: int | datetime, until: datetime | None
) -> dict[TopicPartition, Extent]:
    """What there is to read of each partition: from an offset or the first record at or after a time, up to the first
    record at or after `until`, or to its end."""
    begins, ends = await reader.beginning_offsets(list(inbox)), await reader.end_offsets(list(inbox))
    starts = dict.fromkeys(inbox, since) if isinstance(since, int) else await _at(reader, inbox, since, ends)
    stops = ends if until is None else await _at(reader, inbox, until, ends)
    found = {}
    for tp in inbox:
        start = min(max(starts[tp], begins[tp]), ends[tp])
        found[tp] = Extent(start, max(start, stops[tp]), ends[tp])
    return found


async def _at(
    reader: AIOKafkaConsumer, inbox: Sequence[TopicPartition], time: datetime, ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    asked = max(0, round(time.timestamp() * 1000))  # below zero Kafka takes it for something else
    answers = await reader.offsets_for_times(dict.fromkeys(inbox, asked))
    return {tp: ends[tp] if answers.get(tp) is None else int(answers[tp].offset) for tp in inbox}


async def read_extents(
    reader: AIOKafkaConsumer, wanted: Mapping[TopicPartition, Extent]
) -> AsyncIterator[tuple[TopicPartition, list[Raw]]]:
    """The records of those extents, in order within each partition. The reader has been assigned them.

    Not here: an aiokafka consumer that is stopped at once after it was assigned anew may never end.
    """
    for tp, extent in wanted.items():
        reader.seek(tp, extent.start)
    ends = {tp: extent.end for tp, extent in wanted.items()}
    async for tp, records in read_to_end(reader, list(wanted), ends):
        within = [record for record in records if record.offset < ends[tp]]
        if within:
            yield tp, within


async def read_live(reader: AIOKafkaConsumer, rows: Mapping[TopicPartition, Partition]) -> None:
    """Fills each partition with what its changelog says, the highest decision of each row winning.

    The reader has been assigned them.
    """
    returning = {tp: Returning(partition) for tp, partition in rows.items()}
    await reader.seek_to_beginning(*rows)
    async for tp, records in read_to_end(reader, list(rows)):
        for start in range(0, len(records), _CHUNK):
            returning[tp].take(records[start : start + _CHUNK])
