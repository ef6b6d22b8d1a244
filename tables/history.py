"""What happened to an entity and how it stood after each time: one row for each message that changed it.

Rows: `h|{id}|{milliseconds}|{inbox offset}`. The state at a time is one look-up, the row before that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from streams.envelope import derived_id
from streams.events import Envelope, Event
from streams.keys import partition_of
from streams.rows import RowStore
from streams.working import WorkingRows


class Entry(msgspec.Struct, frozen=True):
    """One event of an entity's history: taken by it, or said by it."""

    at: datetime
    event_type: str
    event_id: str
    causation_id: str | None
    source: str


class Moment(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one message did: itself, then what was said because of it, and the entity after it."""

    entries: tuple[Entry, ...]
    state: msgspec.Raw = msgspec.Raw(b"null")


def remember(
    rows: WorkingRows,
    key: str,
    state: bytes,
    message: Envelope,
    said: Sequence[Event],
    *,
    now: datetime,
    offset: int,
    source: str,
) -> None:
    """Writes down what `message` did to the entity `key`, at its place in the inbox: `state` is its row's JSON as
    `rows.put` gave it, `source` who said it.
    """
    taken = Entry(now, message.event_type, message.event_id, message.causation_id, message.source)
    told = (
        Entry(now, event.event_type, derived_id(message, event, index), message.event_id, source)
        for index, event in enumerate(said)
    )
    rows.put(f"h|{key}|{_milliseconds(now):015}|{offset:016}", Moment((taken, *told), msgspec.Raw(state)), keep=False)


def timeline(store: RowStore, key: str) -> list[Entry]:
    """The entity's events in the order of its inbox, each followed by what it caused. Raises NotOwner."""
    rows = store.scan(partition_of(key, store.partitions), f"h|{key}|")
    return [entry for _, raw in rows for entry in msgspec.json.decode(raw, type=Moment).entries]


def state_at(store: RowStore, key: str, at: datetime) -> bytes | None:
    """The entity's row as it stood at a time, None before it began. Raises NotOwner."""
    prefix = f"h|{key}|"
    raw = store.last(partition_of(key, store.partitions), prefix, f"{prefix}{_milliseconds(at):015}|~")
    return bytes(msgspec.json.decode(raw, type=Moment).state) if raw is not None else None


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
