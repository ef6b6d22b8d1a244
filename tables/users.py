"""The user service's table: `u|{user_id}` is one user. What happened to it is in `tables.history`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.users import User, decide
from streams.events import Envelope, Event
from streams.keys import KEYS, partition_of
from streams.rows import RowStore
from streams.working import WorkingRows
from tables.history import remember


class Users:
    """Decides users on their rows."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        user_id = KEYS["user_id"](message.data)
        before = rows.get(row_key(user_id), User)
        decision = decide(before, message.data, now)
        after, said = decision.state, decision.events
        if after is not None and after is not before:
            state = rows.put(row_key(user_id), after)
            remember(rows, user_id, state, message, said, now=now, offset=offset, source="user-service")
        return said

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """A user's row is bounded by its request's size: there is no smaller way to decide one."""
        return None


def row_key(user_id: str) -> str:
    """The key of a user's row."""
    return f"u|{user_id}"


def read(store: RowStore, user_id: str) -> User | None:
    """The user as it is durable in this worker.

    Raises:
        NotOwner: another worker has it.
    """
    raw = store.get(partition_of(user_id, store.partitions), row_key(user_id))
    return msgspec.json.decode(raw, type=User) if raw is not None else None
