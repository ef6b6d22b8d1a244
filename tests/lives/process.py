"""A service as a process that can be killed: its inbox, the rows that are durable, and those it has in mind.

It decides with the tables it runs with. What was decided is known to the process at once, said next, and durable later;
a kill in between forgets it, and the next process decides it again from where the rows stand: under the same ids,
though what was said already stays said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from streams.deciding import Decides
from streams.envelope import caused_by
from streams.events import Envelope
from streams.local import LocalRows, Row
from streams.services import AVAILABILITY, BOOKING, PAYMENT, Service
from streams.working import WorkingRows, Written
from tables.availability import Availability
from tables.payments import Payments
from tables.reservations import Reservations

TABLES: dict[Service, type[Decides]] = {BOOKING: Reservations, AVAILABILITY: Availability, PAYMENT: Payments}


@dataclass(frozen=True)
class Record:
    """A message where it stands in an inbox; `time` is the log's own."""

    offset: int
    time: datetime
    message: Envelope


@dataclass
class Durable:
    """Rows as the store has them, with the interface that decisions read through."""

    rows: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> Row | None:
        return Row(self.rows[key], 0, 0) if key in self.rows else None

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        yield from ((key, self.rows[key]) for key in sorted(self.rows) if key.startswith(prefix))

    def working(self) -> WorkingRows:
        return WorkingRows(cast(LocalRows, self))


class Process:
    """One service's inbox, its rows, and the process that decides the one on the other."""

    def __init__(self, service: Service) -> None:
        self.service, self.inbox, self.durable = service, list[Record](), Durable()
        #: The next record to decide, after a kill.
        self.position = 0
        #: The records that were decided at least once.
        self.reached = 0
        self._begin()

    def _begin(self) -> None:
        self.next = self.position
        self._working = self.durable.working()
        self._unsettled: dict[str, bytes | None] = {}

    @property
    def behind(self) -> bool:
        return self.next < len(self.inbox)

    def decide(self) -> list[Envelope]:
        """Decides the next record; what is to be said because of it."""
        record = self.inbox[self.next]
        said, changes = decided(self.service, self._working, record)
        self._working.hand_over(changes, self.next)
        self._unsettled |= {key: written.payload for key, written in changes.items()}
        self.next += 1
        self.reached = max(self.reached, self.next)
        return said

    def settle(self) -> None:
        """What was decided becomes durable, all of it at once."""
        store(self.durable, self._unsettled)
        self._working.durable(iter(self._unsettled), self.next)
        self._unsettled, self.position = {}, self.next

    def kill(self) -> None:
        """The process ends, and another one begins with what is durable."""
        self._begin()

    def rebuilt(self) -> Durable:
        """The rows that the inbox makes from nothing."""
        rows = Durable()
        for record in self.inbox:
            _, changes = decided(self.service, rows.working(), record)
            store(rows, {key: written.payload for key, written in changes.items()})
        return rows


def decided(service: Service, rows: WorkingRows, record: Record) -> tuple[list[Envelope], dict[str, Written]]:
    events = TABLES[service]().apply(rows, record.message, record.time, record.offset)
    said = [
        caused_by(record.message, event, index=index, now=record.time, source=service.name)
        for index, event in enumerate(events)
    ]
    return said, rows.take_changes()


def store(durable: Durable, rows: dict[str, bytes | None]) -> None:
    for key, payload in rows.items():
        if payload is None:
            durable.rows.pop(key, None)
        else:
            durable.rows[key] = payload
