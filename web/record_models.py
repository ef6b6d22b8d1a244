"""What the clinic's records say, in the document's own fields (CLN-06..08): as requests and as changes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema, field_validator

from web.models import Request
from web.money import MAX_MINOR_UNITS, SumIn
from web.texts import DateIn, IdIn, Text, read_instant

PrescriptionStatus = Literal["active", "inactive", "completed"]
OrderStatus = Literal["pending", "processing", "shipped", "delivered"]
RecordType = Literal["lab_result", "diagnosis", "treatment"]
_CENT = Decimal("0.01")
D = TypeVar("D", date, datetime)


def _local(value: Any) -> datetime:
    """A time without a zone, to the second or finer: the document's LocalDateTime."""
    try:
        return read_instant(f"{value}Z" if isinstance(value, str) else value).replace(tzinfo=None)
    except ValueError:
        raise ValueError("should be a local time without a zone like 2026-12-24T15:00:00") from None


def _cents(value: Decimal) -> Decimal:
    # The document names no currency: whole cents, as every currency of its Double can be shown.
    if value != value.quantize(_CENT):
        raise ValueError("has more than 2 decimals")
    if value > MAX_MINOR_UNITS * _CENT:
        raise ValueError("is too large")
    return value.quantize(_CENT)


def _not_before(last: D | None, name: str, info: ValidationInfo) -> D | None:
    first: D | None = info.data.get(name)
    if first is not None and last is not None and last < first:
        raise ValueError(f"should not be before {name}")
    return last


LocalTimeIn = Annotated[
    datetime,
    BeforeValidator(_local),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?$"}),
]
PriceIn = Annotated[SumIn, AfterValidator(_cents)]
LongText = Annotated[str, Field(min_length=1, max_length=2000)]


class PrescriptionContent(Request):
    """What is sealed of a prescription."""

    doctorId: IdIn
    medication: Text
    dosage: Text
    frequency: Text
    startDate: DateIn
    endDate: DateIn | None = None

    @field_validator("endDate")
    @classmethod
    def _in_order(cls, end: date | None, info: ValidationInfo) -> date | None:
        return _not_before(end, "startDate", info)


class OrderItemIn(Request):
    productId: IdIn
    quantity: int = Field(ge=1, le=1_000_000)
    #: Of one.
    price: PriceIn


class OrderContent(Request):
    """What is sealed of a pharmacy order. `totalPrice` is what its items cost together."""

    pharmacyId: IdIn
    items: Annotated[list[OrderItemIn], Field(min_length=1, max_length=100)]
    totalPrice: PriceIn
    orderDate: LocalTimeIn
    deliveryDate: LocalTimeIn | None = None

    @field_validator("totalPrice")
    @classmethod
    def _adds_up(cls, total: Decimal, info: ValidationInfo) -> Decimal:
        items: list[OrderItemIn] | None = info.data.get("items")  # declared first; absent when refused themselves
        found = sum((item.quantity * item.price for item in items or ()), Decimal(0))
        if items is not None and found != total:
            raise ValueError(f"should be {found:.2f}, what the items cost together")
        return total

    @field_validator("deliveryDate")
    @classmethod
    def _in_order(cls, delivery: datetime | None, info: ValidationInfo) -> datetime | None:
        return _not_before(delivery, "orderDate", info)


class HealthContent(Request):
    """What is sealed of a health record."""

    doctorId: IdIn
    recordType: RecordType
    description: LongText
    recordDate: DateIn


class PrescriptionRequest(PrescriptionContent):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "patientId": "patient-7",
                    "doctorId": "doctor-3",
                    "medication": "Amoxicillin",
                    "dosage": "500 mg",
                    "frequency": "three times a day",
                    "startDate": "2026-12-01",
                    "endDate": "2026-12-08",
                }
            ]
        }
    )

    prescriptionId: IdIn | None = None
    patientId: IdIn
    status: PrescriptionStatus = "active"
    action: Literal["created"] = "created"


class OrderRecordRequest(OrderContent):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "patientId": "patient-7",
                    "pharmacyId": "pharmacy-1",
                    "totalPrice": 25.5,
                    "orderDate": "2026-12-01T10:30:00",
                    "items": [{"productId": "amoxicillin-500", "quantity": 3, "price": 8.5}],
                }
            ]
        }
    )

    orderId: IdIn | None = None
    patientId: IdIn
    status: Literal["pending"] = "pending"
    action: Literal["created"] = "created"


class HealthRecordRequest(HealthContent):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "patientId": "patient-7",
                    "doctorId": "doctor-3",
                    "recordType": "lab_result",
                    "description": "Blood count without findings",
                    "recordDate": "2026-12-01",
                }
            ]
        }
    )

    recordId: IdIn | None = None
    patientId: IdIn
    action: Literal["created"] = "created"


class PrescriptionChange(Request):
    """What is named is changed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"dosage": "250 mg"}, {"status": "completed"}]})

    doctorId: IdIn | None = None
    medication: Text | None = None
    dosage: Text | None = None
    frequency: Text | None = None
    startDate: DateIn | None = None
    endDate: DateIn | None = None
    status: PrescriptionStatus | None = None


class OrderRecordChange(Request):
    """What is named is changed; a status goes one step on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "processing"}]})

    pharmacyId: IdIn | None = None
    totalPrice: PriceIn | None = None
    orderDate: LocalTimeIn | None = None
    deliveryDate: LocalTimeIn | None = None
    items: Annotated[list[OrderItemIn], Field(min_length=1, max_length=100)] | None = None
    status: OrderStatus | None = None


class HealthRecordChange(Request):
    """What is named is changed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"description": "Blood count repeated"}]})

    doctorId: IdIn | None = None
    recordType: RecordType | None = None
    description: LongText | None = None
    recordDate: DateIn | None = None
