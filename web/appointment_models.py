"""What an appointment says, in the document's own fields (CLN-05): as a request, as a change, as an answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from web.answers import Answer, Links, Money
from web.models import Request
from web.texts import DateIn, IdIn, Text

HourIn = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["09:15"])]
VisitType = Literal["in_person", "virtual"]


class AppointmentRequest(Request):
    """Date and time are those of the practitioner's time zone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "patientId": "patient-7",
                    "doctorId": "doctor-3",
                    "date": "2026-12-24",
                    "time": "09:15",
                    "reason": "Annual check-up",
                    "visitType": "in_person",
                }
            ]
        }
    )

    appointmentId: IdIn | None = None
    patientId: IdIn
    doctorId: IdIn
    date: DateIn
    time: HourIn
    reason: Text
    visitType: VisitType
    status: Literal["scheduled"] = "scheduled"
    action: Literal["created"] = "created"


class AppointmentChange(Request):
    """What is named is changed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"time": "10:30"}, {"visitType": "virtual"}]})

    date: DateIn | None = None
    time: HourIn | None = None
    reason: Text | None = None
    visitType: VisitType | None = None


class AppointmentOut(Answer):
    """An appointment as its row stands: the document's fields, and those of every booking."""

    booking_id: str
    appointmentId: str
    confirmation_number: str
    patientId: str
    doctorId: str
    #: Where the practitioner is.
    date: str
    time: str
    time_zone: str
    #: Why the patient comes; None once the patient was erased.
    reason: str | None = None
    visitType: str | None = None
    status: str
    #: Why it was rejected or cancelled.
    status_reason: str | None = None
    price: Money
    revision: int
    start_time: datetime
    end_time: datetime
    created_at: datetime
    deadline: datetime
    links: Links
