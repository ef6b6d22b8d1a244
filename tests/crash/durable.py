"""What a kill leaves of an instance: its logs, what is committed, its local rows, and what it did to the outside.

Nothing else survives. A copy of it at any moment is therefore what a process that starts after `kill -9` at that moment
finds; two moments with the same `version` leave the same.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from cli.audit.facts import Entry
from streams.local import POSITION_KEY, LocalRows, Position, Row
from streams.publisher import Record
from tests.domain.messages import NOW
from tests.domain.provider import Provider
from tests.memory_log import Stored


@dataclass
class Disk:
    """The rows of one partition as its local store has them."""

    rows: dict[str, Row] = field(default_factory=dict)
    changelog_next: int = 0

    def copy(self) -> Disk:
        return Disk(dict(self.rows), self.changelog_next)


@dataclass
class Outside:
    """What was done beyond the log, which no crash undoes."""

    provider: Provider = field(default_factory=Provider)
    #: What the provider did, as its ledger has it.
    ledger: list[Entry] = field(default_factory=list)
    #: Every mail that was taken, with each repetition: its Message-ID and its text.
    mails: list[tuple[str, str]] = field(default_factory=list)
    #: The same of webhooks: endpoint, event, body.
    hooks: list[tuple[str, str, str]] = field(default_factory=list)
    #: What answers nobody at the moment.
    away: frozenset[str] = frozenset()
    #: Users whose keys are gone.
    erased: set[str] = field(default_factory=set)


@dataclass
class Durable:
    """All that is left when every process is killed."""

    logs: defaultdict[tuple[str, int], list[Stored]] = field(default_factory=lambda: defaultdict(list))
    #: By group, topic and partition.
    committed: dict[tuple[str, str, int], int] = field(default_factory=dict)
    #: By service and partition.
    disks: defaultdict[tuple[str, int], Disk] = field(default_factory=lambda: defaultdict(Disk))
    outside: Outside = field(default_factory=Outside)
    #: The time on every clock; it stands still unless a flow moves it, so that a repetition says the same.
    now: datetime = NOW
    #: How many steps of the flow were said.
    said: int = 0
    #: Grows with every change.
    version: int = 0

    def append(self, topic: str, partition: int, record: Record) -> Stored:
        log = self.logs[topic, partition]
        at = round(self.now.timestamp() * 1000)
        stored = Stored(topic, partition, len(log), at, record.key, record.value, tuple(record.headers))
        log.append(stored)
        self.version += 1
        return stored

    def read(self, topic: str) -> Iterator[Stored]:
        """Every record of a topic."""
        for (name, _), records in self.logs.items():
            if name == topic:
                yield from records

    def copy(self) -> Durable:
        """All of it as it is now."""
        return Durable(
            logs=defaultdict(list, {place: list(records) for place, records in self.logs.items()}),
            committed=dict(self.committed),
            disks=defaultdict(Disk, {place: disk.copy() for place, disk in self.disks.items()}),
            outside=copy.deepcopy(self.outside),
            now=self.now,
            said=self.said,
            version=self.version,
        )


class Rows(LocalRows):
    """A partition's local rows, on a disk of the tests' own."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.changelog_next = disk.changelog_next
        self.position = _position(disk.rows.get(POSITION_KEY))

    def close(self) -> None: ...

    def get(self, key: str) -> Row | None:
        return self.disk.rows.get(key)

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        for key in sorted(key for key in self.disk.rows if key.startswith(prefix)):
            payload = self.disk.rows[key].payload
            if payload is not None:
                yield key, payload

    def last(self, prefix: str, upto: str) -> bytes | None:
        found = max((key for key in self.disk.rows if key.startswith(prefix) and key <= upto), default=None)
        return self.disk.rows[found].payload if found is not None else None

    def write(self, rows: Mapping[str, Row], changelog_next: int) -> None:
        for key, row in rows.items():
            if row.payload is None:
                self.disk.rows.pop(key, None)
            else:
                self.disk.rows[key] = row
        self.disk.changelog_next = self.changelog_next = changelog_next
        if POSITION_KEY in rows:
            self.position = _position(rows[POSITION_KEY])

    def keys(self) -> list[str]:
        return sorted(key for key in self.disk.rows if not key.startswith("\0"))


def _position(row: Row | None) -> Position | None:
    return msgspec.json.decode(row.payload, type=Position) if row is not None and row.payload else None
