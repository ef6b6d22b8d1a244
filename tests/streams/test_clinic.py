"""The clinic layout against its guide, typed by hand from it (CLN-05..08, 16, 17, 19, 20, 22)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import Undecodable
from streams.events import Envelope, Event
from streams.events.about import About, Line
from streams.events.booking_news import (
    BookingCancelled,
    BookingCheckedIn,
    BookingCompleted,
    BookingConfirmed,
    BookingCreated,
    BookingExpired,
    BookingNoShow,
    BookingRejected,
    BookingUpdated,
)
from streams.events.records import (
    HealthRecordCreated,
    HealthRecordUpdated,
    PharmacyOrderCancelled,
    PharmacyOrderCreated,
    PharmacyOrderDelivered,
    PharmacyOrderShipped,
    PharmacyOrderUpdated,
    PrescriptionCancelled,
    PrescriptionCreated,
    PrescriptionUpdated,
    RecordNews,
)
from streams.layout import load_layout
from streams.lint import lint
from streams.topics import DAY_MS
from streams.wire import GUESTS, RECORDS, USERS, codec_of
from tests.streams.wire_cases import RECORD_TIME, envelopes, erased, heard, record, reveal, said

LAYOUT = load_layout("clinic")
#: Topic, key, and what it carries. The names and keys are ours (CLN-22).
DOCUMENT: list[tuple[str, str, set[type[Event]]]] = [
    (
        "appointment-events",
        "booking_id",
        {
            BookingCreated,
            BookingUpdated,
            BookingConfirmed,
            BookingCompleted,
            BookingCancelled,
            BookingRejected,
            BookingExpired,
        },
    ),
    ("prescription-events", "record_id", {PrescriptionCreated, PrescriptionUpdated, PrescriptionCancelled}),
    (
        "order-events",
        "record_id",
        {PharmacyOrderCreated, PharmacyOrderUpdated, PharmacyOrderShipped, PharmacyOrderDelivered},
    ),
    ("health-record-events", "record_id", {HealthRecordCreated, HealthRecordUpdated}),
]
TOPICS = {name for name, *_ in DOCUMENT}
CARRIED = sorted((model for *_, models in DOCUMENT for model in models), key=lambda model: model.event_type)
#: CLN-17. Guests' addresses are learnt from the news of users, for which the guide has no topic.
GROUPS = [
    ("clinic-notification-group", "notification", TOPICS - {"health-record-events"} | {"vacancy.events"}),
    ("clinic-analytics-group", "analytics", TOPICS),
    ("clinic-logging-group", "logging", TOPICS),
    ("clinic-archive-group", "archive", TOPICS),
]

TOLD = datetime(2024, 12, 2, 8, tzinfo=UTC)
#: Berlin's winter is an hour before UTC.
START = datetime(2024, 12, 20, 9, 30, tzinfo=UTC)
ABOUT = About(
    kind="appointment",
    confirmation_number="RSV-2024-000123",
    lines=(
        Line(
            line=1,
            provider_id="clinic",
            product_id="dr-1",
            start=START,
            end=START + timedelta(minutes=20),
            quantity=1,
            price_amount=Decimal("80.00"),
        ),
    ),
    price_amount=Decimal("80.00"),
    price_currency="EUR",
    time_zone="Europe/Berlin",
    guest="key.sealed",
    details={"visit_type": "virtual"},
)
BOOKED: dict[str, Any] = {"booking_id": "a-1", "user_id": "pat-1", "product_id": "dr-1", "about": ABOUT}
PRICE: dict[str, Any] = {"price_amount": Decimal("80.00"), "price_currency": "EUR"}
TIMES: dict[str, Any] = {"start_time": START, "end_time": START + timedelta(minutes=20), "quantity": 1}
MOVED: dict[str, Any] = {**BOOKED, **PRICE, **TIMES, "revision": 2, "updated_at": TOLD}
KEPT: dict[str, Any] = {"record_id": "r-1", "user_id": "pat-1", "content": "key.sealed", "revision": 1}


def appointment(action: str, status: str) -> dict[str, Any]:
    """CLN-05, its fields in the guide's order."""
    return {
        "appointmentId": "a-1",
        "patientId": "pat-1",
        "doctorId": "dr-1",
        "date": "2024-12-20",
        "time": "10:30",
        "reason": "a cough",
        "status": status,
        "visitType": "virtual",
        "action": action,
    }


