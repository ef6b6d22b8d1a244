"""What the API answers of the clinic's records: the document's fields, and how the row stands (CLN-06..08)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from domain.records import Record
from web.answers import Answer


class RecordLinks(Answer):
    self: str
    cancel: str | None = None


class RecordOut(Answer):
    """What every record's answer has beside the document's fields; those are null once the patient was erased."""

    patientId: str
    status: str
    #: The last one: created, updated, cancelled, shipped or delivered.
    action: str
    revision: int
    created_at: datetime
    updated_at: datetime
    links: RecordLinks


class PrescriptionOut(RecordOut):
    prescriptionId: str
    doctorId: str | None = None
    medication: str | None = None
    dosage: str | None = None
    frequency: str | None = None
    startDate: str | None = None
    endDate: str | None = None


class OrderItemRecordOut(Answer):
    productId: str
    quantity: int
    price: str


class OrderRecordOut(RecordOut):
    orderId: str
    pharmacyId: str | None = None
    totalPrice: str | None = None
    orderDate: str | None = None
    deliveryDate: str | None = None
    items: list[OrderItemRecordOut] | None = None


class HealthRecordOut(RecordOut):
    recordId: str
    doctorId: str | None = None
    recordType: str | None = None
    description: str | None = None
    recordDate: str | None = None


def record_out(
    row: Record, path: str, id_field: str, fields: Iterable[str], content: Mapping[str, Any]
) -> dict[str, Any]:
    """A record of the collection at `path` as JSON. Another program may have told anything as its content: what does
    not fit the document's fields is not shown, and refuses nothing."""
    itself = f"/api/{path}/{quote(row.record_id, safe='')}"
    return {
        id_field: row.record_id,
        "patientId": row.user_id,
        **{name: _shown(name, content.get(name)) for name in fields},
        "status": row.status,
        "action": row.action,
        "revision": row.revision,
        "created_at": row.created_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
        "links": {"self": itself, "cancel": None if row.kind == "health" else f"{itself}/cancel"},
    }


def _shown(name: str, value: Any) -> Any:
    if name == "totalPrice":
        return _sum(value)
    if name == "items":
        return [_item(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else None
    return value if isinstance(value, str) else None


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"productId": item.get("productId"), "quantity": item.get("quantity"), "price": _sum(item.get("price"))}


def _sum(value: Any) -> str | None:
    return f"{value:.2f}" if isinstance(value, int | Decimal) else None
