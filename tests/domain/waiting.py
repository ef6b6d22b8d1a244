"""The availability service's table on rows in memory, and what is said to a waitlist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from domain.inventory import Night
from domain.waitlist import Entry
from streams.envelope import originate
from streams.events import Event
from streams.events.waitlist import EntryDue, JoinWaitlist, LeaveWaitlist
from streams.local import LocalRows, Row
from streams.working import WorkingRows
from tables.availability import Availability
from tables.waitlist import Due, entry_key
from tests.domain.messages import CHECK_IN, NEXT_DAY, NOW

S = TypeVar("S")


class Stored(LocalRows):
    """A partition's rows as JSON in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}

    def get(self, key: str) -> Row | None:
        found = self.rows.get(key)
        return Row(found, 0, 0) if found is not None else None

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        yield from sorted((key, row) for key, row in self.rows.items() if key.startswith(prefix))


class Desk:
    """The table, message by message, each decided on what the last one stored."""

    def __init__(self) -> None:
        self.stored = Stored()
        self._table = Availability()
        #: The keys the last decision read.
        self.asked: list[str] = []

    def take(self, message: Event, now: datetime = NOW) -> tuple[Event, ...]:
        rows = _Watched(self.stored)
        said = self._table.apply(rows, originate(message, source="test", now=now), now, 0)
        self.asked = rows.asked
        return self._store(rows, said)

    def refuse(self, message: Event, now: datetime = NOW) -> tuple[Event, ...]:
        """The same where the whole decision would not fit a record batch."""
        rows = _Watched(self.stored)
        said = self._table.refuse(rows, originate(message, source="test", now=now), now, 0, "too_large")
        return self._store(rows, said or ())

    def _store(self, rows: WorkingRows, said: Sequence[Event]) -> tuple[Event, ...]:
        for key, written in rows.take_changes().items():
            if written.payload is None:
                self.stored.rows.pop(key, None)
            else:
                self.stored.rows[key] = written.payload
        return tuple(said)

    def read(self, key: str, kind: type[S]) -> S:
        return msgspec.json.decode(self.stored.rows[key], type=kind)

    def entry(self, entry_id: str) -> Entry:
        return self.read(entry_key(entry_id), Entry)

    def night(self, day: datetime) -> Night:
        key = f"n|hotel/double|{day.date().isoformat()}"
        return self.read(key, Night) if key in self.stored.rows else Night()

    def due(self) -> list[tuple[datetime, str]]:
        """When which entries have to be looked at."""
        found = ((key.split("|")[1], msgspec.json.decode(row, type=Due)) for key, row in self.stored.scan("u|"))
        return [(datetime.fromisoformat(time), due.entry_id) for time, due in found]


class _Watched(WorkingRows):
    def __init__(self, stored: Stored) -> None:
        super().__init__(stored)
        self.asked: list[str] = []

    def get(self, key: str, model: Any) -> Any:
        self.asked.append(key)
        return super().get(key, model)

    def scan(self, prefix: str, model: Any) -> Iterator[tuple[str, Any]]:
        self.asked.append(prefix)
        return super().scan(prefix, model)


def join(
    entry: str = "w1",
    start: datetime = CHECK_IN,
    end: datetime = NEXT_DAY,
    quantity: int = 1,
    until: datetime | None = None,
    minutes: int = 60,
) -> JoinWaitlist:
    return JoinWaitlist(
        entry_id=entry,
        provider_id="hotel",
        product_id="double",
        fingerprint="f" * 64,
        user_id=f"user of {entry}",
        guest="sealed guest",
        start=start,
        end=end,
        quantity=quantity,
        offer_minutes=minutes,
        until=until or start + timedelta(hours=18),
    )


def leave(entry: str = "w1") -> LeaveWaitlist:
    return LeaveWaitlist(entry_id=entry, provider_id="hotel", product_id="double")


def due(entry: str = "w1") -> EntryDue:
    return EntryDue(entry_id=entry, provider_id="hotel", product_id="double")