def prescription(action: str, status: str) -> dict[str, Any]:
    """CLN-06."""
    return {
        "prescriptionId": "r-1",
        "patientId": "pat-1",
        "doctorId": "dr-1",
        "medication": "Ibuprofen",
        "dosage": "400 mg",
        "frequency": "twice a day",
        "startDate": "2024-12-02",
        "endDate": "2024-12-09",
        "status": status,
        "action": action,
    }


def order(action: str, status: str) -> dict[str, Any]:
    """CLN-07."""
    return {
        "orderId": "r-1",
        "patientId": "pat-1",
        "pharmacyId": "ph-1",
        "totalPrice": 19.98,
        "status": status,
        "orderDate": "2024-12-02T09:00:00",
        "deliveryDate": "2024-12-04T12:00:00",
        "items": [{"productId": "ibu-400", "quantity": 2, "price": 9.99}],
        "action": action,
    }


def health(action: str) -> dict[str, Any]:
    """CLN-08."""
    return {
        "recordId": "r-1",
        "patientId": "pat-1",
        "doctorId": "dr-1",
        "recordType": "lab_result",
        "description": "all is well",
        "recordDate": "2024-12-02",
        "action": action,
    }


CONTENT = {
    "reason": "a cough",
    "email": "pat@example.com",
    **prescription("", ""),
    **order("", ""),
    **health(""),
}
SAMPLES: list[tuple[Event, dict[str, Any]]] = [
    (BookingCreated(**BOOKED, **PRICE, **TIMES, provider_id="clinic"), appointment("created", "scheduled")),
    (BookingUpdated(**MOVED, status="PENDING"), appointment("updated", "scheduled")),
    (BookingUpdated(**MOVED, status="CONFIRMED"), appointment("updated", "confirmed")),
    (BookingConfirmed(**BOOKED, **PRICE, payment_id="p", confirmed_at=TOLD), appointment("updated", "confirmed")),
    (BookingCompleted(**BOOKED, completed_at=TOLD), appointment("updated", "completed")),
    (
        BookingCancelled(
            **BOOKED,
            payment_id="p",
            cancelled_at=TOLD,
            cancellation_reason="better again",
            refund_eligible=False,
            refund_amount=Decimal(0),
            refund_currency="EUR",
            cancelled_by="patient",
        ),
        appointment("cancelled", "cancelled"),
    ),
    (BookingRejected(**BOOKED, rejected_at=TOLD, reason="sold_out"), appointment("cancelled", "cancelled")),
    (BookingExpired(**BOOKED, expired_at=TOLD), appointment("cancelled", "cancelled")),
    (PrescriptionCreated(**KEPT, status="active", changed_at=TOLD), prescription("created", "active")),
    (PrescriptionUpdated(**KEPT, status="completed", changed_at=TOLD), prescription("updated", "completed")),
    (PrescriptionCancelled(**KEPT, status="inactive", changed_at=TOLD), prescription("cancelled", "inactive")),
    (PharmacyOrderCreated(**KEPT, status="pending", changed_at=TOLD), order("created", "pending")),
    (PharmacyOrderUpdated(**KEPT, status="processing", changed_at=TOLD), order("updated", "processing")),
    (PharmacyOrderShipped(**KEPT, status="shipped", changed_at=TOLD), order("shipped", "shipped")),
    (PharmacyOrderDelivered(**KEPT, status="delivered", changed_at=TOLD), order("delivered", "delivered")),
    (HealthRecordCreated(**KEPT, status="created", changed_at=TOLD), health("created")),
    (HealthRecordUpdated(**KEPT, status="updated", changed_at=TOLD), health("updated")),
]
NAMES = [f"{type(event).__name__}-{shown.get('status')}" for event, shown in SAMPLES]


def told(event: Event) -> Envelope:
    return Envelope(
        event_id="e-1",
        event_type=event.event_type,
        event_version="1.0",
        timestamp=TOLD,
        correlation_id="c-1",
        data=event,
        source="booking-service",
    )


def knowing(user_id: str, sealed: str | None) -> dict[str, Any]:
    return CONTENT if sealed else {}


def foreign(topic: str, body: dict[str, Any], headers: tuple[tuple[str, bytes], ...] = (), offset: int = 7) -> Envelope:
    return heard(LAYOUT, record(LAYOUT.named[topic], orjson.dumps(body), headers, offset))


def personal(topic: str, body: dict[str, Any]) -> dict[str, Any]:
    """What of a message is the patient's alone."""
    if topic == "appointment-events":
        return {"reason": body["reason"]}
    beside = ("prescriptionId", "orderId", "recordId", "patientId", "status", "action")
    return {name: value for name, value in body.items() if name not in beside}


