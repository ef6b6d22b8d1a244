"""The clinic's guide (CLN-05..08): a flat event for each kind of record, what happened to it in `action`.

Nothing in a message names its id, its time or its type: id, time and correlation travel in headers (CLN-22), and the
type follows from action and status. Two outcomes that the document does not know, rejected and expired, look like a
cancellation; `deleted`, for which it has a handler and no action (CLN-16), is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from streams.events.booking_news import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingCreated,
    BookingExpired,
    BookingNews,
    BookingRejected,
    BookingUpdated,
)
from streams.topics import Topic
from streams.wire import GUESTS, RECORDS, USERS
from streams.wire.clinic_records import FORMS as RECORD_FORMS
from streams.wire.clinic_records import SHAPES, Day, Words
from streams.wire.clocks import instant, local
from streams.wire.document import Body, DocumentCodec, Form, Read, names_of, optional_text, shaped, text
from streams.wire.fields import Id

#: Every practitioner is a resource of the clinic (design 3).
PROVIDER = "clinic"
#: The document names no price; the practitioner's holds.
_CURRENCY = "EUR"
#: How long an appointment is taken to be until the practitioner's own slots are known.
_SLOT = timedelta(minutes=15)
_UNKNOWN = "unknown"
#: The document's action and status for each piece of news; a change says its status itself.
_SHOWN: Mapping[type[BookingNews], tuple[str, str]] = {
    BookingCreated: ("created", "scheduled"),
    BookingConfirmed: ("updated", "confirmed"),
    BookingUpdated: ("updated", ""),
    BookingCompleted: ("updated", "completed"),
    BookingCancelled: ("cancelled", "cancelled"),
    BookingRejected: ("cancelled", "cancelled"),
    BookingExpired: ("cancelled", "cancelled"),
}
_STATUS = {"scheduled": "PENDING", "confirmed": "CONFIRMED", "completed": "COMPLETED"}


class _Appointment(BaseModel):
    """CLN-05: what another program has to say to make an appointment or to move it."""

    appointmentId: Id | None = None
    patientId: Id
    doctorId: Id
    date: Day
    time: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    reason: Words | None = None
    status: Literal["scheduled", "confirmed", "completed", "cancelled"] | None = None
    visitType: Literal["in_person", "virtual"] | None = None
    timeZone: Words | None = None


def _write_appointment(event: Any, patient: Mapping[str, Any]) -> Body:
    action, status = _SHOWN[type(event)]
    day, hour = _when(event)
    return {
        "appointmentId": event.booking_id,
        "patientId": event.user_id,
        "doctorId": event.product_id,
        "date": day,
        "time": hour,
        "reason": patient.get("reason"),
        "status": status or ("confirmed" if event.status == "CONFIRMED" else "scheduled"),
        "visitType": event.about.details.get("visit_type") if event.about else None,
        "action": action,
    }


def _when(event: Any) -> tuple[str | None, str | None]:
    """Date and hour on the practitioner's clock; none where the news tells no time."""
    about = event.about
    start = about.lines[0].start if about and about.lines else getattr(event, "start_time", None)
    if start is None:
        return None, None
    found = local(start, about.time_zone if about else "UTC")
    return found.date().isoformat(), found.time().isoformat("minutes")


def _read_appointment(model: type[BookingNews], body: Body) -> Read:
    doctor, shown = optional_text(body, "doctorId"), optional_text(body, "status") or "scheduled"
    data: Body = {
        "booking_id": optional_text(body, "appointmentId"),
        "user_id": optional_text(body, "patientId"),
        "provider_id": PROVIDER,
        "product_id": doctor,
        "quantity": 1,
        "price_amount": 0,
        "price_currency": _CURRENCY,
        # A new one is PENDING whatever its status says: what becomes of it is ours to say.
        "status": "PENDING" if model is BookingCreated else _STATUS.get(shown, "PENDING"),
        # A change that names no revision makes the next one.
        "revision": 0,
    }
    if model not in (BookingCreated, BookingUpdated):
        data |= _unsaid(data)
    if body.get("date") is not None and doctor is not None:
        data |= _held(body, doctor)
    reason = optional_text(body, "reason")
    return Read(data, {"reason": reason} if reason else {})


def _unsaid(data: Body) -> Body:
    """What the platform's outcomes say and the document has no words for; a cancellation names its appointment only."""
    return {
        "user_id": data["user_id"] or _UNKNOWN,
        "product_id": data["product_id"] or _UNKNOWN,
        "payment_id": _UNKNOWN,
        "cancellation_reason": "",
        "cancelled_by": _UNKNOWN,
        "reason": _UNKNOWN,
        "refund_eligible": False,
        "refund_amount": 0,
        "refund_currency": _CURRENCY,
    }


def _held(body: Body, doctor: str) -> Body:
    """The time it takes. Date and hour are the practitioner's: the gate, who knows the clock, reads them in details."""
    day, hour, zone = text(body, "date"), text(body, "time"), optional_text(body, "timeZone") or "UTC"
    start = instant(day, hour, zone)
    end = start + _SLOT
    line = {
        "line": 1,
        "provider_id": PROVIDER,
        "product_id": doctor,
        "start": start,
        "end": end,
        "quantity": 1,
        "price_amount": 0,
    }
    visit = {"visit_type": body["visitType"]} if body.get("visitType") is not None else {}
    about = {
        "kind": "appointment",
        "lines": [line],
        "price_amount": 0,
        "price_currency": _CURRENCY,
        "time_zone": zone,
        "details": {"date": day, "time": hour, **visit},
    }
    return {"start_time": start, "end_time": end, "about": about}


def _appointment(model: type[BookingNews]) -> Form:
    return Form(_write_appointment, lambda body: _read_appointment(model, body))


def _type_of(body: Body, topic: Topic) -> str:
    event = next(iter(names_of(topic))).partition(":")[0]
    action = "cancelled" if text(body, "action") == "deleted" else text(body, "action")
    if event in SHAPES:
        shaped(SHAPES[event], body)
        return f"{event}:{action}"
    status = optional_text(body, "status") or "scheduled"
    if "cancelled" in (action, status):
        text(body, "appointmentId")
        return f"{event}:cancelled/cancelled"
    shaped(_Appointment, body)
    if action == "created":
        return f"{event}:created/scheduled"
    text(body, "appointmentId")
    return f"{event}:{action}/{status}"


CODEC = DocumentCodec(
    forms={**{model.event_type: _appointment(model) for model in _SHOWN}, **RECORD_FORMS},
    head=lambda envelope, name: {},
    type_of=_type_of,
    id_of=lambda body: None,
    time_of=lambda body: None,
    reveals=GUESTS + USERS + RECORDS,
)
