"""How one inbox record is decided, for the processor and for a rebuild alike: read, judged fit, applied to its rows.

Nothing here says or stores anything: who calls does, so that a rebuild decides exactly what the processor decided.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from streams.codec import Undecodable, decode
from streams.dead_letters import Class
from streams.events import Envelope, Event
from streams.keys import KEYS, partition_of
from streams.local import StoreFailed
from streams.reader import Raw
from streams.services import Service
from streams.slices import DECISION_BYTES
from streams.working import WorkingRows, Written

logger = logging.getLogger(__name__)


class Decides(Protocol):
    """What a table gives the processor: one message decided on its rows."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        """Writes what the message changes and returns what is to be said. Pure but for `rows`.

        `now` and `offset` are the inbox record's: the only clock there is.
        """
        ...

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """The same for a message whose decision does not fit a slice: a small refusal, remembered; None for none."""
        ...


class Poison(Exception):
    """A record that changes nothing and belongs with the dead letters. `kind` is its class there, the text says why."""

    def __init__(self, kind: Class, reason: str) -> None:
        super().__init__(reason)
        self.kind: Class = kind


@dataclass(frozen=True, slots=True)
class Language:
    """How an inbox is read and what follows is put, where that is not the canonical envelope."""

    #: The message a record holds. Raises Poison: it is none, or not for this inbox or partition.
    read: Callable[[Raw], Any]
    #: What is said of the message, the event and its index, and the time of the record: a voice's own kind of message.
    follows: Callable[[Any, Any, int, datetime], Any]


class Decider:
    """Decides the records of one service's inbox of so many partitions."""

    def __init__(self, service: Service, table: Decides, partitions: int, language: Language | None = None) -> None:
        self._service = service
        self._table = table
        self._partitions = partitions
        self.read: Callable[[Raw], Envelope] = language.read if language is not None else self._canonical

    def _canonical(self, record: Raw) -> Envelope:
        try:
            message = decode(record.value)
        except Undecodable as error:
            raise Poison("undecodable", str(error)) from None
        if not isinstance(message.data, self._service.accepts):
            raise Poison("misplaced", f"{message.event_type} does not belong in {self._service.inbox}")
        key = KEYS[self._service.key](message.data)
        if partition_of(key, self._partitions) != record.partition:
            # Its rows live in another partition: deciding it here would fork them.
            reason = f"{self._service.key} {key!r} belongs in another partition than {record.partition}"
            raise Poison("misplaced", reason)
        return message

    def decide(
        self, rows: WorkingRows, record: Raw, message: Envelope
    ) -> tuple[Sequence[Event], dict[str, Written], datetime]:
        """What a message says, what it changes, and the time it was decided at, which is its record's.

        Raises:
            Poison: the decision fits no record batch and has no smaller refusal, or it failed.
        """
        now = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        try:
            events, changes = self._outcome(rows, message, now, record.offset)
        except (Poison, StoreFailed):  # a store that fails says nothing of the message
            raise
        except Exception as error:  # a bug in a decision must not stop the partition, nor lose the message
            rows.take_changes()
            logger.exception("%s/%s at %s", self._service.inbox, record.partition, record.offset)
            raise Poison("decision-failed", f"{type(error).__name__}: {error}") from error
        return events, changes, now

    def _outcome(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int
    ) -> tuple[Sequence[Event], dict[str, Written]]:
        events = self._table.apply(rows, message, now, offset)
        changes = rows.take_changes()
        if _size(changes) <= DECISION_BYTES:
            return events, changes
        refusal = self._table.refuse(rows, message, now, offset, "too_large")
        changes = rows.take_changes()
        if refusal is None or _size(changes) > DECISION_BYTES:
            reason = f"the decision on {message.event_type} {message.event_id} does not fit a record batch"
            raise Poison("too-large", reason)
        return refusal, changes


def _size(changes: Mapping[str, Written]) -> int:
    return sum([written.size for written in changes.values()])


def checksum(value: bytes | None) -> int:
    """Tells the record a position stands on from another one at the same place of a re-created topic."""
    return zlib.crc32(value or b"")
