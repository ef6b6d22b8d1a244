"""Prescriptions, pharmacy orders and health records over HTTP, under any layout (CLN-06..08, CLN-16)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from streams.events import Event
from streams.events.records import (
    ChangeRecord,
    HealthRecordUpdated,
    OpenRecord,
    PharmacyOrderCancelled,
    PharmacyOrderDelivered,
    PharmacyOrderShipped,
    PrescriptionCancelled,
    PrescriptionCreated,
    RecordNews,
)
from tests.web.conftest import Gateway
from tests.web.instance import NOW

PRESCRIPTION = {
    "patientId": "patient-7",
    "doctorId": "doctor-3",
    "medication": "Amoxicillin",
    "dosage": "500 mg",
    "frequency": "three times a day",
    "startDate": "2026-12-01",
    "endDate": "2026-12-08",
}
ORDER = {
    "patientId": "patient-7",
    "pharmacyId": "pharmacy-1",
    "totalPrice": 27.75,
    "orderDate": "2026-12-01T10:30:00",
    "deliveryDate": "2026-12-03T18:00:00",
    "items": [
        {"productId": "amoxicillin-500", "quantity": 3, "price": "8.50"},
        {"productId": "plaster", "quantity": 1, "price": 2.25},
    ],
}
HEALTH = {
    "patientId": "patient-7",
    "doctorId": "doctor-3",
    "recordType": "lab_result",
    "description": "Blood count without findings",
    "recordDate": "2026-12-01",
}
BODIES: dict[str, dict[str, Any]] = {"prescriptions": PRESCRIPTION, "pharmacy-orders": ORDER, "health-records": HEALTH}
IDS = {"prescriptions": "prescriptionId", "pharmacy-orders": "orderId", "health-records": "recordId"}
CHANGES = {
    "prescriptions": {"dosage": "1 g"},
    "pharmacy-orders": {"status": "processing"},
    "health-records": {"description": "x"},
}
ALL = pytest.mark.parametrize("path", list(BODIES))


async def opened(gateway: Gateway, path: str, **more: object) -> dict[str, Any]:
    answer = await gateway.call("POST", f"/api/{path}", {**BODIES[path], **more})
    assert answer.status == 201, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def patched(gateway: Gateway, made: dict[str, Any], change: object) -> dict[str, Any]:
    answer = await gateway.call("PATCH", made["links"]["self"], change)
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


def told(gateway: Gateway) -> list[RecordNews]:
    return [each.data for each in gateway.instance.published if isinstance(each.data, RecordNews)]


@pytest.mark.proves("CLN-06", "CLN-07", "CLN-08")
@ALL
async def test_a_record_is_opened_told_and_readable(gateway: Gateway, path: str) -> None:
    answer = await gateway.call("POST", f"/api/{path}", BODIES[path])
    body = await answer.json()
    assert answer.status == 201
    assert answer.headers["Location"] == body["links"]["self"] == f"/api/{path}/{body[IDS[path]]}"
    assert (body["action"], body["revision"], body["patientId"]) == ("created", 1, "patient-7")
    shown = {name: value for name, value in BODIES[path].items() if name not in ("totalPrice", "items")}
    assert {name: body[name] for name in shown} == shown
    assert await (await gateway.call("GET", body["links"]["self"])).json() == body
    (news,) = told(gateway)
    assert (news.record_id, news.revision, news.status) == (body[IDS[path]], 1, body["status"])
    said = repr((*gateway.instance.appended, news))
    assert "Amoxicillin" not in said
    assert "pharmacy-1" not in said


@pytest.mark.proves("CLN-06", "CLN-07", "CLN-08", "CLN-16")
@pytest.mark.parametrize("layout", ["catalogue", "campsite", "orders", "hotel", "clinic"])
async def test_records_are_kept_under_every_layout(gateway: Gateway, layout: str) -> None:
    made = await opened(gateway, "prescriptions")
    assert (await patched(gateway, made, {"dosage": "250 mg"}))["dosage"] == "250 mg"
    assert len(told(gateway)) == 2


@pytest.mark.proves("CLN-07", "C18")
async def test_sums_are_answered_as_decimal_strings_and_sealed_as_the_documents_numbers(gateway: Gateway) -> None:
    made = await opened(gateway, "pharmacy-orders")
    assert made["totalPrice"] == "27.75"
    assert made["items"] == [
        {"productId": "amoxicillin-500", "quantity": 3, "price": "8.50"},
        {"productId": "plaster", "quantity": 1, "price": "2.25"},
    ]
    (event,) = gateway.instance.appended
    assert isinstance(event, OpenRecord)
    content = json.loads(await gateway.seals.unseal("patient-7", event.content) or "")
    assert (content["totalPrice"], content["items"][0]["price"]) == (27.75, 8.5)
    assert (content["orderDate"], content["deliveryDate"]) == (ORDER["orderDate"], ORDER["deliveryDate"])


@pytest.mark.proves("CLN-06", "CLN-16")
async def test_a_prescription_changes_and_is_cancelled(gateway: Gateway) -> None:
    made = await opened(gateway, "prescriptions")
    changed = await patched(gateway, made, {"dosage": "250 mg", "endDate": None})
    assert (changed["dosage"], changed["endDate"], changed["medication"]) == ("250 mg", None, "Amoxicillin")
    assert (changed["status"], changed["action"], changed["revision"]) == ("active", "updated", 2)
    answer = await gateway.call("POST", made["links"]["cancel"], {"reason": "allergy"})
    body = await answer.json()
    assert (answer.status, body["status"], body["action"], body["revision"]) == (200, "inactive", "cancelled", 3)
    assert [type(news) for news in told(gateway)][::2] == [PrescriptionCreated, PrescriptionCancelled]
    again = await gateway.call("POST", made["links"]["cancel"])
    assert (again.status, await again.json()) == (200, body)
    refused = await gateway.call("PATCH", made["links"]["self"], {"dosage": "1 g"})
    assert (refused.status, (await refused.json())["type"]) == (409, "urn:vacancy:problem:not-changed")


@pytest.mark.proves("CLN-07", "CLN-16")
async def test_an_order_goes_step_by_step(gateway: Gateway) -> None:
    made = await opened(gateway, "pharmacy-orders")
    skipped = await gateway.call("PATCH", made["links"]["self"], {"status": "shipped"})
    assert (skipped.status, "pending" in (await skipped.json())["detail"]) == (409, True)
    seen = [
        (each["status"], each["action"], each["revision"])
        for each in [await patched(gateway, made, {"status": to}) for to in ("processing", "shipped", "delivered")]
    ]
    assert seen == [("processing", "updated", 2), ("shipped", "shipped", 3), ("delivered", "delivered", 4)]
    assert [type(news) for news in told(gateway)][2:] == [PharmacyOrderShipped, PharmacyOrderDelivered]
    assert (await patched(gateway, made, {"status": "delivered"}))["revision"] == 4
    assert (await gateway.call("POST", made["links"]["cancel"])).status == 409
    assert (await gateway.call("PATCH", made["links"]["self"], {"status": "pending"})).status == 409


@pytest.mark.proves("CLN-22")
async def test_an_order_that_did_not_ship_is_cancelled(gateway: Gateway) -> None:
    made = await opened(gateway, "pharmacy-orders")
    body = await (await gateway.call("POST", made["links"]["cancel"])).json()
    assert (body["status"], body["action"]) == ("cancelled", "cancelled")
    assert isinstance(told(gateway)[-1], PharmacyOrderCancelled)


@pytest.mark.proves("CLN-08")
async def test_a_health_record_is_changed_and_never_cancelled(gateway: Gateway) -> None:
    made = await opened(gateway, "health-records")
    assert (await patched(gateway, made, {"description": "Repeated"}))["status"] == "updated"
    assert isinstance(told(gateway)[-1], HealthRecordUpdated)
    answer = await gateway.call("POST", f"{made['links']['self']}/cancel")
    assert (answer.status, (await answer.json())["type"]) == (409, "urn:vacancy:problem:not-cancelled")
    assert made["links"]["cancel"] is None


@pytest.mark.proves("CLN-18")
async def test_a_record_is_readable_as_it_was(gateway: Gateway) -> None:
    made = await opened(gateway, "prescriptions")
    gateway.instance.now = NOW + timedelta(hours=2)
    await patched(gateway, made, {"dosage": "250 mg"})
    then = await gateway.call("GET", f"{made['links']['self']}?at=2026-11-21T13:00:00Z")
    assert await then.json() == made
    assert (await gateway.call("GET", f"{made['links']['self']}?at=2026-11-21T11:00:00Z")).status == 404


@ALL
async def test_a_retry_is_answered_the_same_and_another_request_is_not(gateway: Gateway, path: str) -> None:
    first = await gateway.call("POST", f"/api/{path}", BODIES[path], Idempotency_Key="k1")
    again = await gateway.call("POST", f"/api/{path}", BODIES[path], Idempotency_Key="k1")
    assert (again.status, await again.json()) == (201, await first.json())
    other = await gateway.call("POST", f"/api/{path}", {**BODIES[path], "patientId": "p8"}, Idempotency_Key="k1")
    assert (other.status, (await other.json())["type"]) == (422, "urn:vacancy:problem:idempotency-key-reused")
    assert len(told(gateway)) == 1


@ALL
async def test_an_id_may_be_given_once(gateway: Gateway, path: str) -> None:
    made = await opened(gateway, path, **{IDS[path]: "rx/1"})
    assert made["links"]["self"] == f"/api/{path}/rx%2F1"
    assert (await (await gateway.call("GET", made["links"]["self"])).json())[IDS[path]] == "rx/1"
    assert await opened(gateway, path, **{IDS[path]: "rx/1"}) == made
    answer = await gateway.call("POST", f"/api/{path}", {**BODIES[path], IDS[path]: "rx/1", "patientId": "p8"})
    assert (answer.status, (await answer.json())["type"]) == (409, "urn:vacancy:problem:record-exists")
    (other, *_) = [each for each in BODIES if each != path]
    assert (await gateway.call("GET", f"/api/{other}/rx%2F1")).status == 404


@pytest.mark.parametrize("change", [{"medication": "Ibuprofen"}, {"status": "completed"}])
async def test_of_two_changes_at_once_one_is_told_to_retry(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, change: dict[str, str]
) -> None:
    made, append = await opened(gateway, "prescriptions"), gateway.instance.append

    async def overtaken(event: Event, **more: Any) -> Any:
        monkeypatch.setattr(gateway.instance, "append", append)
        assert isinstance(event, ChangeRecord)
        await append(msgspec.structs.replace(event, content="sealed:patient-7:7b7d"), source="another gateway")
        return await append(event, **more)

    monkeypatch.setattr(gateway.instance, "append", overtaken)
    answer = await gateway.call("PATCH", made["links"]["self"], change)
    assert answer.status == 409
    assert "retry" in (await answer.json())["detail"]


async def test_what_another_program_told_is_shown_as_far_as_it_fits(gateway: Gateway) -> None:
    content = '{"items": [7, {"productId": "x"}], "totalPrice": 1e2, "orderDate": 5, "pharmacyId": "p"}'
    event = OpenRecord(
        record_id="o7",
        kind="order",
        user_id="p7",
        content=await gateway.seals.seal("p7", content),
        status="pending",
        announced=True,
    )
    await gateway.instance.append(event, source="foreign")
    body = await (await gateway.call("GET", "/api/pharmacy-orders/o7")).json()
    assert (body["items"], body["totalPrice"]) == ([{"productId": "x", "quantity": None, "price": None}], "100.00")
    assert (body["orderDate"], body["pharmacyId"]) == (None, "p")
    answer = await gateway.call("PATCH", "/api/pharmacy-orders/o7", {"pharmacyId": "q"})
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, "items.0")


async def test_an_erased_patients_record_is_empty_and_not_changed(gateway: Gateway) -> None:
    made = await opened(gateway, "prescriptions")
    gateway.seals.erased.add("patient-7")
    body = await (await gateway.call("GET", made["links"]["self"])).json()
    assert (body["medication"], body["status"]) == (None, "active")
    assert (await gateway.call("PATCH", made["links"]["self"], {"dosage": "1 g"})).status == 409


@pytest.mark.parametrize(
    ("path", "more", "field"),
    [
        ("prescriptions", {"medication": ""}, "medication"),
        ("prescriptions", {"startDate": "01.12.2026"}, "startDate"),
        ("prescriptions", {"endDate": "2026-11-30"}, "endDate"),
        ("prescriptions", {"status": "cancelled"}, "status"),
        ("prescriptions", {"action": "updated"}, "action"),
        ("prescriptions", {"patient_id": "p"}, "patient_id"),
        ("pharmacy-orders", {"totalPrice": "27.74"}, "totalPrice"),
        ("pharmacy-orders", {"totalPrice": True}, "totalPrice"),
        ("pharmacy-orders", {"totalPrice": -1}, "totalPrice"),
        ("pharmacy-orders", {"status": "shipped"}, "status"),
        ("pharmacy-orders", {"orderDate": "2026-12-01T10:30:00Z"}, "orderDate"),
        ("pharmacy-orders", {"orderDate": "2026-12-01"}, "orderDate"),
        ("pharmacy-orders", {"deliveryDate": "2026-11-30T10:00:00"}, "deliveryDate"),
        ("pharmacy-orders", {"items": []}, "items"),
        ("pharmacy-orders", {"items": [{"productId": "x", "quantity": 0, "price": 1}]}, "items.0.quantity"),
        ("pharmacy-orders", {"items": [{"productId": "x", "quantity": 1.5, "price": 1}]}, "items.0.quantity"),
        ("pharmacy-orders", {"items": [{"productId": "x", "quantity": 1, "price": 1.005}]}, "items.0.price"),
        ("pharmacy-orders", {"items": [{"productId": "x", "quantity": 1, "price": 99999999999}]}, "items.0.price"),
        ("health-records", {"recordType": "x-ray"}, "recordType"),
        ("health-records", {"recordDate": 20261201}, "recordDate"),
        ("health-records", {"description": None}, "description"),
    ],
)
async def test_bad_input_is_named(gateway: Gateway, path: str, more: dict[str, object], field: str) -> None:
    answer = await gateway.call("POST", f"/api/{path}", {**BODIES[path], **more})
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, field)
    assert gateway.instance.appended == []


@pytest.mark.parametrize(
    ("path", "change", "field"),
    [
        ("prescriptions", {}, "body"),
        ("prescriptions", {"medication": None}, "medication"),
        ("prescriptions", {"endDate": "2026-11-01"}, "endDate"),
        ("prescriptions", {"patientId": "p8"}, "patientId"),
        ("pharmacy-orders", {"totalPrice": 1}, "totalPrice"),
        ("pharmacy-orders", {"items": [{"productId": "x", "quantity": 1, "price": 1}]}, "totalPrice"),
        ("health-records", {"status": "updated"}, "status"),
    ],
)
async def test_a_bad_change_is_named(gateway: Gateway, path: str, change: object, field: str) -> None:
    made = await opened(gateway, path)
    answer = await gateway.call("PATCH", made["links"]["self"], change)
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, field)


@ALL
async def test_an_unknown_record_is_404_and_an_undecided_one_503(gateway: Gateway, path: str) -> None:
    assert (await gateway.call("GET", f"/api/{path}/none")).status == 404
    assert (await gateway.call("POST", f"/api/{path}/none/cancel")).status == 404
    assert (await gateway.call("PATCH", f"/api/{path}/none", CHANGES[path])).status == 404
    gateway.instance.paused.add("record")
    assert (await gateway.call("POST", f"/api/{path}", BODIES[path])).status == 503