@pytest.mark.proves("CLN-13", "CLN-22")
@pytest.mark.parametrize(("name", "key", "models"), DOCUMENT)
def test_a_topic_for_each_kind_of_record(name: str, key: str, models: set[type[Event]]) -> None:
    topic = LAYOUT.topics[name]
    assert (topic.partitions, topic.retention_ms, topic.key) == (3, 30 * DAY_MS, key)
    assert set(topic.carries) == models


@pytest.mark.proves("CLN-19", "CLN-22")
def test_nothing_else_is_named() -> None:
    assert set(LAYOUT.topics) == TOPICS
    assert LAYOUT.retry_delays == (0.1, 0.1, 0.1)
    assert LAYOUT.dead_letter_after == 3
    assert lint(LAYOUT) == []
    assert LAYOUT.differences == ()


@pytest.mark.proves("CLN-17")
@pytest.mark.parametrize(("group", "service", "topics"), GROUPS)
def test_four_groups_read_side_by_side(group: str, service: str, topics: set[str]) -> None:
    assert LAYOUT.group(service) == group
    assert {topic.name for topic in LAYOUT.subscriptions(service)} == topics
    assert service in LAYOUT.running


@pytest.mark.proves("CLN-22")
@pytest.mark.parametrize("model", [PharmacyOrderCancelled, BookingCheckedIn, BookingNoShow])
def test_what_the_guide_has_no_word_for_is_said_canonically(model: type[Event]) -> None:
    assert LAYOUT.route_table()[model.event_type].name == "vacancy.events"


@pytest.mark.proves("CLN-05")
def test_an_appointment_waits_for_its_slot_alone() -> None:
    assert LAYOUT.confirm_on("appointment") == "inventory"
    assert LAYOUT.confirm_on("stay") == "payment.authorized"


@pytest.mark.proves("CLN-05", "CLN-06", "CLN-07", "CLN-08")
def test_whatever_brings_personal_data_may_show_it_in_what_follows() -> None:
    assert set(codec_of("clinic").reveals) == {*GUESTS, *USERS, *RECORDS}


@pytest.mark.proves("CLN-05", "CLN-06", "CLN-07", "CLN-08")
@pytest.mark.parametrize(("event", "shown"), SAMPLES, ids=NAMES)
def test_an_event_is_shown_field_by_field_and_comes_back(event: Event, shown: dict[str, Any]) -> None:
    found = said(LAYOUT, told(event), knowing)
    assert found.value is not None
    assert orjson.loads(found.value) == shown
    assert list(orjson.loads(found.value)) == list(shown)
    assert msgspec.structs.replace(heard(LAYOUT, found), personal={}) == told(event)


@pytest.mark.proves("CLN-22")
@pytest.mark.parametrize(("event", "shown"), SAMPLES, ids=NAMES)
def test_an_event_lies_under_the_records_id(event: Event, shown: dict[str, Any]) -> None:
    assert LAYOUT.route(event)[1] == next(iter(shown.values()))


@pytest.mark.proves("CLN-22")
def test_id_time_and_correlation_travel_in_headers() -> None:
    headers = dict(said(LAYOUT, told(SAMPLES[0][0])).headers)
    assert (headers["ce_id"], headers["correlation_id"]) == (b"e-1", b"c-1")
    assert headers["ce_time"] == b"2024-12-02T08:00:00+00:00"


@pytest.mark.proves("CLN-22")
def test_another_program_may_send_the_same_headers() -> None:
    headers = (("ce_id", b"x-1"), ("ce_time", b"2024-12-01T10:00:00+01:00"), ("correlation_id", b"x-2"))
    news = foreign("appointment-events", appointment("created", "scheduled"), headers)
    assert (news.event_id, news.correlation_id) == ("x-1", "x-2")
    assert news.timestamp == datetime(2024, 12, 1, 9, tzinfo=UTC)


@pytest.mark.proves("CLN-05", "CLN-06", "CLN-07", "CLN-08")
@given(sent=envelopes(*CARRIED), revealed=st.sampled_from([reveal, knowing, erased]))
def test_whatever_we_say_comes_back(sent: Envelope, revealed: Any) -> None:
    assert msgspec.structs.replace(heard(LAYOUT, said(LAYOUT, sent, revealed)), personal={}) == sent


@pytest.mark.proves("CLN-05", "CLN-06", "CLN-07", "CLN-08")
@pytest.mark.parametrize(("event", "shown"), SAMPLES, ids=NAMES)
def test_nothing_personal_is_shown_once_the_patient_is_erased(event: Event, shown: dict[str, Any]) -> None:
    found = said(LAYOUT, told(event), erased)
    assert found.value is not None
    hidden = personal(found.topic, shown)
    assert orjson.loads(found.value) == {**shown, **dict.fromkeys(hidden)}
    assert msgspec.structs.replace(heard(LAYOUT, found), personal={}) == told(event)


