"""The notification service's table, partitioned by user.

Rows: `n|{user}|{notice_id}` a notice; `i|{user}|{milliseconds}|{notice_id}` the same where the app shows it, the newest
last; `u|{user}` how the user was reached before. A user's id is quoted, so that no key reaches into another user's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.notices import Contact, Notice, decide, learn
from streams.events import Envelope, Event
from streams.events.notices import MailHandedOver, MarkRead, Notify
from streams.keys import partition_of, quoted
from streams.rows import RowStore
from streams.working import WorkingRows


class Notifications:
    """Decides notices on their rows."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        asked = message.data
        assert isinstance(asked, Notify | MailHandedOver | MarkRead)
        key, contact_key = row_key(asked.user_id, asked.notice_id), f"u|{quoted(asked.user_id)}"
        before, contact = rows.get(key, Notice), rows.get(contact_key, Contact)
        decision = decide(before, contact, asked, now)
        after, known = decision.state, learn(contact, asked)
        if after is not None and after is not before:
            rows.put(key, after)
            if after.listed:
                rows.put(_index_key(after), after, keep=False)
        if known is not None and known is not contact:
            rows.put(contact_key, known)
        return decision.events

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """A notice's rows are as small as its request: there is no smaller way to decide one."""
        return None


def row_key(user_id: str, notice_id: str) -> str:
    """The key of a notice's row."""
    return f"n|{quoted(user_id)}|{notice_id}"


def list_prefix(user_id: str) -> str:
    """What the keys of the rows begin with that the app shows a user."""
    return f"i|{quoted(user_id)}|"


def place_of(notice: Notice) -> str:
    """Where a notice stands in its user's list: greater is newer."""
    return f"{int(notice.created_at.timestamp() * 1000):015}|{notice.notice_id}"


def _index_key(notice: Notice) -> str:
    return list_prefix(notice.user_id) + place_of(notice)


def read(store: RowStore, user_id: str, notice_id: str) -> Notice | None:
    """The notice as it is durable in this worker.

    Raises:
        NotOwner: another worker has it.
    """
    raw = store.get(partition_of(user_id, store.partitions), row_key(user_id, notice_id))
    return msgspec.json.decode(raw, type=Notice) if raw is not None else None
