"""The clinic's prescriptions, pharmacy orders and health records (CLN-06..08).

What the document shows of one beside its ids, status and action is its content, health data all of it: sealed inside,
and in clear on the document's topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from streams.events.records import RecordKind, RecordNews
from streams.wire.document import Body, Form, Read, optional_text
from streams.wire.fields import Id

Words = Annotated[str, Field(max_length=2000)]


def _is_day(value: str) -> str:
    return date.fromisoformat(value).isoformat()


def _is_local(value: str) -> str:
    if datetime.fromisoformat(value).tzinfo is not None:
        raise ValueError("has a time zone, and the document's date and time are local")
    return value


Day = Annotated[str, AfterValidator(_is_day)]
LocalDateTime = Annotated[str, AfterValidator(_is_local)]


class _Record(BaseModel):
    patientId: Id


class _Prescription(_Record):
    prescriptionId: Id
    doctorId: Id
    medication: Words
    dosage: Words
    frequency: Words
    startDate: Day
    endDate: Day | None = None
    status: Literal["active", "inactive", "completed"]


class _Item(BaseModel):
    productId: Id
    quantity: int = Field(ge=1)
    price: float = Field(ge=0, allow_inf_nan=False)


class _Order(_Record):
    orderId: Id
    pharmacyId: Id
    totalPrice: float = Field(ge=0, allow_inf_nan=False)
    status: Literal["pending", "processing", "shipped", "delivered"]
    orderDate: LocalDateTime
    deliveryDate: LocalDateTime | None = None
    items: list[_Item] = Field(min_length=1)


class _HealthRecord(_Record):
    recordId: Id
    doctorId: Id
    recordType: Literal["lab_result", "diagnosis", "treatment"]
    description: Words
    recordDate: Day


#: By the document's name: what another program's message has to look like.
SHAPES: Mapping[str, type[BaseModel]] = {
    "PrescriptionEvent": _Prescription,
    "OrderEvent": _Order,
    "HealthRecordEvent": _HealthRecord,
}
#: The document's fields in its order; the first is the record's id.
_FIELDS: Mapping[RecordKind, str] = {
    "prescription": ("prescriptionId patientId doctorId medication dosage frequency startDate endDate status action"),
    "order": "orderId patientId pharmacyId totalPrice status orderDate deliveryDate items action",
    "health": "recordId patientId doctorId recordType description recordDate action",
}


def _form(model: type[RecordNews]) -> Form:
    fields = _FIELDS[model.kind].split()
    record_id = fields[0]
    sealed = [name for name in fields if name not in (record_id, "patientId", "status", "action")]

    def write(event: Any, content: Mapping[str, Any]) -> Body:
        beside = {record_id: event.record_id, "patientId": event.user_id, "status": event.status}
        beside["action"] = event.action
        return {name: beside[name] if name in beside else content.get(name) for name in fields}

    def read(body: Body) -> Read:
        content = {name: body[name] for name in sealed if body.get(name) is not None}
        data: Body = {
            "record_id": optional_text(body, record_id),
            "user_id": optional_text(body, "patientId"),
            # A health record has no status in the document: its action stands for it.
            "status": optional_text(body, "status") if "status" in fields else model.action,
            "content": "" if content else None,
            # A change that names no revision makes the next one.
            "revision": 0,
        }
        return Read(data, content)

    return Form(write, read)


FORMS: Mapping[str, Form] = {model.event_type: _form(model) for model in RecordNews.__subclasses__()}