@pytest.mark.proves("CLN-05", "CLN-16")
@pytest.mark.parametrize(
    ("action", "status", "model"),
    [
        ("created", "scheduled", BookingCreated),
        ("created", "confirmed", BookingCreated),
        ("created", None, BookingCreated),
        ("updated", "scheduled", BookingUpdated),
        ("updated", None, BookingUpdated),
        ("updated", "confirmed", BookingConfirmed),
        ("updated", "completed", BookingCompleted),
        ("updated", "cancelled", BookingCancelled),
        ("cancelled", "cancelled", BookingCancelled),
        ("cancelled", None, BookingCancelled),
        ("deleted", None, BookingCancelled),
        ("deleted", "confirmed", BookingCancelled),
    ],
)
def test_action_and_status_say_what_another_program_means(action: str, status: str | None, model: type[Event]) -> None:
    body = {**appointment(action, ""), "status": status}
    assert type(foreign("appointment-events", body).data) is model


@pytest.mark.proves("CLN-05")
def test_an_appointment_of_another_program_is_a_whole_booking() -> None:
    """Its hour is UTC's until the gate knows the practitioner's clock; it is there in words for that."""
    news = foreign("appointment-events", appointment("created", "scheduled"))
    start = datetime(2024, 12, 20, 10, 30, tzinfo=UTC)
    end = start + timedelta(minutes=15)
    line = Line(
        line=1, provider_id="clinic", product_id="dr-1", start=start, end=end, quantity=1, price_amount=Decimal(0)
    )
    assert news.timestamp == RECORD_TIME
    assert news.personal == {"reason": "a cough"}
    assert news.data == BookingCreated(
        booking_id="a-1",
        user_id="pat-1",
        product_id="dr-1",
        provider_id="clinic",
        start_time=start,
        end_time=end,
        quantity=1,
        price_amount=Decimal(0),
        price_currency="EUR",
        about=About(
            kind="appointment",
            lines=(line,),
            price_amount=Decimal(0),
            price_currency="EUR",
            details={"date": "2024-12-20", "time": "10:30", "visit_type": "virtual"},
        ),
    )


@pytest.mark.proves("CLN-05")
def test_a_time_zone_beside_the_hour_is_taken() -> None:
    body = {**appointment("created", "scheduled"), "timeZone": "Europe/Berlin"}
    found = foreign("appointment-events", body).data
    assert isinstance(found, BookingCreated)
    assert found.start_time == START


@pytest.mark.proves("CLN-05", "CLN-16")
def test_a_cancellation_of_another_program_names_its_appointment_only() -> None:
    found = foreign("appointment-events", {"appointmentId": "a-1", "action": "deleted"}).data
    assert isinstance(found, BookingCancelled)
    assert found.booking_id == "a-1"


