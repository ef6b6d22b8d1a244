"""The campsite layout against its document, typed by hand from it (CAMP-02..13, 21, 22, 25)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import Undecodable, fields_of
from streams.events import Envelope, Event
from streams.events.about import About, Line
from streams.events.booking_news import BookingCancelled, BookingCompleted, BookingConfirmed, BookingCreated
from streams.events.payment import PaymentMethod
from streams.events.payment_news import PaymentRefundedEvent, PaymentSucceeded
from streams.events.users import UserCreated, UserUpdated
from streams.layout import load_layout
from streams.layout_file import Profile
from streams.topics import DAY_MS
from tests.streams.wire_cases import envelopes, erased, heard, record, reveal, said

LAYOUT = load_layout("campsite")
BOOKINGS, USERS, PAYMENTS = (LAYOUT.named[name] for name in ("booking-events", "user-events", "payment-events"))

#: CAMP-05..07: topic, partitions, retention in days, key (ours, CAMP-25), and the events inside it.
DOCUMENT: list[tuple[str, int, int, str, dict[str, type[Event]]]] = [
    (
        "booking-events",
        3,
        7,
        "booking_id",
        {
            "BookingCreated": BookingCreated,
            "BookingConfirmed": BookingConfirmed,
            "BookingCancelled": BookingCancelled,
            "BookingCompleted": BookingCompleted,
        },
    ),
    ("user-events", 1, 7, "user_id", {"UserCreated": UserCreated, "UserUpdated": UserUpdated}),
    (
        "payment-events",
        2,
        30,
        "booking_id",
        {"PaymentProcessed": PaymentSucceeded, "RefundProcessed": PaymentRefundedEvent},
    ),
]
CARRIED = tuple(model for *_, events in DOCUMENT for model in events.values())

IDS = {name: f"6f1c2e34-0000-4000-8000-0000000002{number:02}" for number, name in enumerate("ebgcupr")}
TOLD = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
#: The document's own samples, with "guid" written out (CAMP-12, 13).
CREATED = {
    "EventId": IDS["e"],
    "EventType": "BookingCreated",
    "Timestamp": "2024-01-15T10:30:00Z",
    "BookingId": IDS["b"],
    "GuestId": IDS["g"],
    "CampsiteId": IDS["c"],
    "CheckInDate": "2024-06-01",
    "CheckOutDate": "2024-06-07",
    "TotalPrice": 1500.00,
    "GuestEmail": "guest@example.com",
}
REGISTERED = {
    "EventId": IDS["e"],
    "EventType": "UserCreated",
    "Timestamp": "2024-01-15T10:30:00Z",
    "UserId": IDS["u"],
    "Email": "user@example.com",
    "FirstName": "John",
    "LastName": "Doe",
}
#: What the samples say, in our own words: the campsite lies in Berlin, where June is two hours before UTC.
START, END = datetime(2024, 5, 31, 22, tzinfo=UTC), datetime(2024, 6, 6, 22, tzinfo=UTC)
ABOUT = About(
    kind="stay",
    confirmation_number="RSV-2024-000123",
    lines=(
        Line(
            line=1,
            provider_id=IDS["c"],
            product_id="pitch",
            start=START,
            end=END,
            quantity=1,
            price_amount=Decimal("1500.00"),
        ),
    ),
    price_amount=Decimal("1500.00"),
    price_currency="EUR",
    time_zone="Europe/Berlin",
    guest="key.sealed",
)
BOOKED: dict[str, Any] = {"booking_id": IDS["b"], "user_id": IDS["g"], "product_id": "pitch", "about": ABOUT}
PRICE: dict[str, Any] = {"price_amount": Decimal("1500.00"), "price_currency": "EUR"}
PAID: dict[str, Any] = {
    "payment_id": IDS["p"],
    "booking_id": IDS["b"],
    "user_id": IDS["g"],
    "about": ABOUT,
    "currency": "EUR",
    "provider": "sandbox",
}
#: CAMP-25: what the document leaves open, as we show it: each event beside what all of its kind show.
STAY = {name: CREATED[name] for name in ("BookingId", "GuestId", "CampsiteId", "CheckInDate", "CheckOutDate")}
GUEST = {"GuestEmail": "guest@example.com"}
TOTAL = {"TotalPrice": 1500.00}
PAYMENT = {"PaymentId": IDS["p"], "BookingId": IDS["b"], "GuestId": IDS["g"], "CampsiteId": IDS["c"], **GUEST}
SHOWN: list[tuple[str, Event, dict[str, Any]]] = [
    (
        "BookingCreated",
        BookingCreated(**BOOKED, **PRICE, provider_id=IDS["c"], start_time=START, end_time=END, quantity=1),
        {**STAY, **TOTAL, **GUEST},
    ),
    (
        "BookingConfirmed",
        BookingConfirmed(**BOOKED, **PRICE, payment_id=IDS["p"], confirmed_at=TOLD),
        {**STAY, **TOTAL, **GUEST, "Currency": "EUR", "PaymentId": IDS["p"]},
    ),
    (
        "BookingCancelled",
        BookingCancelled(
            **BOOKED,
            payment_id=IDS["p"],
            cancelled_at=TOLD,
            cancellation_reason="rain",
            refund_eligible=True,
            refund_amount=Decimal("750.00"),
            refund_currency="EUR",
            cancelled_by="guest",
        ),
        {
            **STAY,
            **TOTAL,
            **GUEST,
            "PaymentId": IDS["p"],
            "CancellationReason": "rain",
            "CancelledBy": "guest",
            "RefundAmount": 750.00,
            "Currency": "EUR",
        },
    ),
    ("BookingCompleted", BookingCompleted(**BOOKED, completed_at=TOLD), {**STAY, **TOTAL, **GUEST}),
    (
        "UserCreated",
        UserCreated(user_id=IDS["u"], personal="key.sealed", created_at=TOLD),
        {"UserId": IDS["u"], "Email": "user@example.com", "FirstName": "John", "LastName": "Doe"},
    ),
    (
        "UserUpdated",
        UserUpdated(user_id=IDS["u"], personal="key.sealed", updated_at=TOLD),
        {"UserId": IDS["u"], "Email": "user@example.com", "FirstName": "John", "LastName": "Doe"},
    ),
    (
        "PaymentProcessed",
        PaymentSucceeded(
            **PAID,
            amount=Decimal("1500.00"),
            provider_payment_id="pi_1",
            payment_method=PaymentMethod(type="card", brand="visa", last4="4242"),
            succeeded_at=TOLD,
        ),
        {
            **PAYMENT,
            "Amount": 1500.00,
            "Currency": "EUR",
            "Provider": "sandbox",
            "ProviderPaymentId": "pi_1",
            "PaymentMethod": "card",
            "CardBrand": "visa",
            "CardLast4": "4242",
        },
    ),
    (
        "RefundProcessed",
        PaymentRefundedEvent(
            **PAID,
            refund_id=IDS["r"],
            amount=Decimal("750.00"),
            provider_refund_id="re_1",
            reason="rain",
            refunded_at=TOLD,
        ),
        {
            **PAYMENT,
            "RefundId": IDS["r"],
            "Amount": 750.00,
            "Currency": "EUR",
            "Provider": "sandbox",
            "ProviderRefundId": "re_1",
            "Reason": "rain",
        },
    ),
]


def told(event: Event) -> Envelope:
    return Envelope(
        event_id=IDS["e"],
        event_type=event.event_type,
        event_version="1.0",
        timestamp=TOLD,
        correlation_id="c",
        data=event,
        source="booking-service",
        causation_id="cause",
    )


def knowing(user_id: str, sealed: str | None) -> dict[str, Any]:
    """What the samples show of the guest and of the user."""
    guest = {"email": "guest@example.com", "first_name": "Ada", "last_name": "Guest", "phone": "+49 30 1"}
    return guest if user_id == IDS["g"] else {"email": "user@example.com", "first_name": "John", "last_name": "Doe"}


def foreign(topic: Any, **body: Any) -> Envelope:
    return heard(LAYOUT, record(topic, orjson.dumps(body)))


@pytest.mark.proves("CAMP-02", "CAMP-03", "CAMP-04", "CAMP-05", "CAMP-06", "CAMP-07", "CAMP-25")
@pytest.mark.parametrize(("name", "partitions", "days", "key", "events"), DOCUMENT)
def test_the_topics_are_the_documents(
    name: str, partitions: int, days: int, key: str, events: dict[str, type[Event]]
) -> None:
    topic = LAYOUT.topics[name]
    assert (topic.partitions, topic.retention_ms, topic.key) == (partitions, days * DAY_MS, key)
    assert topic.carries == tuple(events.values())
    assert topic.names == {model.event_type: shown for shown, model in events.items()}


@pytest.mark.proves("CAMP-05", "CAMP-06", "CAMP-07")
def test_there_are_three_topics_with_one_replica() -> None:
    assert list(LAYOUT.topics) == ["booking-events", "user-events", "payment-events"]
    assert LAYOUT.replication == {"local": 1, "production": 1}


@pytest.mark.proves("CAMP-08", "CAMP-10", "CAMP-11", "CAMP-15", "CAMP-17")
def test_the_groups_are_the_documents() -> None:
    found = {group.name: (group.service, group.subscribes) for group in LAYOUT.groups.values()}
    assert found == {
        "email-consumer-group": ("mail", ("booking-events", "user-events", "payment-events", "vacancy.events")),
        "notification-consumer-group": ("notification", ("booking-events", "payment-events", "vacancy.events")),
        "analytics-consumer-group": ("analytics", ("booking-events", "payment-events")),
        # Ours.
        "vacancy-webhook": ("webhook", ("booking-events", "user-events", "payment-events", "vacancy.events")),
    }
    assert LAYOUT.subscriptions("mail") == (BOOKINGS, USERS, PAYMENTS, LAYOUT.events)


@pytest.mark.proves("CAMP-09", "CAMP-10", "CAMP-25", "C17")
def test_the_documents_actions_have_a_text_each() -> None:
    assert LAYOUT.notices == {
        "mail": {
            "booking.booking.created": "booking_received",
            "booking.booking.cancelled": "booking_cancelled",
            "user.user.created": "welcome",
            "payment.payment.succeeded": "receipt",
            "payment.payment.refunded": "refund",
            "payment.payment.failed": "payment_failed",
            "waitlist.entry.offered": "waitlist_offered",
            "notification.reminder.due": "reminder",
        },
        "sms": {
            "booking.booking.confirmed": "booking_confirmed",
            "booking.booking.cancelled": "booking_cancelled",
            "payment.payment.failed": "payment_failed",
            "waitlist.entry.offered": "waitlist_offered",
            "notification.reminder.due": "reminder",
        },
        "app": {
            "booking.booking.created": "booking_received",
            "booking.booking.confirmed": "booking_confirmed",
            "payment.payment.succeeded": "payment_received",
            "notification.reminder.due": "reminder",
            "booking.booking.rejected": "booking_rejected",
            "booking.booking.expired": "booking_expired",
        },
    }


@pytest.mark.proves("CAMP-21", "CAMP-22")
def test_the_profile_is_the_documents() -> None:
    assert LAYOUT.profile == Profile(
        acks=1, compression="gzip", batch_bytes=16384, linger_ms=10, max_poll_records=500, session_timeout=30.0
    )


@pytest.mark.proves("CAMP-12", "CAMP-13", "CAMP-25")
@pytest.mark.parametrize(("name", "event", "shown"), SHOWN, ids=[name for name, *_ in SHOWN])
def test_every_event_shows_what_its_schema_shows(name: str, event: Event, shown: dict[str, Any]) -> None:
    written = orjson.loads(said(LAYOUT, told(event), knowing).value or b"")
    head = {"EventId": IDS["e"], "EventType": name, "Timestamp": "2024-01-15T10:30:00Z"}
    assert written == {**head, **shown}
    assert list(written)[:3] == list(head)


@pytest.mark.proves("CAMP-12", "CAMP-13")
@pytest.mark.parametrize(("sample", "event"), [(CREATED, SHOWN[0][1]), (REGISTERED, SHOWN[4][1])])
def test_the_documents_samples_are_written_field_by_field(sample: dict[str, Any], event: Event) -> None:
    written = said(LAYOUT, told(event), knowing).value or b""
    assert orjson.loads(written) == sample
    assert list(orjson.loads(written)) == list(sample)


@pytest.mark.proves("CAMP-12")
@pytest.mark.parametrize("name", ["BookingCreated", "BookingCreatedEvent"])
def test_the_documents_booking_of_another_program_is_read_whole(name: str) -> None:
    news = foreign(BOOKINGS, **{**CREATED, "EventType": name})
    start, end = datetime(2024, 6, 1, tzinfo=UTC), datetime(2024, 6, 7, tzinfo=UTC)
    line = Line(
        line=1,
        provider_id=IDS["c"],
        product_id="pitch",
        start=start,
        end=end,
        quantity=1,
        price_amount=Decimal(1500),
    )
    assert news == Envelope(
        event_id=IDS["e"],
        event_type="booking.booking.created",
        event_version="1.0",
        timestamp=TOLD,
        correlation_id=IDS["e"],
        source="unknown",
        personal={"email": "guest@example.com"},
        data=BookingCreated(
            booking_id=IDS["b"],
            user_id=IDS["g"],
            product_id="pitch",
            provider_id=IDS["c"],
            start_time=start,
            end_time=end,
            quantity=1,
            price_amount=Decimal(1500),
            price_currency="EUR",
            about=About(kind="stay", lines=(line,), price_amount=Decimal(1500), price_currency="EUR"),
        ),
    )


@pytest.mark.proves("CAMP-13")
def test_the_documents_user_of_another_program_is_read_whole() -> None:
    news = foreign(USERS, **REGISTERED)
    assert news.data == UserCreated(user_id=IDS["u"], personal="", created_at=TOLD)
    assert news.personal == {"email": "user@example.com", "first_name": "John", "last_name": "Doe"}


@pytest.mark.proves("CAMP-25")
@pytest.mark.parametrize(("name", "event", "shown"), SHOWN, ids=[name for name, *_ in SHOWN])
def test_every_schema_of_ours_is_read_without_headers(name: str, event: Event, shown: dict[str, Any]) -> None:
    topic, _ = LAYOUT.route(event)
    news = foreign(topic, EventId="x", EventType=name, Timestamp="2024-01-15T10:30:00Z", **shown)
    ours = frozenset({"about", "personal", "start_time", "end_time"})
    assert fields_of(news.data, without=ours) == fields_of(event, without=ours)
    assert getattr(news.data, "cancelled_by", None) == getattr(event, "cancelled_by", None)


@pytest.mark.proves("CAMP-25")
def test_a_cancellation_of_another_program_needs_no_more_than_booking_and_guest() -> None:
    body = {"EventId": "x", "EventType": "BookingCancelled", "Timestamp": "2024-01-15T10:30:00Z"}
    news = foreign(BOOKINGS, **body, BookingId=IDS["b"], GuestId=IDS["g"])
    assert isinstance(news.data, BookingCancelled)
    assert (news.data.booking_id, news.data.about, news.data.refund_eligible) == (IDS["b"], None, False)
    assert (news.data.cancelled_at, news.personal) == (TOLD, {})


def test_a_guest_without_an_id_has_the_one_that_follows_from_the_address() -> None:
    """The same as the gateway's (design 3)."""
    news = foreign(BOOKINGS, **{**CREATED, "GuestId": None, "GuestEmail": "Guest@Example.com"})
    assert isinstance(news.data, BookingCreated)
    assert news.data.user_id == str(uuid5(uuid5(NAMESPACE_URL, "vacancy:users"), "guest@example.com"))


