"""The catalogue layout against its document, typed by hand from it (CAT-01..25)."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from streams.codec import decode, encode
from streams.events import EVENT_TYPES, Event
from streams.layout import Layout, load_layout
from streams.lint import lint
from streams.services import PAYMENT, SERVICES
from streams.topics import DAY_MS, Topic

LAYOUT = load_layout("catalogue")

#: CAT-02..15: topic, partitions, retention in days, the field that is its key (CAT-24).
DOCUMENT = [
    ("booking.booking.created", 3, 7, "booking_id"),
    ("booking.booking.updated", 3, 7, "booking_id"),
    ("booking.booking.cancelled", 3, 7, "booking_id"),
    ("booking.booking.confirmed", 3, 7, "booking_id"),
    ("payment.payment.created", 3, 7, "payment_id"),
    ("payment.payment.succeeded", 3, 30, "payment_id"),
    ("payment.payment.failed", 3, 30, "payment_id"),
    ("payment.payment.refunded", 3, 30, "payment_id"),
    ("receipt.receipt.generated", 2, 30, "payment_id"),
    ("notification.email.sent", 2, 3, "user_id"),
    ("notification.sms.sent", 2, 3, "user_id"),
    ("analytics.event.tracked", 5, 90, "entity_id"),
    ("user.user.created", 2, 7, "user_id"),
    ("user.user.updated", 2, 7, "user_id"),
]
OURS = {
    "booking.booking.rejected",
    "booking.booking.expired",
    "availability.night.updated",
    "availability.night.overbooked",
    "rate.rate.updated",
    "rate.rate.applied",
}


def envelope(kind: str, data: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    source = {"source": f"{kind.split('.')[0]}-service", **metadata}
    return {
        "event_id": "6f1c2e34-0000-4000-8000-000000000001",
        "event_type": kind,
        "event_version": "1.0",
        "timestamp": "2025-11-24T10:30:00Z",
        "correlation_id": "6f1c2e34-0000-4000-8000-000000000002",
        "data": data,
        "metadata": source,
    }


IDS = {name: f"6f1c2e34-0000-4000-8000-0000000001{number:02}" for number, name in enumerate(("b", "u", "p", "v", "y"))}
#: The document's own samples, with "uuid" written out (CAT-16..21).
SAMPLES = [
    envelope(
        "booking.booking.created",
        {
            "booking_id": IDS["b"],
            "user_id": IDS["u"],
            "product_id": IDS["p"],
            "provider_id": IDS["v"],
            "start_time": "2025-12-01T14:00:00Z",
            "end_time": "2025-12-01T15:00:00Z",
            "quantity": 1,
            "price_amount": 99.99,
            "price_currency": "USD",
            "status": "PENDING",
            "location": {"lat": 37.7749, "lon": -122.4194, "address": "123 Main St, San Francisco, CA"},
            "metadata": {},
        },
        user_agent="Mozilla/5.0...",
        ip_address="192.168.1.1",
    ),
    envelope(
        "booking.booking.confirmed",
        {
            "booking_id": IDS["b"],
            "user_id": IDS["u"],
            "product_id": IDS["p"],
            "payment_id": IDS["y"],
            "confirmed_at": "2025-11-24T10:35:00Z",
            "price_amount": 99.99,
            "price_currency": "USD",
        },
    ),
    envelope(
        "booking.booking.cancelled",
        {
            "booking_id": IDS["b"],
            "user_id": IDS["u"],
            "product_id": IDS["p"],
            "payment_id": IDS["y"],
            "cancelled_at": "2025-11-24T11:00:00Z",
            "cancellation_reason": "User requested",
            "refund_eligible": True,
            "refund_amount": 99.99,
            "refund_currency": "USD",
        },
        cancelled_by="user",
    ),
    envelope(
        "payment.payment.succeeded",
        {
            "payment_id": IDS["y"],
            "booking_id": IDS["b"],
            "user_id": IDS["u"],
            "amount": 99.99,
            "currency": "USD",
            "provider": "stripe",
            "provider_payment_id": "pi_xxxxxxxxxxxxx",
            "payment_method": {"type": "card", "brand": "visa", "last4": "4242"},
            "succeeded_at": "2025-11-24T10:35:00Z",
        },
    ),
    envelope(
        "payment.payment.failed",
        {
            "payment_id": IDS["y"],
            "booking_id": IDS["b"],
            "user_id": IDS["u"],
            "amount": 99.99,
            "currency": "USD",
            "provider": "stripe",
            "error_code": "card_declined",
            "error_message": "Your card was declined",
            "failed_at": "2025-11-24T10:35:00Z",
        },
    ),
    envelope(
        "receipt.receipt.generated",
        {
            "receipt_id": "6f1c2e34-0000-4000-8000-000000000199",
            "payment_id": IDS["y"],
            "booking_id": IDS["b"],
            "user_id": IDS["u"],
            "receipt_number": "RCP-2025-001234",
            "receipt_url": "https://s3.amazonaws.com/receipts/...",
            "amount": 99.99,
            "currency": "USD",
            "generated_at": "2025-11-24T10:36:00Z",
        },
    ),
]


@pytest.mark.parametrize(("name", "partitions", "days", "key"), DOCUMENT)
def test_the_topics_are_the_documents(name: str, partitions: int, days: int, key: str) -> None:
    """CAT-02..15, CAT-24, C3."""
    topic = LAYOUT.topics[name]
    assert (topic.partitions, topic.retention_ms, topic.key) == (partitions, days * DAY_MS, key)
    assert topic.config()["retention.ms"] == str(days * 24 * 3600 * 1000)


def test_no_topic_is_named_beside_the_document_and_our_few() -> None:
    assert set(LAYOUT.topics) == {name for name, *_ in DOCUMENT} | OURS


def test_every_name_is_service_entity_action_and_carries_the_type_of_its_name() -> None:
    """CAT-01, C1."""
    for name, topic in LAYOUT.topics.items():
        assert re.fullmatch(r"[a-z]+\.[a-z]+\.[a-z]+", name)
        assert [model.event_type for model in topic.carries] == [name]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["event_type"])
def test_the_documents_samples_go_in_and_come_out_field_by_field(sample: dict[str, Any]) -> None:
    """CAT-16..22, C18."""
    assert orjson.loads(encode(decode(orjson.dumps(sample)))) == sample


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["event_type"])
def test_events_lie_under_the_documents_key(sample: dict[str, Any]) -> None:
    """CAT-24."""
    event = decode(orjson.dumps(sample)).data
    topic, key = LAYOUT.route(event)
    assert topic.name == sample["event_type"]
    assert key == sample["data"][topic.key]


def test_every_read_topic_has_its_dead_letters() -> None:
    """CAT-25."""
    names = {topic.name for topic in LAYOUT.all_topics}
    assert {f"{name}.dlq" for name in LAYOUT.topics} <= names
    assert {f"{service.inbox}.dlq" for service in SERVICES.values()} <= names
    assert "vacancy.payment.effects.dlq" in names


def test_the_payment_service_is_the_documents_group() -> None:
    """CAT-26: the group is the App's id."""
    assert LAYOUT.group(PAYMENT) == "payment-service-group"


