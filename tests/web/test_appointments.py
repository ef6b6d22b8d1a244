"""Appointments over HTTP: one slot of a practitioner, confirmed by inventory alone (CLN-05)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from streams.events.booking import RequestBooking
from streams.events.booking_news import BookingConfirmed, BookingCreated, BookingUpdated
from streams.events.payment import Authorize
from tests.web.conftest import Gateway
from tests.web.instance import NOW

PRACTICE = {"time_zone": "Europe/Amsterdam", "price": {"amount": "80.00", "currency": "EUR"}}
ASKED = {
    "patientId": "patient-7",
    "doctorId": "doctor-3",
    "date": "2026-12-24",
    "time": "09:15",
    "reason": "Annual check-up",
    "visitType": "in_person",
}


async def practice(gateway: Gateway, doctor: str = "doctor-3", **more: object) -> dict[str, Any]:
    answer = await gateway.call("PUT", f"/api/practitioners/{doctor}", {**PRACTICE, **more})
    assert answer.status == 200, await answer.text()
    gateway.instance.appended.clear()
    found: dict[str, Any] = await answer.json()
    return found


async def made(gateway: Gateway, **more: object) -> dict[str, Any]:
    answer = await gateway.call("POST", "/api/appointments", {**ASKED, **more})
    assert answer.status == 201, await answer.text()
    found: dict[str, Any] = await (await gateway.call("GET", (await answer.json())["links"]["self"])).json()
    return found


# --- practitioners ---


async def test_a_practitioner_is_readable_as_soon_as_declared(gateway: Gateway) -> None:
    answer = await gateway.call("PUT", "/api/practitioners/doctor-3")
    body = await answer.json()
    free = {"amount": "0.00", "currency": "EUR"}
    assert body == {"doctorId": "doctor-3", "capacity": 1, "slot_minutes": 15, "price": free, "time_zone": "UTC"}
    assert await (await gateway.call("GET", "/api/practitioners/doctor-3")).json() == body
    assert (await practice(gateway, slot_minutes=20))["slot_minutes"] == 20


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"slot_minutes": 4}, "slot_minutes"),
        ({"slot_minutes": 7}, "slot_minutes"),
        ({"slot_minutes": 1441}, "slot_minutes"),
        ({"slot_minutes": "15"}, "slot_minutes"),
        ({"capacity": -1}, "capacity"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"price": {"amount": "1.005", "currency": "EUR"}}, "price.amount"),
        ({"name": "Dr. No"}, "name"),
    ],
)
async def test_a_bad_practice_is_named(gateway: Gateway, body: object, field: str) -> None:
    answer = await gateway.call("PUT", "/api/practitioners/doctor-3", body)
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, field)


async def test_slots_stay_while_appointments_are_held_and_others_are_no_practitioners(gateway: Gateway) -> None:
    await practice(gateway)
    await made(gateway)
    answer = await gateway.call("PUT", "/api/practitioners/doctor-3", {**PRACTICE, "slot_minutes": 30})
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (409, "slot_minutes")
    unit = {"capacity": 1, "base_price": {"amount": "1.00", "currency": "EUR"}}
    assert (await gateway.call("PUT", "/api/properties/clinic/units/ward", unit)).status == 200
    assert (await gateway.call("GET", "/api/practitioners/ward")).status == 404
    assert (await gateway.call("GET", "/api/practitioners/nobody")).status == 404


# --- appointments ---


@pytest.mark.proves("CLN-05", "C18")
@pytest.mark.parametrize("layout", ["catalogue", "campsite", "orders", "hotel", "clinic"])
async def test_an_appointment_is_confirmed_by_inventory_alone(gateway: Gateway, layout: str) -> None:
    await practice(gateway)
    answer = await gateway.call("POST", "/api/appointments", ASKED)
    opened = await answer.json()
    assert (answer.status, opened["status"], opened["price"]) == (201, "PENDING", PRACTICE["price"])
    assert answer.headers["Location"] == opened["links"]["self"] == f"/api/appointments/{opened['booking_id']}"
    body = await (await gateway.call("GET", f"{opened['links']['self']}?wait=1")).json()
    assert {name: body[name] for name in ASKED} == ASKED
    assert (body["status"], body["appointmentId"], body["revision"]) == ("CONFIRMED", opened["booking_id"], 1)
    assert (body["start_time"], body["end_time"]) == ("2026-12-24T08:15:00Z", "2026-12-24T08:30:00Z")
    (event,) = gateway.instance.appended
    assert isinstance(event, RequestBooking)
    assert (event.kind, event.confirm_on, event.prepaid, event.payment_token) == ("appointment", "inventory", False, "")
    assert "check-up" not in repr(event)
    said = [type(each.data) for each in gateway.instance.published]
    assert BookingCreated in said
    assert BookingConfirmed in said
    assert Authorize not in said


async def test_a_slot_is_given_once(gateway: Gateway) -> None:
    await practice(gateway)
    assert (await made(gateway))["status"] == "CONFIRMED"
    refused = await made(gateway, patientId="patient-8")
    assert (refused["status"], refused["status_reason"], refused["reason"]) == ("REJECTED", "sold_out", ASKED["reason"])
    assert (await made(gateway, patientId="patient-8", time="09:30"))["status"] == "CONFIRMED"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"time": "09:16"}, "time"),
        ({"time": "9:15"}, "time"),
        ({"time": "24:00"}, "time"),
        ({"date": "2027-03-28", "time": "02:30"}, "time"),  # the clocks skip it
        ({"date": "2026-11-21", "time": "12:45"}, "time"),  # over: it is noon in UTC, and 13:00 there
        ({"date": "2099-01-01"}, "date"),
        ({"date": "24.12.2026"}, "date"),
        ({"doctorId": "nobody"}, "doctorId"),
        ({"visitType": "by phone"}, "visitType"),
        ({"reason": " "}, "reason"),
        ({"status": "confirmed"}, "status"),
        ({"payment_method": {"token": "tok_visa"}}, "payment_method"),
    ],
)
async def test_bad_input_is_named(gateway: Gateway, more: dict[str, object], field: str) -> None:
    await practice(gateway)
    answer = await gateway.call("POST", "/api/appointments", {**ASKED, **more})
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, field)
    assert gateway.instance.appended == []


async def test_a_retry_is_answered_the_same_and_an_id_may_be_given_once(gateway: Gateway) -> None:
    await practice(gateway)
    first = await gateway.call("POST", "/api/appointments", ASKED, Idempotency_Key="k1")
    again = await gateway.call("POST", "/api/appointments", ASKED, Idempotency_Key="k1")
    assert (again.status, await again.json()) == (201, await first.json())
    other = await gateway.call("POST", "/api/appointments", {**ASKED, "time": "11:00"}, Idempotency_Key="k1")
    assert other.status == 422
    given = await made(gateway, appointmentId="APT/7", time="11:00")
    assert (given["booking_id"], given["links"]["self"]) == ("APT/7", "/api/appointments/APT%2F7")
    assert await made(gateway, appointmentId="APT/7", time="11:00") == given
    taken = await gateway.call("POST", "/api/appointments", {**ASKED, "appointmentId": "APT/7"})
    assert (taken.status, (await taken.json())["type"]) == (409, "urn:vacancy:problem:booking-exists")


@pytest.mark.proves("CLN-05")
async def test_an_appointment_is_moved(gateway: Gateway) -> None:
    await practice(gateway)
    before = await made(gateway)
    answer = await gateway.call("PATCH", before["links"]["self"], {"time": "10:30"})
    after = await answer.json()
    assert (answer.status, after["date"], after["time"], after["revision"]) == (200, "2026-12-24", "10:30", 2)
    assert (after["reason"], after["visitType"], after["status"]) == (ASKED["reason"], "in_person", "CONFIRMED")
    (told,) = [each.data for each in gateway.instance.published if isinstance(each.data, BookingUpdated)]
    assert told.about is not None
    assert told.about.details == {"visit_type": "in_person", "date": "2026-12-24", "time": "10:30"}
    assert (await made(gateway, patientId="patient-8"))["status"] == "CONFIRMED"
    back = await gateway.call("PATCH", before["links"]["self"], {"date": "2026-12-24", "time": "09:15"})
    assert (back.status, (await back.json())["reason"]) == (409, "sold_out")


async def test_what_is_said_of_an_appointment_changes_at_once(gateway: Gateway) -> None:
    await practice(gateway)
    itself = (await made(gateway))["links"]["self"]
    after = await (await gateway.call("PATCH", itself, {"visitType": "virtual"})).json()
    assert (after["visitType"], after["revision"], after["time"]) == ("virtual", 2, "09:15")
    after = await (await gateway.call("PATCH", itself, {"reason": "Results", "visitType": "in_person"})).json()
    assert (after["reason"], after["visitType"], after["revision"]) == ("Results", "in_person", 3)
    same = await (await gateway.call("PATCH", itself, {"time": "09:15"})).json()
    assert same == after


@pytest.mark.parametrize(
    ("change", "field"), [({}, "body"), ({"time": "09:17"}, "time"), ({"doctorId": "x"}, "doctorId")]
)
async def test_a_bad_change_is_named(gateway: Gateway, change: object, field: str) -> None:
    await practice(gateway)
    answer = await gateway.call("PATCH", (await made(gateway))["links"]["self"], change)
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, field)


async def test_an_appointment_stays_where_the_practice_was(gateway: Gateway) -> None:
    await practice(gateway)
    itself = (await made(gateway))["links"]["self"]
    await practice(gateway, time_zone="Asia/Tokyo")
    assert (await (await gateway.call("GET", itself)).json())["time"] == "09:15"
    assert (await gateway.call("PATCH", itself, {"time": "10:30"})).status == 409


async def test_an_appointment_is_cancelled_and_readable_as_it_was(gateway: Gateway) -> None:
    await practice(gateway)
    itself = (await made(gateway))["links"]["self"]
    gateway.instance.now = NOW + timedelta(hours=2)
    answer = await gateway.call("POST", f"{itself}/cancel", {"reason": "ill"})
    body = await answer.json()
    assert (answer.status, body["status"], body["status_reason"], body["reason"]) == (
        200,
        "CANCELLED",
        "ill",
        ASKED["reason"],
    )
    then = await (await gateway.call("GET", f"{itself}?at=2026-11-21T13:00:00Z")).json()
    assert then["status"] == "CONFIRMED"
    events = (await (await gateway.call("GET", f"{itself}/timeline")).json())["events"]
    assert events[0]["event_type"] == "booking.booking.request"
    assert (await gateway.call("PATCH", itself, {"time": "10:30"})).status == 409


async def test_a_visit_is_completed_or_missed(gateway: Gateway) -> None:
    await practice(gateway)
    itself, other = (await made(gateway))["links"]["self"], (await made(gateway, time="11:00"))["links"]["self"]
    for word, status in (("check-in", "CHECKED_IN"), ("check-out", "COMPLETED")):
        answer = await gateway.call("POST", f"{itself}/{word}")
        assert (answer.status, (await answer.json())["status"]) == (200, status)
    assert (await (await gateway.call("POST", f"{other}/no-show")).json())["status"] == "NO_SHOW"


async def test_only_appointments_are_found_here_and_erased_patients_have_no_reason(gateway: Gateway) -> None:
    await practice(gateway)
    await gateway.unit()
    stay = await gateway.book()
    assert (await gateway.call("GET", f"/api/appointments/{stay['booking_id']}")).status == 404
    assert (await gateway.call("GET", "/api/appointments/none")).status == 404
    itself = (await made(gateway))["links"]["self"]
    gateway.seals.erased.add("patient-7")
    body = await (await gateway.call("GET", itself)).json()
    assert (body["reason"], body["visitType"]) == (None, "in_person")