def test_a_currency_is_read_where_there_is_one() -> None:
    news = foreign(BOOKINGS, **CREATED, Currency="CHF")
    assert isinstance(news.data, BookingCreated)
    assert news.data.about is not None
    assert (news.data.price_currency, news.data.about.price_currency) == ("CHF", "CHF")


@pytest.mark.proves("CAMP-12", "CAMP-25")
@given(news=envelopes(*CARRIED), revealed=st.sampled_from([reveal, erased]))
def test_what_is_said_is_heard(news: Envelope, revealed: Any) -> None:
    """Nothing of ours is lost, whatever the document has a place for; nothing personal is shown of the erased."""
    found = said(LAYOUT, news, revealed)
    back = heard(LAYOUT, found)
    assert msgspec.structs.replace(back, personal={}) == news
    assert not (revealed is erased and back.personal)


@pytest.mark.proves("CAMP-12")
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati", "Africa/Cairo", "UTC"]),
    first=st.dates(date(1975, 1, 1), date(2099, 1, 1)),
    nights=st.integers(1, 60),
)
def test_a_stay_has_the_dates_of_its_place(zone: str, first: date, nights: int) -> None:
    last = first + timedelta(days=nights)
    start, end = (datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)) for day in (first, last))
    line = msgspec.structs.replace(ABOUT.lines[0], start=start.astimezone(UTC), end=end.astimezone(UTC))
    about = msgspec.structs.replace(ABOUT, lines=(line,), time_zone=zone)
    found = orjson.loads(said(LAYOUT, told(msgspec.structs.replace(SHOWN[0][1], about=about))).value or b"")
    assert (found["CheckInDate"], found["CheckOutDate"]) == (first.isoformat(), last.isoformat())


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        (datetime(2024, 6, 1, 9, tzinfo=UTC), datetime(2024, 6, 1, 10, tzinfo=UTC), ("2024-06-01", "2024-06-02")),
        (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), ("0001-01-01", "9999-12-31")),
        (datetime(9999, 12, 31, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), ("9999-12-31", "9999-12-31")),
    ],
)
def test_less_than_a_night_and_the_ends_of_the_calendar_are_written_too(
    start: datetime, end: datetime, shown: tuple[str, str]
) -> None:
    event = msgspec.structs.replace(SHOWN[0][1], about=None, start_time=start, end_time=end)
    found = said(LAYOUT, told(event))
    body = orjson.loads(found.value or b"")
    assert (body["CheckInDate"], body["CheckOutDate"], body["GuestEmail"]) == (*shown, None)
    assert heard(LAYOUT, found).data == event


