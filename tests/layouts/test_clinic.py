"""The clinic's event guide (CLN): appointments that are booked, and the records that a visit leaves behind."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from pathlib import Path

import pytest

from bench.chaos.instance import Instance
from tests.layouts.broker import OnBroker, documented, groups_of, topics_of
from tests.layouts.closing import audited, in_time, killed_under_load, rebuilt
from tests.layouts.world import ONE_OF_A_HUNDRED, Body, World, json_of
from tests.whole.api import TODAY, eventually

LAYOUT = "clinic"
pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

APPOINTMENTS, PRESCRIPTIONS, ORDERS, HEALTH = TOPICS = (
    "appointment-events",
    "prescription-events",
    "order-events",
    "health-record-events",
)
PATH = "/api/appointments"
#: CLN-05..08: the document's fields in its order. The first one is the message's key.
FIELDS = {
    APPOINTMENTS: "appointmentId patientId doctorId date time reason status visitType action",
    PRESCRIPTIONS: "prescriptionId patientId doctorId medication dosage frequency startDate endDate status action",
    ORDERS: "orderId patientId pharmacyId totalPrice status orderDate deliveryDate items action",
    HEALTH: "recordId patientId doctorId recordType description recordDate action",
}
ACTIONS = {
    APPOINTMENTS: {"created", "updated", "cancelled"},
    PRESCRIPTIONS: {"created", "updated", "cancelled"},
    ORDERS: {"created", "updated", "shipped", "delivered"},
    HEALTH: {"created", "updated"},
}
DAY = TODAY + dt.timedelta(days=30)


@pytest.mark.proves("CLN-22")
async def test_there_is_a_topic_for_each_kind_of_event(world: World) -> None:
    assert documented(await topics_of(world.bootstrap)) == {topic: OnBroker(3, 30) for topic in TOPICS}


@pytest.mark.proves("CLN-17", "CLN-22")
async def test_four_consumers_read_each_topic(world: World) -> None:
    groups = await groups_of(world.bootstrap)
    assert {name: each for name, each in groups.items() if not name.startswith("vacancy-")} == {
        "clinic-notification-group": {APPOINTMENTS, PRESCRIPTIONS, ORDERS, "vacancy.events"},
        "clinic-analytics-group": set(TOPICS),
        "clinic-logging-group": set(TOPICS),
        "clinic-archive-group": set(TOPICS),
    }


@pytest.mark.proves("CLN-05", "CLN-15", "CLN-16", "CLN-17")
async def test_an_appointment_from_its_request_to_its_end(world: World) -> None:
    await practitioner(world, "DR-1")
    patient = await registered(world, "patient-1")
    opened = await world.post(PATH, visit("DR-1", "09:15", patient))
    assert opened["price"]["amount"] == "0.00"
    appointment_id = opened["booking_id"]
    assert (await world.ended(PATH, appointment_id))["status"] == "CONFIRMED"
    moved = await world.patch(f"{PATH}/{appointment_id}", {"time": "10:30", "visitType": "virtual"})
    assert (moved["time"], moved["visitType"]) == ("10:30", "virtual")
    assert (await world.post(f"{PATH}/{appointment_id}/check-in", {}))["status"] == "CHECKED_IN"
    assert (await world.post(f"{PATH}/{appointment_id}/check-out", {}))["status"] == "COMPLETED"
    told = await world.of("appointmentId", appointment_id, APPOINTMENTS)
    assert [(each["action"], each["status"], each["time"]) for each in told] == [
        ("created", "scheduled", "09:15"),
        ("updated", "confirmed", "09:15"),
        ("updated", "confirmed", "10:30"),
        ("updated", "completed", "10:30"),
    ]
    assert {each["reason"] for each in told} == {"check-up"}
    await world.told_in_app(patient, "appointment_confirmed")
    await world.mails(f"{patient}@example.com", "Welcome", "Your appointment")


async def test_a_cancelled_appointment_frees_its_slot(world: World) -> None:
    await practitioner(world, "DR-2")
    first = (await world.post(PATH, visit("DR-2", "09:00", "patient-2")))["booking_id"]
    assert (await world.ended(PATH, first))["status"] == "CONFIRMED"
    taken = (await world.post(PATH, visit("DR-2", "09:00", "patient-3")))["booking_id"]
    ended = await world.ended(PATH, taken)
    assert (ended["status"], ended["status_reason"]) == ("REJECTED", "sold_out")
    assert (await world.post(f"{PATH}/{first}/cancel", {"reason": "well again"}))["status"] == "CANCELLED"
    told = await world.of("appointmentId", first, APPOINTMENTS)
    assert (told[-1]["action"], told[-1]["status"]) == ("cancelled", "cancelled")

    async def free_again() -> bool:
        again = (await world.post(PATH, visit("DR-2", "09:00", "patient-3")))["booking_id"]
        return bool((await world.ended(PATH, again))["status"] == "CONFIRMED")

    await eventually(free_again)


@pytest.mark.proves("CLN-06", "CLN-08", "CLN-15", "CLN-16")
async def test_prescriptions_and_health_records(world: World) -> None:
    drug = {"medication": "Amoxicillin", "dosage": "500 mg", "frequency": "three times a day"}
    days = {"startDate": str(DAY), "endDate": str(DAY + dt.timedelta(days=7))}
    who = {"patientId": "patient-4", "doctorId": "DR-1"}
    prescription = (await world.post("/api/prescriptions", {**who, **drug, **days}))["prescriptionId"]
    await world.patch(f"/api/prescriptions/{prescription}", {"dosage": "250 mg"})
    await world.post(f"/api/prescriptions/{prescription}/cancel", {})
    told = await settled(world, "prescriptionId", prescription, PRESCRIPTIONS, 3)
    assert [(each["action"], each["dosage"], each["status"]) for each in told] == [
        ("created", "500 mg", "active"),
        ("updated", "250 mg", "active"),
        ("cancelled", "250 mg", "inactive"),
    ]
    finding = {"recordType": "diagnosis", "description": "otitis media", "recordDate": str(DAY)}
    record = (await world.post("/api/health-records", {**who, **finding}))["recordId"]
    await world.patch(f"/api/health-records/{record}", {"description": "otitis media, left"})
    told = await settled(world, "recordId", record, HEALTH, 2)
    assert [(each["action"], each["description"]) for each in told] == [
        ("created", "otitis media"),
        ("updated", "otitis media, left"),
    ]


@pytest.mark.proves("CLN-07", "CLN-15", "CLN-16")
async def test_a_pharmacy_order_is_processed_shipped_and_delivered(world: World) -> None:
    patient = await registered(world, "patient-5")
    body = {**pharmacy_order(patient), "orderId": str(uuid.uuid4())}
    order_id = (await world.post("/api/pharmacy-orders", body))["orderId"]
    for status in ("processing", "shipped", "delivered"):
        await world.patch(f"/api/pharmacy-orders/{order_id}", {"status": status})
    told = await settled(world, "orderId", order_id, ORDERS, 4)
    assert [(each["action"], each["status"]) for each in told] == [
        ("created", "pending"),
        ("updated", "processing"),
        ("shipped", "shipped"),
        ("delivered", "delivered"),
    ]
    assert told[0]["items"] == [{"productId": "amoxicillin-500", "quantity": 2, "price": 9.9}]
    await world.told_in_app(patient, "order_shipped", "order_delivered")


@pytest.mark.proves("CLN-05", "CLN-06", "CLN-07", "CLN-08", "CLN-22")
async def test_every_message_has_the_documents_fields_and_key(world: World) -> None:
    """After the journeys above: of each action there is one."""
    said = await world.said(*TOPICS)
    assert {topic: {each.body["action"] for each in said if each.topic == topic} for topic in TOPICS} == ACTIONS
    for each in said:
        fields = FIELDS[each.topic].split()
        assert list(each.body) == fields
        assert each.key == each.body[fields[0]]
        # What has no place in the document (CLN-22).
        assert uuid.UUID(each.headers["ce_id"].decode())
        assert each.headers["ce_time"]
        assert each.headers["correlation_id"]


@pytest.mark.proves("CLN-05", "CLN-16")
async def test_another_programs_appointment_takes_part_fully(world: World) -> None:
    await practitioner(world, "DR-3", "Europe/Amsterdam")
    sample = created("DR-3", "11:45")
    appointment_id = sample["appointmentId"]
    await world.tell(APPOINTMENTS, sample)
    ended = await world.ended(PATH, appointment_id)
    assert (ended["status"], ended["date"], ended["time"]) == ("CONFIRMED", str(DAY), "11:45")
    assert (ended["patientId"], ended["reason"]) == (sample["patientId"], "persistent cough")
    await world.told_in_app(sample["patientId"], "appointment_confirmed")
    told = await world.of("appointmentId", appointment_id, APPOINTMENTS)
    assert sorted(each["action"] for each in told) == ["created", "updated"]

    taken, nobody = created("DR-3", "11:45"), created("DR-NOBODY", "11:45")
    for each in (taken, nobody):
        await world.tell(APPOINTMENTS, each)
    assert (await world.ended(PATH, taken["appointmentId"]))["status_reason"] == "sold_out"
    assert (await world.ended(PATH, nobody["appointmentId"]))["status_reason"] == "unknown_resource"

    # The guide has a handler for "deleted" and no such action: it cancels.
    await world.tell(APPOINTMENTS, {**sample, "status": "cancelled", "action": "deleted"})
    await world.ended(PATH, appointment_id, "CANCELLED")


@pytest.mark.proves("CLN-06", "CLN-07", "CLN-08", "CLN-16")
async def test_another_programs_records_are_records(world: World) -> None:
    who = {"patientId": "patient-6", "doctorId": "DR-1"}
    drug = {"medication": "Ibuprofen", "dosage": "400 mg", "frequency": "when needed"}
    days = {"startDate": str(DAY), "endDate": str(DAY), "status": "active"}
    prescription = {"prescriptionId": str(uuid.uuid4()), **who, **drug, **days, "action": "created"}
    order = {"orderId": str(uuid.uuid4()), **pharmacy_order("patient-6"), "status": "pending", "action": "created"}
    finding = {"recordType": "lab_result", "description": "Blood count", "recordDate": str(DAY)}
    record = {"recordId": str(uuid.uuid4()), **who, **finding, "action": "created"}
    await world.tell(PRESCRIPTIONS, prescription)
    await world.tell(ORDERS, order)
    await world.tell(HEALTH, record)
    found = await there(world, f"/api/prescriptions/{prescription['prescriptionId']}")
    assert (found["medication"], found["dosage"], found["status"]) == ("Ibuprofen", "400 mg", "active")
    found = await there(world, f"/api/pharmacy-orders/{order['orderId']}")
    assert (found["totalPrice"], found["status"]) == ("19.80", "pending")
    found = await there(world, f"/api/health-records/{record['recordId']}")
    assert found["description"] == "Blood count"

    await world.tell(ORDERS, {**order, "status": "processing", "action": "updated"}, str(order["orderId"]))

    async def processing() -> bool:
        return bool((await world.get(f"/api/pharmacy-orders/{order['orderId']}"))["status"] == "processing")

    await eventually(processing)
    assert len(await world.of("orderId", str(order["orderId"]), ORDERS)) == 2  # theirs, not said again


@pytest.mark.proves("CLN-20")
async def test_what_is_not_theirs_to_say_changes_nothing(world: World) -> None:
    await practitioner(world, "DR-4")
    appointment_id = (await world.post(PATH, visit("DR-4", "08:00", "patient-7")))["booking_id"]
    before = await world.ended(PATH, appointment_id)
    said = [each for each in await world.said(APPOINTMENTS) if each.body["appointmentId"] == appointment_id]
    confirmed = next(each for each in said if each.body["status"] == "confirmed")
    copied = confirmed.record.value or b""
    changed = [(name, b"{}" if name == "vacancy-rest" else value) for name, value in confirmed.record.headers]
    completed = {**confirmed.body, "status": "completed"}
    await world.tell(APPOINTMENTS, copied, appointment_id, changed)
    await world.tell(APPOINTMENTS, completed, appointment_id)
    await world.tell(APPOINTMENTS, b'"garbage"', appointment_id)
    await world.tell(ORDERS, b"{}")
    await world.buried(APPOINTMENTS, copied, as_="not-ours")
    await world.buried(APPOINTMENTS, json_of(completed), as_="not-ours")
    await world.buried(APPOINTMENTS, b'"garbage"', as_="undecodable")
    await world.buried(ORDERS, b"{}", as_="undecodable")
    assert await world.get(f"{PATH}/{appointment_id}") == before
    # And the next one does not wait for it.
    following = (await world.post(PATH, visit("DR-4", "08:15", "patient-8")))["booking_id"]
    assert (await world.ended(PATH, following))["status"] == "CONFIRMED"


@pytest.mark.parametrize("seed", range(2))
async def test_the_last_slot_is_given_once(world: World, seed: int) -> None:
    await practitioner(world, f"LAST-{seed}")
    asked = [visit(f"LAST-{seed}", "09:00", f"patient-{number}") for number in range(100)]
    ends = await world.race(PATH, lambda: world.call("POST", PATH, asked.pop()))
    assert ends == ONE_OF_A_HUNDRED


@in_time
async def test_a_killed_worker_loses_nothing(world: World, running: Instance, tmp_path: Path) -> None:
    await killed_under_load(running, tmp_path)


@pytest.mark.proves("CLN-17")
@pytest.mark.parametrize("consumer", ["journal/log", "archive"])
async def test_every_message_is_logged_and_archived(world: World, consumer: str) -> None:
    """After all of the above, a killed worker included."""
    told = {(each.topic, each.partition, each.offset) for topic in TOPICS for each in await world.all_of(topic)}

    async def kept() -> bool:
        files = (world.data / consumer).glob("*/*/*.jsonl")  # by topic, partition and day
        return told == {
            (path.parts[-3], int(path.parts[-2]), json.loads(line)["offset"])
            for path in files
            for line in path.read_text("utf-8").splitlines()
        }

    await eventually(kept)


@pytest.mark.proves("CLN-04", "CLN-18")
async def test_the_log_says_what_the_rows_hold(world: World, running: Instance, tmp_path: Path) -> None:
    await rebuilt(running, tmp_path, "booking", "availability", "user", "record", "notification", "analytics")
    await audited(running)


async def practitioner(world: World, doctor: str, zone: str = "UTC") -> None:
    await world.put(f"/api/practitioners/{doctor}", {"capacity": 1, "slot_minutes": 15, "time_zone": zone})


async def registered(world: World, patient: str) -> str:
    """A patient whose address is known."""
    who = {"user_id": patient, "email": f"{patient}@example.com", "first_name": "Pat", "last_name": "Ient"}
    await world.post("/api/users", who)
    await world.mails(f"{patient}@example.com", "Welcome")
    return patient


async def settled(world: World, field: str, value: str, topic: str, number: int) -> list[Body]:
    """The messages of a record, once there are so many."""

    async def enough() -> list[Body] | None:
        found = await world.of(field, value, topic)
        return found if len(found) >= number else None

    found: list[Body] = await eventually(enough)
    return found


async def there(world: World, path: str) -> Body:
    """What is at a path, once it is there."""

    async def found() -> Body | None:
        answer = await world.call("GET", path)
        return dict(answer.body) if answer.status == 200 else None

    body: Body = await eventually(found)
    return body


def visit(doctor: str, time: str, patient: str) -> Body:
    when = {"date": str(DAY), "time": time}
    return {"patientId": patient, "doctorId": doctor, **when, "reason": "check-up", "visitType": "in_person"}


def created(doctor: str, time: str) -> Body:
    """What the document's model shows of a new appointment."""
    return {
        "appointmentId": str(uuid.uuid4()),
        "patientId": f"patient-{uuid.uuid4().hex[:6]}",
        "doctorId": doctor,
        "date": str(DAY),
        "time": time,
        "reason": "persistent cough",
        "status": "scheduled",
        "visitType": "in_person",
        "action": "created",
    }


def pharmacy_order(patient: str) -> Body:
    return {
        "patientId": patient,
        "pharmacyId": "PHARMACY-1",
        "totalPrice": 19.8,
        "orderDate": f"{DAY}T10:00:00",
        "deliveryDate": f"{DAY}T18:00:00",
        "items": [{"productId": "amoxicillin-500", "quantity": 2, "price": 9.9}],
    }
