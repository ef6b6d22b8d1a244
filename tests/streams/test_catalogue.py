"""The catalogue layout against its document, typed by hand from it (CAT-01..30, 37)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import Undecodable
from streams.events import EVENT_TYPES, Envelope, Event
from streams.events.about import About
from streams.events.booking_news import BookingConfirmed
from streams.events.users import UserCreated, UserNews, UserUpdated
from streams.layout import load_layout
from streams.lint import lint
from streams.services import PAYMENT, SERVICES
from streams.topics import DAY_MS
from streams.wire import USERS, codec_of
from tests.streams.wire_cases import envelopes, erased, heard, record, reveal, said

LAYOUT = load_layout("catalogue")
NOW = datetime(2025, 11, 24, 10, 30, tzinfo=UTC)

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

#: CAT-02..15: whom the table lists as a topic's consumers.
TABLE: dict[str, set[str]] = {
    "booking.booking.created": {"payment", "notification", "analytics"},
    "booking.booking.updated": {"notification", "analytics"},
    "booking.booking.cancelled": {"payment", "notification", "analytics"},
    "booking.booking.confirmed": {"notification", "receipt", "analytics"},
    "payment.payment.created": {"booking", "analytics"},
    "payment.payment.succeeded": {"booking", "receipt", "notification", "analytics"},
    "payment.payment.failed": {"booking", "notification", "analytics"},
    "payment.payment.refunded": {"booking", "notification", "analytics"},
    "receipt.receipt.generated": {"notification", "analytics"},
    "notification.email.sent": {"analytics"},
    "notification.sms.sent": {"analytics"},
    "analytics.event.tracked": {"integration"},
    "user.user.created": {"notification", "analytics"},
    "user.user.updated": {"analytics"},
}
_BOOKINGS = {name for name, *_ in DOCUMENT if name.startswith("booking.booking.")}
_PAYMENTS = {name for name, *_ in DOCUMENT if name.startswith("payment.payment.")}
#: CAT-26..30: the list of groups, by service. "All topics" is all but its own (C14), and ours, as `vacancy.events` is.
LISTED: dict[str, tuple[str, set[str]]] = {
    "payment": ("payment-service-group", {"booking.booking.created", "booking.booking.cancelled"}),
    "notification": (
        "notification-service-group",
        # CAT-27 says "booking.booking.*", and two of those are ours.
        {*_BOOKINGS, *_PAYMENTS, "receipt.receipt.generated", "vacancy.events"}
        | {"booking.booking.rejected", "booking.booking.expired"},
    ),
    "receipt": ("receipt-service-group", {"payment.payment.succeeded"}),
    "analytics": (
        "analytics-service-group",
        {*(name for name, *_ in DOCUMENT), *OURS, "vacancy.events"} - {"analytics.event.tracked"},
    ),
    "integration": ("integration-service-group", {"analytics.event.tracked"}),
}
#: CAT-37: no group is listed for bookings, although the table has them; and ours follows prices.
UNLISTED: dict[str, tuple[str, set[str]]] = {
    "booking": ("vacancy-booking", set()),
    "rate": ("vacancy-rate", {"booking.booking.created", "availability.night.updated"}),
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

USER_NEWS = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Guest", "phone": None}


def foreign(body: dict[str, Any]) -> Envelope:
    return heard(LAYOUT, record(LAYOUT.topics[body["event_type"]], orjson.dumps(body)))


def shown(found: Any) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(found.value)
    return body


@pytest.mark.proves(*(f"CAT-{number:02}" for number in range(2, 16)), "CAT-24")
@pytest.mark.parametrize(("name", "partitions", "days", "key"), DOCUMENT)
def test_the_topics_are_the_documents(name: str, partitions: int, days: int, key: str) -> None:
    """C3."""
    topic = LAYOUT.topics[name]
    assert (topic.partitions, topic.retention_ms, topic.key) == (partitions, days * DAY_MS, key)
    assert topic.config()["retention.ms"] == str(days * 24 * 3600 * 1000)


@pytest.mark.proves("CAT-01", "CAT-37")
def test_no_topic_is_named_beside_the_document_and_our_few() -> None:
    assert set(LAYOUT.topics) == {name for name, *_ in DOCUMENT} | OURS
    assert {(LAYOUT.topics[name].partitions, LAYOUT.topics[name].retention_ms) for name in OURS} == {(3, 7 * DAY_MS)}


@pytest.mark.proves("CAT-01")
def test_every_name_is_service_entity_action_and_carries_the_type_of_its_name() -> None:
    """C1."""
    for name, topic in LAYOUT.topics.items():
        assert re.fullmatch(r"[a-z]+\.[a-z]+\.[a-z]+", name)
        assert [model.event_type for model in topic.carries] == [name]


@pytest.mark.proves(*(f"CAT-{number:02}" for number in range(2, 16)), *(f"CAT-{number}" for number in range(26, 31)))
@pytest.mark.parametrize("service", [*LISTED, *UNLISTED])
def test_a_group_reads_what_the_table_or_the_list_gives_it(service: str) -> None:
    """C15: their union."""
    group, listed = (LISTED | UNLISTED)[service]
    in_table = {name for name, services in TABLE.items() if service in services}
    assert LAYOUT.group(service) == group
    assert {topic.name for topic in LAYOUT.subscriptions(service)} == listed | in_table


@pytest.mark.proves("CAT-26", "CAT-27", "CAT-28", "CAT-29", "CAT-30", "CAT-37")
def test_where_table_and_list_differ_is_named() -> None:
    """C15. The document itself names them in CAT-37, all but payment.created."""
    assert set(LAYOUT.groups) == {*LISTED, *UNLISTED, "webhook"}
    everybody = {service: LISTED.get(service, ("vacancy-booking", set())) for service in (*LISTED, "booking")}
    missing = {
        f"the table lists {service} for {name}, the group {group} does not"
        for service, (group, listed) in everybody.items()
        for name, consumers in TABLE.items()
        if service in consumers and name not in listed
    }
    beyond = {
        f"the group {group} has {name}, the table does not list {service}"
        for service, (group, listed) in LISTED.items()
        for name, consumers in TABLE.items()
        if service not in consumers and name in listed
    }
    assert set(LAYOUT.differences) == missing | beyond
    assert (len(missing), len(beyond)) == (6, 1)


@pytest.mark.proves("CAT-25", "CAT-37")
def test_how_often_it_is_tried_and_what_a_booking_waits_for() -> None:
    """C6, C11."""
    assert LAYOUT.retry_delays == (0.1, 0.2, 0.4, 0.8, 1.6)
    assert LAYOUT.dead_letter_after == 3
    assert LAYOUT.confirm_on("booking") == "payment.authorized"
    assert LAYOUT.confirm_on("appointment") == "inventory"
    assert LAYOUT.replication == {"local": 1, "production": 3}


@pytest.mark.proves("CAT-16", "CAT-17", "CAT-18", "CAT-19", "CAT-20", "CAT-21", "CAT-22")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["event_type"])
def test_the_documents_samples_go_in_and_come_out_field_by_field(sample: dict[str, Any]) -> None:
    """C18."""
    found = said(LAYOUT, foreign(sample))
    assert (found.topic, shown(found)) == (sample["event_type"], sample)


@pytest.mark.proves("CAT-16", "CAT-17", "CAT-18", "CAT-19", "CAT-20", "CAT-21")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["event_type"])
def test_a_model_says_what_the_document_says_and_no_more(sample: dict[str, Any]) -> None:
    model: type[Event] = EVENT_TYPES[sample["event_type"]]
    assert set(model.__struct_fields__) - model.beyond - model.in_metadata == set(sample["data"])


@pytest.mark.proves("CAT-24", "C4")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["event_type"])
def test_events_lie_under_the_documents_key(sample: dict[str, Any]) -> None:
    topic, key = LAYOUT.route(foreign(sample).data)
    assert topic.name == sample["event_type"]
    assert key == sample["data"][topic.key]


@pytest.mark.proves("CAT-22")
@given(
    sent=envelopes(*(model for topic in LAYOUT.topics.values() for model in topic.carries)),
    revealed=st.sampled_from([reveal, erased]),
)
def test_whatever_we_say_comes_back(sent: Envelope, revealed: Any) -> None:
    assert msgspec.structs.replace(heard(LAYOUT, said(LAYOUT, sent, revealed)), personal={}) == sent


@pytest.mark.proves("CAT-17", "CAT-22")
def test_what_is_ours_travels_beside_the_document() -> None:
    about = About(price_amount=Decimal("99.99"), price_currency="USD", guest="key.sealed")
    sample = next(each for each in SAMPLES if each["event_type"] == "booking.booking.confirmed")
    news = foreign(sample)
    assert isinstance(news.data, BookingConfirmed)
    found = said(LAYOUT, msgspec.structs.replace(news, data=msgspec.structs.replace(news.data, about=about)))
    assert shown(found) == sample
    rest = orjson.loads(dict(found.headers)["vacancy-rest"])
    assert msgspec.convert(rest["about"], About) == about


@pytest.mark.proves("CAT-14", "CAT-15")
@pytest.mark.parametrize(
    ("news", "moment"),
    [
        (UserCreated(user_id="u", personal="s", created_at=NOW), "created_at"),
        (UserUpdated(user_id="u", personal="s", updated_at=NOW), "updated_at"),
    ],
)
def test_users_are_in_clear_on_the_wire_and_sealed_inside(news: UserNews, moment: str) -> None:
    envelope = msgspec.structs.replace(foreign(SAMPLES[0]), event_type=news.event_type, data=news)

    def ada(user_id: str, sealed: str | None) -> dict[str, Any]:
        return USER_NEWS if (user_id, sealed) == ("u", "s") else {}

    found = said(LAYOUT, envelope, ada)
    assert shown(found)["data"] == {"user_id": "u", moment: "2025-11-24T10:30:00Z", **USER_NEWS}
    assert b'"s"' not in (found.value or b"")
    assert msgspec.structs.replace(heard(LAYOUT, found), personal={}) == envelope
    gone = shown(said(LAYOUT, envelope, erased))["data"]
    assert gone == {"user_id": "u", moment: "2025-11-24T10:30:00Z", **dict.fromkeys(USER_NEWS)}
    assert codec_of("catalogue").reveals == USERS


@pytest.mark.proves("CAT-14", "CAT-15")
@pytest.mark.parametrize(("kind", "moment"), [("user.user.created", "created_at"), ("user.user.updated", "updated_at")])
def test_a_user_of_another_program_is_to_be_sealed_at_entry(kind: str, moment: str) -> None:
    data = {"user_id": "u", moment: "2025-11-24T10:30:00Z", **USER_NEWS, "shoe_size": 38}
    news = foreign(envelope(kind, data))
    assert isinstance(news.data, UserNews)
    assert (news.data.user_id, news.data.personal) == ("u", "")
    assert news.personal == {"email": "ada@example.com", "first_name": "Ada", "last_name": "Guest"}


@pytest.mark.proves("CAT-22")
@pytest.mark.parametrize(
    ("kind", "data", "headers", "says"),
    [
        ("user.user.created", {"user_id": "u"}, (), "created_at"),
        ("booking.booking.confirmed", None, (), "data"),
        ("booking.booking.confirmed", SAMPLES[1]["data"], (("vacancy-rest", b"{"),), "vacancy-rest"),
        ("booking.booking.confirmed", SAMPLES[1]["data"], (("vacancy-rest", b"[]"),), "vacancy-rest"),
        ("booking.booking.confirmed", SAMPLES[1]["data"], (("vacancy-rest", b'{"about": 7}'),), "about"),
        ("payment.payment.failed", SAMPLES[4]["data"], (), "does not belong on booking.booking.confirmed"),
        ("booking.booking.created", SAMPLES[0]["data"], (), "does not belong on booking.booking.confirmed"),
        ("no.such.type", {}, (), "unknown event_type"),
    ],
)
def test_what_is_no_message_of_the_topic_says_why(
    kind: str, data: Any, headers: tuple[tuple[str, bytes], ...], says: str
) -> None:
    topic = LAYOUT.topics[kind if kind.startswith("user.") else "booking.booking.confirmed"]
    with pytest.raises(Undecodable, match=says):
        heard(LAYOUT, record(topic, orjson.dumps(envelope(kind, data)), headers))


@pytest.mark.proves("CAT-37")
def test_what_the_document_has_no_topic_for_is_said_canonically() -> None:
    sample = envelope(
        "payment.payment.settled",
        {
            "payment_id": IDS["y"],
            "booking_id": IDS["b"],
            "user_id": IDS["u"],
            "about": None,
            "amount": 99.99,
            "currency": "USD",
            "provider": "stripe",
            "settlement_id": "po_1",
            "settled_at": "2025-11-25T10:00:00Z",
        },
    )
    news = heard(LAYOUT, record(LAYOUT.events, orjson.dumps(sample)))
    assert LAYOUT.route(news.data) == (LAYOUT.events, IDS["b"])
    with pytest.raises(Undecodable, match=r"does not belong on vacancy\.events"):
        heard(LAYOUT, record(LAYOUT.events, orjson.dumps(SAMPLES[0])))


@pytest.mark.proves("CAT-25")
def test_every_read_topic_has_its_dead_letters() -> None:
    names = {topic.name for topic in LAYOUT.all_topics}
    assert {f"{name}.dlq" for name in LAYOUT.topics} <= names
    assert {f"{service.inbox}.dlq" for service in SERVICES.values()} <= names
    assert "vacancy.payment.effects.dlq" in names


@pytest.mark.proves("CAT-26")
def test_the_payment_service_is_the_documents_group() -> None:
    """The group is the App's id."""
    assert LAYOUT.group(PAYMENT) == "payment-service-group"


@pytest.mark.proves("CAT-01")
def test_the_layout_holds_and_every_type_has_a_topic() -> None:
    assert lint(LAYOUT) == []
    assert set(LAYOUT.route_table()) == set(EVENT_TYPES)