@pytest.mark.proves("CLN-05")
def test_a_new_appointment_without_an_id_is_named_by_its_place_on_the_log() -> None:
    body = {**appointment("created", "scheduled"), "appointmentId": None}
    ids = [getattr(foreign("appointment-events", body, offset=offset).data, "booking_id", None) for offset in (7, 7, 8)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.proves("CLN-06", "CLN-07", "CLN-08", "CLN-16")
@pytest.mark.parametrize(
    ("topic", "body", "model", "status"),
    [
        ("prescription-events", prescription("created", "active"), PrescriptionCreated, "active"),
        ("prescription-events", prescription("updated", "completed"), PrescriptionUpdated, "completed"),
        ("prescription-events", prescription("cancelled", "inactive"), PrescriptionCancelled, "inactive"),
        ("prescription-events", prescription("deleted", "inactive"), PrescriptionCancelled, "inactive"),
        ("order-events", order("created", "pending"), PharmacyOrderCreated, "pending"),
        ("order-events", order("updated", "processing"), PharmacyOrderUpdated, "processing"),
        ("order-events", order("shipped", "shipped"), PharmacyOrderShipped, "shipped"),
        ("order-events", order("delivered", "delivered"), PharmacyOrderDelivered, "delivered"),
        ("health-record-events", health("created"), HealthRecordCreated, "created"),
        ("health-record-events", health("updated"), HealthRecordUpdated, "updated"),
    ],
)
def test_a_record_of_another_program_is_read_by_its_action(
    topic: str, body: dict[str, Any], model: type[RecordNews], status: str
) -> None:
    news = foreign(topic, {**body, "surprise": True})
    assert type(news.data) is model
    assert isinstance(news.data, RecordNews)
    assert (news.data.record_id, news.data.user_id, news.data.status) == ("r-1", "pat-1", status)
    assert news.personal == personal(topic, body)


@pytest.mark.proves("CLN-05", "CLN-06", "CLN-07", "CLN-08", "CLN-20", "CLN-22")
@pytest.mark.parametrize(
    ("topic", "body", "says"),
    [
        ("appointment-events", {**appointment("", "scheduled")}, "action"),
        ("appointment-events", {**appointment("moved", "scheduled")}, "carries no"),
        ("appointment-events", {**appointment("created", "scheduled"), "patientId": None}, "patientId"),
        ("appointment-events", {**appointment("created", "scheduled"), "doctorId": 7}, "doctorId"),
        ("appointment-events", {**appointment("created", "scheduled"), "date": "2024-02-30"}, "date"),
        ("appointment-events", {**appointment("created", "scheduled"), "time": "9:30"}, "time"),
        ("appointment-events", {**appointment("created", "scheduled"), "time": "24:00"}, "time"),
        ("appointment-events", {**appointment("created", "scheduled"), "visitType": "by post"}, "visitType"),
        ("appointment-events", {**appointment("created", "scheduled"), "timeZone": "Mars"}, "no time zone"),
        ("appointment-events", {**appointment("created", "scheduled"), "status": "late"}, "status"),
        ("appointment-events", {**appointment("created", "scheduled"), "reason": "x" * 2001}, "reason"),
        (
            "appointment-events",
            {**appointment("created", "scheduled"), "date": "9999-12-31", "time": "23:50"},
            "Overflow",
        ),
        (
            "appointment-events",
            {**appointment("created", "scheduled"), "date": "9999-12-31", "time": "23:50", "timeZone": "America/Lima"},
            "no local date",
        ),
        ("appointment-events", {**appointment("updated", "scheduled"), "appointmentId": None}, "appointmentId"),
        ("appointment-events", {**appointment("cancelled", "cancelled"), "appointmentId": None}, "appointmentId"),
        ("prescription-events", {**prescription("created", "lost")}, "status"),
        ("prescription-events", {**prescription("created", "active"), "medication": None}, "medication"),
        ("prescription-events", {**prescription("created", "active"), "startDate": "soon"}, "startDate"),
        ("order-events", {**order("cancelled", "pending")}, "carries no"),
        ("order-events", {**order("created", "pending"), "totalPrice": -1}, "totalPrice"),
        ("order-events", {**order("created", "pending"), "items": []}, "items"),
        ("order-events", {**order("created", "pending"), "orderDate": "2024-12-02T09:00:00Z"}, "orderDate"),
        (
            "order-events",
            {**order("created", "pending"), "items": [{"productId": "a", "quantity": 0, "price": 1}]},
            r"items\.0\.quantity",
        ),
        ("health-record-events", {**health("deleted")}, "carries no"),
        ("health-record-events", {**health("created"), "recordType": "gossip"}, "recordType"),
    ],
)
def test_what_is_none_of_the_guides_events_says_why(topic: str, body: dict[str, Any], says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        foreign(topic, body)


@pytest.mark.proves("CLN-05")
@pytest.mark.parametrize(
    ("start", "zone", "shown"),
    [
        # Both sides of the night in which Berlin's clocks go back.
        ("2024-10-27T00:30Z", "Europe/Berlin", ("2024-10-27", "02:30")),
        ("2024-10-27T01:30Z", "Europe/Berlin", ("2024-10-27", "02:30")),
        ("2024-12-20T23:45Z", "Asia/Kathmandu", ("2024-12-21", "05:30")),
        ("2024-12-20T23:45Z", "Nowhere/Atlantis", ("2024-12-20", "23:45")),
        ("9999-12-31T23:50Z", "Asia/Tokyo", ("9999-12-31", "23:50")),
    ],
)
def test_hours_are_the_practitioners_own(start: str, zone: str, shown: tuple[str, str]) -> None:
    line = msgspec.structs.replace(ABOUT.lines[0], start=datetime.fromisoformat(start).astimezone(UTC))
    about = msgspec.structs.replace(ABOUT, lines=(line,), time_zone=zone)
    sent = told(BookingCompleted(**{**BOOKED, "about": about}, completed_at=TOLD))
    found = said(LAYOUT, sent)
    assert found.value is not None
    body = orjson.loads(found.value)
    assert (body["date"], body["time"]) == shown
    assert msgspec.structs.replace(heard(LAYOUT, found), personal={}) == sent