def test_the_layout_holds() -> None:
    assert lint(LAYOUT) == []


def test_every_type_has_a_topic() -> None:
    assert set(LAYOUT.route_table()) == set(EVENT_TYPES)


def test_colliding_names_are_found() -> None:
    """C1: `.` and `_` are the same in Kafka's metric names."""
    colliding = Topic("booking_booking_created", 1, (), "booking_id")
    broken = Layout(
        name="broken",
        title="",
        topics={**LAYOUT.topics, colliding.name: colliding},
        partitions=LAYOUT.partitions,
        groups={},
        replication=LAYOUT.replication,
        retry_delays=(),
    )
    assert any("collide" in problem for problem in lint(broken))


def test_a_type_on_two_topics_is_found() -> None:
    twice = Topic("again", 1, (EVENT_TYPES["booking.booking.created"],), "booking_id")
    broken = Layout(
        name="broken",
        title="",
        topics={**LAYOUT.topics, "again": twice},
        partitions=4,
        groups={},
        replication={},
        retry_delays=(),
    )
    assert lint(broken) == ["broken: booking.booking.created is on booking.booking.created too"]


def test_the_inboxes_are_kept_and_take_the_logs_own_time() -> None:
    topics = {topic.name: topic for topic in LAYOUT.all_topics}
    for service in SERVICES.values():
        inbox, rows = topics[service.inbox], topics[service.rows]
        assert inbox.config() == {"retention.ms": "-1", "message.timestamp.type": "LogAppendTime"}
        assert rows.config()["cleanup.policy"] == "compact"
        assert int(rows.config()["min.compaction.lag.ms"]) >= DAY_MS
        assert int(rows.config()["max.message.bytes"]) == 4 * 1024 * 1024
        assert inbox.partitions == rows.partitions == LAYOUT.partitions


def test_every_public_model_says_what_the_document_says_and_no_more() -> None:
    shown = {sample["event_type"]: set(sample["data"]) for sample in SAMPLES}
    for kind, fields in shown.items():
        model: type[Event] = EVENT_TYPES[kind]
        assert {name for name, field in model.model_fields.items() if not field.exclude} == fields