WITHOUT_GUEST = {name: value for name, value in CREATED.items() if name not in ("GuestId", "GuestEmail")}
#: What makes a booking of another program poison, and what the reason names.
POISON: list[tuple[dict[str, Any], str]] = [
    ({}, "EventType: "),
    ({**CREATED, "EventType": 5}, "EventType: "),
    ({**CREATED, "EventType": "BookingEaten"}, "BookingEaten"),
    ({**CREATED, "EventType": "UserCreated"}, "UserCreated"),
    ({**CREATED, "EventId": None}, "EventId: "),
    ({**CREATED, "Timestamp": "yesterday"}, "yesterday"),
    ({**CREATED, "Timestamp": 17}, "Timestamp: "),
    ({**CREATED, "BookingId": None}, "BookingId: "),
    ({**CREATED, "BookingId": "x" * 101}, "BookingId: "),
    ({**CREATED, "CampsiteId": ""}, "CampsiteId: "),
    ({**CREATED, "CheckInDate": "2024-02-30"}, "CheckInDate: "),
    ({**CREATED, "CheckOutDate": 20240607}, "CheckOutDate: "),
    ({**CREATED, "CheckOutDate": None}, "CheckOutDate: "),
    ({**CREATED, "TotalPrice": "much"}, "TotalPrice: "),
    ({**CREATED, "TotalPrice": "Infinity"}, "TotalPrice: "),
    ({**CREATED, "GuestEmail": ["a"]}, "GuestEmail: "),
    ({**CREATED, "Currency": "euro"}, "price_currency: "),
    (WITHOUT_GUEST, "GuestId: "),
]


