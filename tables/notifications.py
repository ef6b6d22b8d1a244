"""The notification service's table, partitioned by user.

Rows: `n|{user}|{notice_id}` a notice; `i|{user}|{milliseconds}|{notice_id}` the same where the app shows it, the newest
last; `u|{user}` how the user was reached before; `p|{user}` what the user wants to hear where; `m|{user}|{booking_id}`
a reminder, and `r|{due}|{user}|{booking_id}` one that is still to come; `d|{due}|{user}|{notice_id}` a notice that is
to be tried again. A user's id is quoted, so that no key reaches into another user's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from domain.decision import Decision
from domain.notices import Contact, Notice, decide, learn
from domain.parking import park, retry
from domain.preferences import EVERYTHING, Preferences, chosen
from domain.reminders import Reminder, plan, remind
from streams.events import Envelope, Event
from streams.events.notices import (
    MailHandedOver,
    MarkAllRead,
    MarkRead,
    NoticeDue,
    NoticeParked,
    Notify,
    PlanReminder,
    ReminderDue,
    SetPreferences,
    SmsHandedOver,
)
from streams.keys import partition_of, quoted
from streams.rows import RowStore
from streams.working import WorkingRows
from tables import due_index


class Planned(msgspec.Struct, frozen=True):
    """A reminder that is due at a time."""

    user_id: str
    booking_id: str
    due: datetime


class Parked(msgspec.Struct, frozen=True):
    """A notice that is to be tried again at a time."""

    user_id: str
    notice_id: str
    due: datetime


#: What concerns one notice.
OfNotice = Notify | MailHandedOver | SmsHandedOver | NoticeParked | NoticeDue | MarkRead


class Notifications:
    """Decides notices, preferences and reminders on their rows."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        match message.data:
            case SetPreferences() as asked:
                return _choose(rows, asked)
            case PlanReminder() | ReminderDue() as asked:
                return _remind(rows, asked, now)
            case MarkAllRead(user_id=user_id, notice_ids=notice_ids):
                for notice_id in notice_ids:
                    _decide(rows, MarkRead(user_id=user_id, notice_id=notice_id), now)
                return ()
            case Notify() | MailHandedOver() | SmsHandedOver() | NoticeParked() | NoticeDue() | MarkRead() as asked:
                return _decide(rows, asked, now)
        raise AssertionError(f"{message.event_type} is no message of this inbox")

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        """A notice's rows are as small as its request: there is no smaller way to decide one."""
        return None


def _decide(rows: WorkingRows, asked: OfNotice, now: datetime) -> Sequence[Event]:
    key, contact_key = row_key(asked.user_id, asked.notice_id), f"u|{quoted(asked.user_id)}"
    before, contact = rows.get(key, Notice), rows.get(contact_key, Contact)
    preferences = rows.get(preferences_key(asked.user_id), Preferences) or EVERYTHING
    match asked:
        case NoticeParked():
            decision = Decision(park(before, asked, now))
        case NoticeDue():
            decision = retry(before, contact, asked, now, preferences)
        case _:
            decision = decide(before, contact, asked, now, preferences)
    after, known = decision.state, learn(contact, asked)
    if after is not None and after is not before:
        rows.put(key, after)
        if after.listed:
            rows.put(_index_key(after), after, keep=False)
        elif before is not None and before.listed:
            rows.delete(_index_key(before))  # it went after all: the mail itself says it
    if known is not None and known is not contact:
        rows.put(contact_key, known)
    _keep_due(rows, before, after, asked)
    return decision.events


def _keep_due(rows: WorkingRows, before: Notice | None, after: Notice | None, asked: OfNotice) -> None:
    due_index.move(
        rows,
        lambda due: f"d|{due_index.instant(due)}|{quoted(asked.user_id)}|{asked.notice_id}",
        lambda due: Parked(asked.user_id, asked.notice_id, due),
        before.due if before is not None else None,
        after.due if after is not None else None,
        ticked=(asked.due,) if isinstance(asked, NoticeDue) else (),
    )


def _choose(rows: WorkingRows, asked: SetPreferences) -> Sequence[Event]:
    key = preferences_key(asked.user_id)
    before = rows.get(key, Preferences)
    after = chosen(before or EVERYTHING, asked)
    if after != before:
        rows.put(key, after)
    return ()


def _remind(rows: WorkingRows, asked: PlanReminder | ReminderDue, now: datetime) -> Sequence[Event]:
    key, told = f"m|{quoted(asked.user_id)}|{asked.booking_id}", list[Notify]()
    before = rows.get(key, Reminder)
    if isinstance(asked, PlanReminder):
        after: Reminder | None = plan(before, asked)
    else:
        after, told = remind(before, asked, now)
    if after is not None and after != before:
        rows.put(key, after)
    due_index.move(
        rows,
        lambda due: f"r|{due_index.instant(due)}|{quoted(asked.user_id)}|{asked.booking_id}",
        lambda due: Planned(asked.user_id, asked.booking_id, due),
        before.due if before is not None else None,
        after.due if after is not None else None,
        ticked=(asked.due,) if isinstance(asked, ReminderDue) else (),
    )
    return [event for notice in told for event in _decide(rows, notice, now)]


def due_reminders(store: RowStore, partition: int, now: datetime, most: int) -> Iterator[Planned]:
    """The reminders of a partition that are due, the longest due first, at most `most`."""
    for raw in due_index.over(store, partition, "r|", now, most):
        yield msgspec.json.decode(raw, type=Planned)


def due_notices(store: RowStore, partition: int, now: datetime, most: int) -> Iterator[Parked]:
    """The parked notices of a partition that are to be tried again, the longest due first, at most `most`."""
    for raw in due_index.over(store, partition, "d|", now, most):
        yield msgspec.json.decode(raw, type=Parked)


def preferences_key(user_id: str) -> str:
    """The key of the row of what a user wants to hear where."""
    return f"p|{quoted(user_id)}"


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
