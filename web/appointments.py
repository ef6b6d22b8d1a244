"""Appointments: one slot of a practitioner, in the document's own fields (CLN-05). Nothing is paid here in advance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

import msgspec
from aiohttp import web

from domain.appointments import appointment_period, local_time
from domain.booking_state import Booking
from domain.calendar import HORIZON, Unbookable
from streams.events.about import Line
from streams.events.availability import ResourceDeclared
from streams.events.booking import ChangeBooking
from web.answers import Money, Opened, Timeline
from web.appointment_models import AppointmentChange, AppointmentOut, AppointmentRequest
from web.bodies import check, read_json
from web.cancellations import cancelled
from web.changes import (
    CHECK_IN,
    CHECK_OUT,
    NO_SHOW,
    change_booking,
    changeable,
    changed,
    check_currency,
    check_time_zone,
    move_booking,
    nothing_to_change,
    one_line,
)
from web.checks import line_of
from web.context import Context, context_of
from web.models import CancelRequest
from web.opening import Draft, links_of, open_booking
from web.operations import AT, IDEMPOTENCY_KEY, WAIT, Operation
from web.practitioners import practitioner
from web.problems import Problem, invalid
from web.reading import asked_for, get_timeline, zone_of
from web.requests import canonical

KIND: Literal["appointment"] = "appointment"


async def request_appointment(request: web.Request) -> web.Response:
    body = await read_json(request)
    asked = check(AppointmentRequest, body)
    given = canonical(asked.appointmentId) if asked.appointmentId is not None else None
    return await open_booking(request, body, lambda context: _draft(asked, context), given)


def _draft(asked: AppointmentRequest, context: Context) -> Draft:
    resource = practitioner(context, asked.doctorId)
    if resource is None:
        raise invalid("doctorId", f"unknown practitioner {asked.doctorId}")
    return Draft(
        kind=KIND,
        lines=(_line(resource, asked.date, asked.time, context),),
        currency=resource.price_currency,
        user_id=asked.patientId,
        guest={"reason": asked.reason},
        token=None,
        details={"visit_type": asked.visitType, "date": asked.date.isoformat(), "time": asked.time},
        time_zone=resource.time_zone,
        prepaid=False,
    )


def _line(resource: ResourceDeclared, day: date, hour: str, context: Context) -> Line:
    """The practitioner's slot that begins then. Raises Problem 422."""
    try:
        start, end = appointment_period(resource.slots, resource.time_zone, day.isoformat(), hour)
    except Unbookable as refusal:
        off = f"is not when a slot of {resource.slots} minutes begins"
        gone = f"is not on the clocks of {resource.time_zone} that day"
        raise invalid("time", off if refusal.reason == "off_the_grid" else gone) from None
    now = context.clock()
    if start < now:
        raise invalid("time", "is in the past")
    if start > now + HORIZON:
        raise invalid("date", "is too far ahead")
    return line_of(resource, start, end, 1)


async def get_appointment(request: web.Request) -> web.Response:
    return await _answer(context_of(request), await asked_for(request, KIND))


async def change_appointment(request: web.Request) -> web.Response:
    asked = check(AppointmentChange, await read_json(request))
    if not asked.model_dump(exclude_none=True):
        raise nothing_to_change(*AppointmentChange.model_fields)
    row, context = await changeable(request, KIND), context_of(request)
    lines = (_moved(row, asked, context),) if asked.date or asked.time else None
    reason = await _sealed_reason(context, row, asked.reason) if asked.reason is not None else None
    change = _with_details(context, row, changed(context, row, lines, guest=reason), asked)
    return await change_booking(request, context, row, change, _answer)


def _moved(row: Booking, asked: AppointmentChange, context: Context) -> Line:
    line = one_line(row)
    resource = practitioner(context, line.product_id)
    if resource is None:
        raise Problem(409, "not-changeable", "Cannot be changed", "The practitioner takes no appointments any more.")
    check_currency(row, resource.price_currency, "time")
    check_time_zone(row, resource.time_zone, "time")
    day, hour = local_time(line.start, zone_of(row))
    return _line(resource, asked.date or date.fromisoformat(day), asked.time or hour, context)


