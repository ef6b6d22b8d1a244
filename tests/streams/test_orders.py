"""The orders layout against its document, typed by hand from it (ORD-01..07, 13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import Undecodable, fields_of
from streams.envelope import derive
from streams.events import Envelope, Event
from streams.events.about import About, Line
from streams.events.booking_news import BookingCreated, InventoryUpdated
from streams.events.notices import EmailSent
from streams.events.payment import PaymentMethod
from streams.events.payment_news import PaymentFailed, PaymentSucceeded
from streams.layout import load_layout
from streams.topics import DAY_MS
from streams.wire.orders import CODEC
from tests.streams.wire_cases import RECORD_TIME, envelopes, erased, heard, record, reveal, said

LAYOUT = load_layout("orders")

#: ORD-07, in the order of the document's flow, and what each carries.
DOCUMENT: list[tuple[str, type[Event]]] = [
    ("order_created", BookingCreated),
    ("payment_successful", PaymentSucceeded),
    ("payment_failed", PaymentFailed),
    ("inventory_updated", InventoryUpdated),
    ("notification_sent", EmailSent),
]
TOPICS = {name: LAYOUT.named[name] for name, _ in DOCUMENT}

TOLD = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


def line(number: int, product: str, quantity: int, price: str, start: datetime = TOLD) -> Line:
    return Line(
        line=number,
        provider_id="stock",
        product_id=product,
        start=start,
        end=start + MOMENT,
        quantity=quantity,
        price_amount=Decimal(price),
    )


LINES = (line(1, "tent", 2, "239.80"), line(2, "lamp", 3, "30.00"))
ABOUT = About(
    kind="order",
    confirmation_number="RSV-2026-000123",
    lines=LINES,
    price_amount=Decimal("269.80"),
    price_currency="EUR",
    guest="key.sealed",
)
ORDER: dict[str, Any] = {"booking_id": "o-1", "user_id": "u-1", "about": ABOUT}
PAID: dict[str, Any] = {
    **ORDER,
    "payment_id": "p-1",
    "amount": Decimal("269.80"),
    "currency": "EUR",
    "provider": "sandbox",
}
PAYMENT = {
    "order_id": "o-1",
    "user_id": "u-1",
    "payment_id": "p-1",
    "amount": 269.80,
    "currency": "EUR",
    "provider": "sandbox",
}
ITEMS = [
    {"product_id": "tent", "quantity": 2, "price": 119.90},
    {"product_id": "lamp", "quantity": 3, "price": 10.00},
]
CREATED: dict[str, Any] = {
    "order_id": "o-1",
    "customer": {
        "user_id": "u-1",
        "email": "guest@example.com",
        "first_name": "Zoë",
        "last_name": "Öster",
        "phone": "+49 30 1234",
    },
    "items": ITEMS,
    "total_amount": 269.80,
    "currency": "EUR",
}
#: ORD-13: the document shows no message; these are ours, topic by topic.
SAMPLES: list[tuple[str, Event, dict[str, Any]]] = [
    (
        "order_created",
        BookingCreated(
            **ORDER,
            product_id="tent",
            provider_id="stock",
            start_time=TOLD,
            end_time=TOLD + MOMENT,
            quantity=5,
            price_amount=Decimal("269.80"),
            price_currency="EUR",
        ),
        CREATED,
    ),
    (
        "payment_successful",
        PaymentSucceeded(
            **PAID,
            provider_payment_id="pi_1",
            payment_method=PaymentMethod(type="card", brand="visa", last4="4242"),
            succeeded_at=TOLD,
        ),
        {
            **PAYMENT,
            "provider_payment_id": "pi_1",
            "payment_method": {"type": "card", "brand": "visa", "last4": "4242"},
        },
    ),
    (
        "payment_failed",
        PaymentFailed(**PAID, error_code="card_declined", error_message="Your card was declined", failed_at=TOLD),
        {**PAYMENT, "error_code": "card_declined", "error_message": "Your card was declined"},
    ),
    (
        "inventory_updated",
        InventoryUpdated(**ORDER, product_id="tent", status="out_of_stock", reason="sold_out", updated_at=TOLD),
        {
            "order_id": "o-1",
            "user_id": "u-1",
            "status": "out_of_stock",
            "reason": "sold_out",
            "items": [{"product_id": "tent", "quantity": 2}, {"product_id": "lamp", "quantity": 3}],
        },
    ),
    (
        "notification_sent",
        EmailSent(
            notification_id="n-1",
            user_id="u-1",
            booking_id="o-1",
            template="order_result",
            message_id="<n-1@vacancy>",
            sent_at=TOLD,
        ),
        {
            "order_id": "o-1",
            "user_id": "u-1",
            "notification_id": "n-1",
            "channel": "email",
            "template": "order_result",
            "message_id": "<n-1@vacancy>",
            "sent_at": "2026-03-01T12:30:00Z",
        },
    ),
]
NAMES = [name for name, *_ in SAMPLES]


def told(event: Event) -> Envelope:
    return Envelope(
        event_id="e-1",
        event_type=event.event_type,
        event_version="1.0",
        timestamp=TOLD,
        correlation_id="c-1",
        data=event,
        source="booking-service",
        causation_id="cause",
    )


def foreign(name: str, body: Any, *headers: tuple[str, bytes]) -> Envelope:
    return heard(LAYOUT, record(TOPICS[name], orjson.dumps(body), headers))


@pytest.mark.proves("ORD-02", "ORD-03", "ORD-04", "ORD-05", "ORD-07", "ORD-13")
@pytest.mark.parametrize(("name", "model"), DOCUMENT)
def test_the_topics_are_the_documents(name: str, model: type[Event]) -> None:
    topic = LAYOUT.topics[name]
    assert topic.carries == (model,)
    assert (topic.partitions, topic.retention_ms) == (3, 7 * DAY_MS)


@pytest.mark.proves("ORD-07")
def test_there_is_no_other_topic() -> None:
    assert list(LAYOUT.topics) == [name for name, _ in DOCUMENT]


@pytest.mark.proves("ORD-13")
@pytest.mark.parametrize(("name", "event", "shown"), SAMPLES, ids=NAMES)
def test_all_that_happens_to_an_order_lies_under_its_id(name: str, event: Event, shown: dict[str, Any]) -> None:
    assert LAYOUT.route(event) == (TOPICS[name], "o-1")


def test_a_mail_about_no_order_lies_under_its_user() -> None:
    welcome = msgspec.structs.replace(SAMPLES[4][1], booking_id=None, template="welcome")
    assert LAYOUT.route(welcome) == (TOPICS["notification_sent"], "u-1")


@pytest.mark.proves("ORD-01", "ORD-02", "ORD-03", "ORD-04", "ORD-05")
def test_the_services_read_what_the_flow_shows() -> None:
    found = {group.name: (group.service, group.subscribes) for group in LAYOUT.groups.values()}
    assert found == {
        "order-service": ("booking", ()),
        "payment-service": ("payment", ("order_created",)),
        "inventory-service": ("availability", ("payment_successful",)),
        "notification-service": ("notification", ("payment_failed", "inventory_updated", "vacancy.events")),
        "vacancy-analytics": (
            "analytics",
            ("order_created", "payment_successful", "payment_failed", "inventory_updated", "vacancy.events"),
        ),
        "vacancy-webhook": ("webhook", (*LAYOUT.topics, "vacancy.events")),
    }
    assert LAYOUT.ports == {"booking": 8001, "payment": 8002, "availability": 8003, "notification": 8004}


@pytest.mark.proves("ORD-03", "ORD-04")
def test_an_order_is_paid_before_stock_is_asked() -> None:
    """C6, C7."""
    assert LAYOUT.confirm_on("order") == LAYOUT.confirm_on("stay") == "payment.captured"
    assert LAYOUT.confirm_on("appointment") == "inventory"


@pytest.mark.proves("ORD-05", "ORD-06")
def test_every_end_of_an_order_is_told_by_a_mail_of_its_own() -> None:
    assert LAYOUT.notices == {
        "mail": {
            "payment.payment.failed": "payment_failed",
            "inventory.order.updated": "order_result",
            "booking.booking.expired": "order_expired",
            "booking.booking.rejected": "order_rejected",
            "booking.booking.cancelled": "booking_cancelled",
            "waitlist.entry.offered": "waitlist_offered",
        },
        "app": {"inventory.order.updated": "order_result"},
    }
    read = {model.event_type for topic in LAYOUT.subscriptions("notification") for model in topic.carries}
    assert set(LAYOUT.notices["mail"]) <= read


@pytest.mark.proves("ORD-13")
@pytest.mark.parametrize(("name", "event", "shown"), SAMPLES, ids=NAMES)
def test_a_message_is_written_field_by_field_and_its_identity_in_headers(
    name: str, event: Event, shown: dict[str, Any]
) -> None:
    """C2."""
    found = said(LAYOUT, told(event))
    assert found.topic == name
    assert orjson.loads(found.value or b"") == shown
    headers = dict(found.headers)
    assert headers["ce_id"] == b"e-1"
    assert headers["ce_time"] == b"2026-03-01T12:30:00+00:00"
    assert headers["correlation_id"] == b"c-1"


@pytest.mark.proves("ORD-13")
@pytest.mark.parametrize(("name", "event", "shown"), SAMPLES, ids=NAMES)
def test_a_message_of_another_program_is_read_from_its_body_alone(
    name: str, event: Event, shown: dict[str, Any]
) -> None:
    news = foreign(name, shown)
    place = derive(f"{name}/0/7")
    assert (news.event_id, news.correlation_id, news.timestamp) == (place, place, RECORD_TIME)
    ours = frozenset({"about", "start_time", "end_time", "succeeded_at", "failed_at", "updated_at"})
    assert fields_of(news.data, without=ours) == fields_of(event, without=ours)


@pytest.mark.proves("ORD-02", "ORD-13")
def test_an_order_of_another_program_takes_its_items_from_stock() -> None:
    headers = (("ce_id", b"e-9"), ("ce_time", b"2026-03-01T13:30:00+01:00"), ("correlation_id", b"c-9"))
    news = foreign("order_created", CREATED, *headers)
    assert (news.event_id, news.correlation_id, news.timestamp) == ("e-9", "c-9", TOLD)
    assert news.personal == {name: value for name, value in CREATED["customer"].items() if name != "user_id"}
    about = msgspec.structs.replace(ABOUT, confirmation_number="", guest=None)
    assert news.data == msgspec.structs.replace(SAMPLES[0][1], about=about)


def test_an_order_may_leave_out_what_follows() -> None:
    """Its total is the sum, its currency EUR, its customer's id that of the address, as the gateway's."""
    news = foreign("order_created", {"order_id": "o-1", "customer": {"email": "A@example.com"}, "items": ITEMS})
    assert isinstance(news.data, BookingCreated)
    assert (news.data.price_amount, news.data.price_currency) == (Decimal("269.80"), "EUR")
    assert news.data.user_id == str(uuid5(uuid5(NAMESPACE_URL, "vacancy:users"), "a@example.com"))
    assert news.personal == {"email": "A@example.com"}


def test_an_order_says_what_its_sender_expects_to_pay() -> None:
    """Whether that is the price is decided where it is booked."""
    news = foreign("order_created", {**CREATED, "total_amount": 1.00})
    assert isinstance(news.data, BookingCreated)
    assert news.data.about is not None
    assert (news.data.price_amount, news.data.about.price_amount) == (Decimal(1), Decimal(1))
    assert news.data.about.lines == (
        line(1, "tent", 2, "239.80", RECORD_TIME),
        line(2, "lamp", 3, "30.00", RECORD_TIME),
    )


def test_an_order_without_lines_shows_its_one_item() -> None:
    event = msgspec.structs.replace(SAMPLES[0][1], about=None, quantity=2)
    found = said(LAYOUT, told(event))
    body = orjson.loads(found.value or b"")
    assert body["items"] == [{"product_id": "tent", "quantity": 2, "price": 134.90}]
    assert set(body["customer"].values()) == {"u-1", None}
    assert heard(LAYOUT, found).data == event


@pytest.mark.proves("ORD-13")
@given(news=envelopes(*(model for _, model in DOCUMENT)), revealed=st.sampled_from([reveal, erased]))
def test_what_is_said_is_heard(news: Envelope, revealed: Any) -> None:
    """Nothing of ours is lost, whatever the message shows; nothing personal is shown of the erased."""
    back = heard(LAYOUT, said(LAYOUT, news, revealed))
    assert msgspec.structs.replace(back, personal={}) == news
    assert not (revealed is erased and back.personal)


def changed(field: str, value: object) -> dict[str, Any]:
    """The sample order with another first item."""
    return {**CREATED, "items": [{**ITEMS[0], field: value}]}


#: What makes an order of another program poison, and what the reason names.
POISON: list[tuple[Any, str]] = [
    ([], "not an envelope"),
    ({}, "order_id: "),
    ({**CREATED, "order_id": ""}, "order_id: "),
    ({**CREATED, "order_id": 17}, "order_id: "),
    ({**CREATED, "customer": None}, "customer: "),
    ({**CREATED, "customer": {}}, "customer.user_id: "),
    ({**CREATED, "customer": {"email": 5}}, "customer.email: "),
    ({**CREATED, "items": []}, "items: "),
    ({**CREATED, "items": {}}, "items: "),
    ({**CREATED, "items": ITEMS[:1] * 101}, "items: "),
    ({**CREATED, "items": ["tent"]}, "items.0: "),
    (changed("product_id", None), "items.0.product_id: "),
    (changed("quantity", 0), "items.0.quantity: "),
    (changed("quantity", 10**12), "items.0.quantity: "),
    (changed("quantity", 1.5), "items.0.quantity: "),
    (changed("price", -1), "items.0.price: "),
    (changed("price", "cheap"), "items.0.price: "),
    ({**CREATED, "total_amount": "NaN"}, "total_amount: "),
    ({**CREATED, "currency": "euro"}, "currency: "),
]


@pytest.mark.parametrize(("body", "says"), POISON)
def test_poison_says_which_field_is_wrong(body: Any, says: str) -> None:
    with pytest.raises(Undecodable, match=f"^(a JSON list, )?{says}"):
        foreign("order_created", body)


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("payment_successful", {"payment_method": "card"}, "data.payment_method"),
        ("payment_successful", {"amount": None}, "data.amount"),
        ("payment_failed", {"user_id": None}, "data.user_id"),
        ("inventory_updated", {"items": "all"}, "items: "),
        ("inventory_updated", {"items": []}, "data.product_id"),
        ("inventory_updated", {"status": "lost"}, "data.status"),
        ("notification_sent", {"template": 5}, "data.template"),
    ],
)
def test_poison_of_the_other_topics_says_which_field_is_wrong(name: str, change: dict[str, Any], says: str) -> None:
    sample = next(shown for each, _, shown in SAMPLES if each == name)
    with pytest.raises(Undecodable, match=f"^{says}"):
        foreign(name, {**sample, **change})


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59.5+00:00", "soon"])
def test_a_time_beyond_the_calendar_is_poison(time: str) -> None:
    with pytest.raises(Undecodable):
        foreign("order_created", CREATED, ("ce_time", time.encode()))


_VALUES = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text()


@given(
    body=st.dictionaries(
        st.sampled_from(sorted({field for *_, shown in SAMPLES for field in shown})),
        st.recursive(
            _VALUES,
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["email", "product_id", "price"]), inner),
            max_leaves=4,
        ),
    ),
    sample=st.sampled_from(SAMPLES),
)
def test_whatever_another_program_writes_is_a_message_or_poison(
    body: dict[str, Any], sample: tuple[str, Event, dict[str, Any]]
) -> None:
    name, event, shown = sample
    try:
        found = foreign(name, {**shown, **body}).data
    except Undecodable:
        found = None
    assert found is None or isinstance(found, type(event))


def test_names_in_a_namespace_are_read_too() -> None:
    """The topic says what its messages are, whatever it is called on the broker."""
    topic = replace(TOPICS["order_created"], name="blue.order_created")
    assert CODEC.decode(record(topic, orjson.dumps(CREATED)), topic).event_type == "booking.booking.created"
