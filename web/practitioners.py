"""Practitioners, whose time is booked in slots of minutes. A declaration is answered once all readers here know it."""

from __future__ import annotations

from decimal import Decimal

from aiohttp import web
from pydantic import ConfigDict, Field, field_validator

from domain.appointments import CLINIC
from streams.events.availability import DeclareResource, ResourceDeclared
from streams.keys import resource_key
from web.answers import Answer, Money
from web.bodies import check, read_json
from web.context import SOURCE, Context, context_of, correlation_of
from web.models import MoneyIn, Request, ZoneIn
from web.operations import Operation
from web.problems import FieldError, Problem, not_found
from web.requests import name_in_path
from web.shapes import as_json
from web.units import readable


class PractitionerRequest(Request):
    """How many patients at once, for how long each, and what one visit costs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"slot_minutes": 15, "time_zone": "Europe/Amsterdam"}]})

    capacity: int = Field(default=1, ge=0, le=10_000)
    slot_minutes: int = Field(default=15, ge=5, le=1440)
    #: By default nothing.
    price: MoneyIn | None = None
    time_zone: ZoneIn = "UTC"

    @field_validator("slot_minutes")
    @classmethod
    def _divides_a_day(cls, minutes: int) -> int:
        if 1440 % minutes:
            raise ValueError("should divide a day of 1440 minutes")
        return minutes


class PractitionerOut(Answer):
    doctorId: str
    capacity: int
    slot_minutes: int
    price: Money
    time_zone: str


async def put_practitioner(request: web.Request) -> web.Response:
    doctor_id = name_in_path(request, "doctorId")
    asked = check(PractitionerRequest, await read_json(request) if request.can_read_body else {})
    context = context_of(request)
    event = DeclareResource(
        provider_id=CLINIC,
        product_id=doctor_id,
        capacity=asked.capacity,
        slots=asked.slot_minutes,
        time_zone=asked.time_zone,
        price_amount=asked.price.amount if asked.price is not None else Decimal(0),
        price_currency=asked.price.currency if asked.price is not None else "EUR",
    )
    appended = await context.log.append(event, source=SOURCE, correlation_id=correlation_of(request))
    declared = await readable(context, CLINIC, doctor_id, appended.offset)
    if declared.slots != asked.slot_minutes:
        raise Problem(
            409,
            "slots-in-use",
            "Time is not cut anew while something is held",
            f"slot_minutes stays {declared.slots!r}; everything else was taken over.",
            [FieldError("slot_minutes", "cannot change while appointments are held")],
        )
    return _answer(declared)


async def get_practitioner(request: web.Request) -> web.Response:
    declared = practitioner(context_of(request), name_in_path(request, "doctorId"))
    if declared is None:
        raise not_found("practitioner")
    return _answer(declared)


def practitioner(context: Context, doctor_id: str) -> ResourceDeclared | None:
    """The resource that a practitioner's time is; None where nobody declared it in minutes."""
    found = context.rates.get(resource_key(CLINIC, doctor_id))
    return found if found is not None and isinstance(found.slots, int) else None


def _answer(declared: ResourceDeclared) -> web.Response:
    assert isinstance(declared.slots, int)
    body = PractitionerOut(
        doctorId=declared.product_id,
        capacity=declared.capacity,
        slot_minutes=declared.slots,
        price=Money.of(declared.price_amount, declared.price_currency),
        time_zone=declared.time_zone,
    )
    return as_json(body)


OPERATIONS = (
    Operation(
        "PUT",
        "/api/practitioners/{doctorId}",
        put_practitioner,
        "Say how a practitioner's time is booked, and what a visit costs",
        "practitioners",
        {200: PractitionerOut},
        request=PractitionerRequest,
        request_required=False,
        problems=(409, 503),
    ),
    Operation(
        "GET",
        "/api/practitioners/{doctorId}",
        get_practitioner,
        "A practitioner as it stands",
        "practitioners",
        {200: PractitionerOut},
        problems=(404, 422),
    ),
)