def _with_details(
    context: Context, row: Booking, change: ChangeBooking | None, asked: AppointmentChange
) -> ChangeBooking | None:
    """The change with what is nobody's secret: visit type, date and hour. None if all of it is as it was."""
    details = row.details | ({"visit_type": asked.visitType} if asked.visitType is not None else {})
    if change is not None and change.lines is not None:
        details["date"], details["time"] = local_time(change.lines[0].start, zone_of(row))
    if details == row.details:
        return change
    deadline = context.clock() + context.limits.deadline
    found = change or ChangeBooking(booking_id=row.booking_id, revision=row.next_revision, deadline=deadline)
    return msgspec.structs.replace(found, details=details)


async def cancel_appointment(request: web.Request) -> web.Response:
    return await _answer(context_of(request), await cancelled(request, KIND))


async def check_in_patient(request: web.Request) -> web.Response:
    return await move_booking(request, CHECK_IN, KIND, show=_answer)


async def check_out_patient(request: web.Request) -> web.Response:
    return await move_booking(request, CHECK_OUT, KIND, show=_answer)


async def patient_missing(request: web.Request) -> web.Response:
    return await move_booking(request, NO_SHOW, KIND, show=_answer)


async def _personal(context: Context, row: Booking) -> dict[str, Any]:
    clear = await context.keyring.unseal(row.user_id, row.guest) if row.guest else None
    return json.loads(clear) if clear else {}


async def _sealed_reason(context: Context, row: Booking, reason: str) -> str:
    return await context.keyring.seal(row.user_id, json.dumps(await _personal(context, row) | {"reason": reason}))


async def _answer(context: Context, row: Booking, status: int = 200) -> web.Response:
    line, personal = row.lines[0], await _personal(context, row)
    reason, visit_type = personal.get("reason"), row.details.get("visit_type")
    day, hour = local_time(line.start, zone_of(row))
    body = AppointmentOut(
        booking_id=row.booking_id,
        appointmentId=row.booking_id,
        confirmation_number=row.confirmation_number,
        patientId=row.user_id,
        doctorId=line.product_id,
        date=day,
        time=hour,
        time_zone=zone_of(row),
        reason=reason if isinstance(reason, str) else None,
        visitType=visit_type if isinstance(visit_type, str) else None,
        status=row.status,
        status_reason=row.reason,
        price=Money.of(row.price_amount, row.price_currency),
        revision=row.revision,
        start_time=line.start,
        end_time=line.end,
        created_at=row.created_at,
        deadline=row.deadline,
        links=links_of(row),
    )
    return web.Response(status=status, text=body.model_dump_json(), content_type="application/json")


_ONE = "/api/appointments/{booking_id}"


def _moves() -> Iterator[Operation]:
    """The steps of an appointment's life that are told by hand."""
    steps = (
        ("check-in", check_in_patient, "The patient has arrived"),
        ("check-out", check_out_patient, "The visit is over"),
        ("no-show", patient_missing, "The patient did not come"),
    )
    for word, handler, summary in steps:
        answers, problems = {200: AppointmentOut}, (404, 409, 503)
        yield Operation("POST", f"{_ONE}/{word}", handler, summary, "appointments", answers, problems=problems)


OPERATIONS = (
    Operation(
        "POST",
        "/api/appointments",
        request_appointment,
        "Make an appointment",
        "appointments",
        {201: Opened},
        request=AppointmentRequest,
        parameters=(IDEMPOTENCY_KEY,),
        problems=(409, 503),
    ),
    Operation(
        "GET",
        _ONE,
        get_appointment,
        "An appointment as it stands",
        "appointments",
        {200: AppointmentOut},
        parameters=(WAIT, AT),
        problems=(404, 422, 503),
    ),
    Operation(
        "GET",
        f"{_ONE}/timeline",
        get_timeline,
        "What happened to an appointment, in order",
        "appointments",
        {200: Timeline},
        problems=(404, 503),
    ),
    Operation(
        "PATCH",
        _ONE,
        change_appointment,
        "Change an appointment that is confirmed",
        "appointments",
        {200: AppointmentOut, 202: AppointmentOut},
        request=AppointmentChange,
        problems=(404, 409, 503),
    ),
    Operation(
        "POST",
        f"{_ONE}/cancel",
        cancel_appointment,
        "Cancel an appointment",
        "appointments",
        {200: AppointmentOut},
        request=CancelRequest,
        request_required=False,
        problems=(404, 409, 503),
    ),
    *_moves(),
)
