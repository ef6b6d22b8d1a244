"""What the record service decides: prescriptions, pharmacy orders and health records, by action (CLN-16).

The document's consumer pattern, as running code: a message goes to the handler of its action. What a record's state
does not allow is refused: the row stays as it is, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from domain.decision import Decision
from streams.events import Event
from streams.events.records import (
    Action,
    ChangeRecord,
    HealthRecordCreated,
    HealthRecordUpdated,
    OpenRecord,
    PharmacyOrderCancelled,
    PharmacyOrderCreated,
    PharmacyOrderDelivered,
    PharmacyOrderShipped,
    PharmacyOrderUpdated,
    PrescriptionCancelled,
    PrescriptionCreated,
    PrescriptionUpdated,
    RecordKind,
    RecordNews,
)


class Record(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One record. `content` is the document's own fields as a JSON object, sealed under the patient's key."""

    record_id: str
    kind: RecordKind
    #: The patient.
    user_id: str
    content: str
    status: str
    #: The last one that was taken.
    action: Action = "created"
    revision: int = 1
    #: What it was opened by; empty where another program told of it.
    fingerprint: str = ""
    #: The messages of other programs that told of changes.
    told_by: tuple[str, ...] = ()
    created_at: datetime
    updated_at: datetime


Outcome = Decision[Record | None]


class Handler(Protocol):
    def __call__(self, record: Record, change: ChangeRecord, now: datetime) -> Outcome: ...


#: The statuses a record may begin with. A health record has none in the document: its last action stands for it.
FIRST: Mapping[RecordKind, frozenset[str]] = {
    "prescription": frozenset({"active", "inactive", "completed"}),
    "order": frozenset({"pending"}),
    "health": frozenset({"created"}),
}
#: The statuses that an `updated` may lead to, from each. What is not here has come to its end.
_UPDATES: Mapping[RecordKind, Mapping[str, frozenset[str]]] = {
    "prescription": {
        "active": frozenset({"active", "inactive", "completed"}),
        "inactive": frozenset({"active", "inactive", "completed"}),
        "completed": frozenset({"completed"}),
    },
    "order": {
        "pending": frozenset({"pending", "processing"}),
        "processing": frozenset({"processing"}),
        "shipped": frozenset({"shipped"}),
    },
    "health": {"created": frozenset({"updated"}), "updated": frozenset({"updated"})},
}
_CANCELS: Mapping[RecordKind, Mapping[str, str]] = {
    "prescription": {"active": "inactive", "inactive": "inactive"},
    "order": {"pending": "cancelled", "processing": "cancelled"},
    "health": {},
}
_NEWS: Mapping[tuple[RecordKind, Action], type[RecordNews]] = {
    (news.kind, news.action): news
    for news in (
        PrescriptionCreated,
        PrescriptionUpdated,
        PrescriptionCancelled,
        PharmacyOrderCreated,
        PharmacyOrderUpdated,
        PharmacyOrderShipped,
        PharmacyOrderDelivered,
        PharmacyOrderCancelled,
        HealthRecordCreated,
        HealthRecordUpdated,
    )
}


def decide(record: Record | None, message: Event, now: datetime) -> Outcome:
    """The next state of a record and what the world hears. `now` is the record's time in the inbox."""
    match record, message:
        case None, OpenRecord():
            return handle_created(message, now)
        case Record(), ChangeRecord() if _concerns(record, message):
            return _HANDLERS[message.action](record, message, now)
        case _:
            return Decision(record)


def handle_created(opened: OpenRecord, now: datetime) -> Outcome:
    """A record begins, in a status that its kind may begin with."""
    if opened.status not in FIRST[opened.kind]:
        return Decision(None)
    record = Record(
        record_id=opened.record_id,
        kind=opened.kind,
        user_id=opened.user_id,
        content=opened.content,
        status=opened.status,
        fingerprint=opened.fingerprint,
        created_at=now,
        updated_at=now,
    )
    return Decision(record, () if opened.announced else (_news(record, now),))


def handle_updated(record: Record, change: ChangeRecord, now: datetime) -> Outcome:
    """Other content, another status, or both; an order goes no further than `processing` by it."""
    status = change.status or ("updated" if record.kind == "health" else record.status)
    changes = (status, change.content or record.content) != (record.status, record.content)
    allowed = record.action != "cancelled" and status in _UPDATES[record.kind].get(record.status, ())
    return _changed(record, change, status if changes and allowed else None, now)


def handle_cancelled(record: Record, change: ChangeRecord, now: datetime) -> Outcome:
    """The document's `handleDeleted`, which has no action of its own there (CLN-22): nothing is ever deleted."""
    ended = record.action == "cancelled"
    return _changed(record, change, None if ended else _CANCELS[record.kind].get(record.status), now)


def handle_shipped(record: Record, change: ChangeRecord, now: datetime) -> Outcome:
    """The pharmacy gave the order away."""
    return _changed(record, change, "shipped" if record.status == "processing" else None, now)


def handle_delivered(record: Record, change: ChangeRecord, now: datetime) -> Outcome:
    """The patient has the order."""
    return _changed(record, change, "delivered" if record.status == "shipped" else None, now)


def refuse(record: Record, change: ChangeRecord, now: datetime) -> Outcome:
    """What is there is not created again."""
    return Decision(record)


_HANDLERS: Mapping[Action, Handler] = {
    "created": refuse,
    "updated": handle_updated,
    "cancelled": handle_cancelled,
    "shipped": handle_shipped,
    "delivered": handle_delivered,
}


def _concerns(record: Record, change: ChangeRecord) -> bool:
    """Whether it is this record's next change: of its kind and patient, under whose key the content is sealed."""
    same = record.kind == change.kind and change.user_id in (None, record.user_id)
    again = change.message_id is not None and change.message_id in record.told_by
    return same and not again and change.revision in (None, record.revision + 1)


def _changed(record: Record, change: ChangeRecord, status: str | None, now: datetime) -> Outcome:
    if status is None:
        return Decision(record)
    after = msgspec.structs.replace(
        record,
        content=change.content or record.content,
        status=status,
        action=change.action,
        revision=record.revision + 1,
        told_by=record.told_by if change.message_id is None else (*record.told_by, change.message_id),
        updated_at=now,
    )
    return Decision(after, () if change.announced else (_news(after, now),))


def _news(record: Record, now: datetime) -> RecordNews:
    return _NEWS[record.kind, record.action](
        record_id=record.record_id,
        user_id=record.user_id,
        content=record.content,
        status=record.status,
        revision=record.revision,
        changed_at=now,
    )
