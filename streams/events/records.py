"""The clinic's records beside its appointments: prescriptions, pharmacy orders, health records (CLN-06..08).

`content` is the document's own fields as a JSON object, sealed under the patient's key: all of it is health data.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from streams.events.base import Event, Id, Instant, Sealed, Whole

RecordKind = Literal["prescription", "order", "health"]
Action = Literal["created", "updated", "cancelled", "shipped", "delivered"]

# --- asked of the record service (its inbox, keyed by record_id) ---


class OpenRecord(Event, type="record.record.open"):
    record_id: Id
    kind: RecordKind
    #: The patient.
    user_id: Id
    content: Sealed
    status: str
    fingerprint: str = ""
    #: Another program told the world of it already.
    announced: bool = False


class ChangeRecord(Event, type="record.record.change"):
    """The record after the change; what is None stays."""

    record_id: Id
    kind: RecordKind
    action: Action
    #: The patient, under whose key the content is sealed. None where there is no content.
    user_id: Id | None = None
    #: The revision this makes: one that is taken already was made by another change. None takes the next.
    revision: Whole | None = None
    content: Sealed | None = None
    status: str | None = None
    announced: bool = False
    #: The message of another program that tells of it: each is taken once.
    message_id: str | None = None


# --- told to the world ---


class RecordNews(Event):
    kind: ClassVar[RecordKind]
    action: ClassVar[Action]

    record_id: Id
    #: The patient.
    user_id: Id
    content: Sealed
    status: str
    revision: Whole
    changed_at: Instant


class PrescriptionCreated(RecordNews, type="record.prescription.created"):
    kind, action = "prescription", "created"


class PrescriptionUpdated(RecordNews, type="record.prescription.updated"):
    kind, action = "prescription", "updated"


class PrescriptionCancelled(RecordNews, type="record.prescription.cancelled"):
    kind, action = "prescription", "cancelled"


class PharmacyOrderCreated(RecordNews, type="record.order.created"):
    kind, action = "order", "created"


class PharmacyOrderUpdated(RecordNews, type="record.order.updated"):
    kind, action = "order", "updated"


class PharmacyOrderShipped(RecordNews, type="record.order.shipped"):
    kind, action = "order", "shipped"


class PharmacyOrderDelivered(RecordNews, type="record.order.delivered"):
    kind, action = "order", "delivered"


class PharmacyOrderCancelled(RecordNews, type="record.order.cancelled"):
    """Ours (CLN-22): the document knows no cancelled order."""

    kind, action = "order", "cancelled"


class HealthRecordCreated(RecordNews, type="record.health.created"):
    kind, action = "health", "created"


class HealthRecordUpdated(RecordNews, type="record.health.updated"):
    kind, action = "health", "updated"