@pytest.mark.parametrize(("body", "says"), POISON)
def test_poison_says_which_field_is_wrong(body: dict[str, Any], says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        foreign(BOOKINGS, **body)


@pytest.mark.parametrize(
    ("topic", "body", "says"),
    [
        (USERS, {**REGISTERED, "Email": 5}, "Email: "),
        (USERS, {name: value for name, value in REGISTERED.items() if name != "Email"}, "Email: "),
        (USERS, {**REGISTERED, "UserId": None, "Email": None}, "UserId: "),
        (PAYMENTS, {**REGISTERED, "EventType": "PaymentProcessed"}, "GuestId: "),
        (
            PAYMENTS,
            {**REGISTERED, "EventType": "PaymentProcessed", "GuestId": "g", "PaymentId": "p", "Amount": "x"},
            "data.amount",
        ),
    ],
)
def test_poison_of_users_and_payments_says_which_field_is_wrong(topic: Any, body: dict[str, Any], says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        foreign(topic, **body)


@given(
    body=st.dictionaries(
        st.sampled_from(sorted({*CREATED, *REGISTERED, "Amount", "PaymentMethod", "RefundAmount"})),
        st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=3),
    ),
    name=st.sampled_from([shown for *_, events in DOCUMENT for shown in events]),
    topic=st.sampled_from([BOOKINGS, USERS, PAYMENTS]),
)
def test_whatever_another_program_writes_is_a_message_or_poison(body: dict[str, Any], name: str, topic: Any) -> None:
    try:
        found = foreign(topic, **{**CREATED, **body, "EventType": name}).data
    except Undecodable:
        found = None
    assert found is None or isinstance(found, topic.carries)
