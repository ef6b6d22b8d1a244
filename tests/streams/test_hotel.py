"""The hotel layout against its document, typed by hand from it (HTL-02..12, 18, 19, 30, 31, 33, 35..38)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Settings
from streams.codec import Undecodable
from streams.events import Envelope, Event
from streams.events.about import About, Line
from streams.events.analytics import AnalyticsTracked
from streams.events.availability import NightOverbooked, NightUpdated
from streams.events.booking_news import (
    BookingCancellationCompleted,
    BookingCancelled,
    BookingCheckedIn,
    BookingCompleted,
    BookingConfirmed,
    BookingCreated,
    BookingUpdated,
)
from streams.events.payment import PaymentMethod
from streams.events.payment_news import (
    PaymentAuthorizedNews,
    PaymentCreated,
    PaymentFailed,
    PaymentRefundedEvent,
    PaymentSettled,
    PaymentSucceeded,
)
from streams.events.rate import RateApplied, RateUpdated
from streams.foreign import REQUESTS
from streams.layout import load_layout
from streams.lint import lint
from streams.topics import DAY_MS
from tests.streams.wire_cases import RECORD_TIME, envelopes, erased, heard, record, reveal, said

LAYOUT = load_layout("hotel")

#: HTL-08..10: the topics, and what each carries. Checking in and out, prices and nights among them.
DOCUMENT: dict[str, type[Event]] = {
    "reservation.created": BookingCreated,
    "reservation.confirmed": BookingConfirmed,
    "reservation.modified": BookingUpdated,
    "reservation.cancelled": BookingCancelled,
    "reservation.cancellation_completed": BookingCancellationCompleted,
    "reservation.checkin": BookingCheckedIn,
    "reservation.checkout": BookingCompleted,
    "payment.initiated": PaymentCreated,
    "payment.authorized": PaymentAuthorizedNews,
    "payment.captured": PaymentSucceeded,
    "payment.failed": PaymentFailed,
    "payment.refunded": PaymentRefundedEvent,
    "payment.settled": PaymentSettled,
    "rate.updated": RateUpdated,
    "rate.applied": RateApplied,
    "availability.updated": NightUpdated,
    "availability.overbooked": NightOverbooked,
    "analytics.reservation": AnalyticsTracked,
}
RESERVATIONS = tuple(name for name in DOCUMENT if name.startswith("reservation."))
#: HTL-19, 24, 25, 29, 30, 33: group, service, and what it reads. The first and the last three named in the manner of
#: the document's two; the notices are ours.
GROUPS = [
    ("reservation-engine-group", "booking", {"payment.authorized"}),
    (
        "availability-calculator-group",
        "availability",
        {"reservation.created", "reservation.modified", "reservation.cancelled"},
    ),
    ("payment-processor-group", "payment", {"reservation.created", "reservation.cancelled"}),
    ("rate-management-group", "rate", {"reservation.created", "availability.updated"}),
    ("analytics-engine-group", "analytics", {*DOCUMENT, "vacancy.events"} - {"analytics.reservation"}),
    (
        "vacancy-notification",
        "notification",
        {*RESERVATIONS, "payment.failed", "payment.refunded", "vacancy.events"}
        - {"reservation.cancellation_completed"},
    ),
]

TOLD = datetime(2025, 10, 6, 9, 30, tzinfo=UTC)
#: New York's midnights lie four hours after UTC's in October.
START, END = datetime(2025, 10, 10, 4, tzinfo=UTC), datetime(2025, 10, 13, 4, tzinfo=UTC)
ABOUT = About(
    kind="stay",
    confirmation_number="RSV-2025-001234",
    lines=(
        Line(
            line=1,
            provider_id="PROP-001",
            product_id="double",
            start=START,
            end=END,
            quantity=2,
            price_amount=Decimal("899.94"),
        ),
    ),
    price_amount=Decimal("899.94"),
    price_currency="USD",
    time_zone="America/New_York",
    guest="key.sealed",
)
BOOKED: dict[str, Any] = {"booking_id": "b-1", "user_id": "u-1", "product_id": "double", "about": ABOUT}
PRICE: dict[str, Any] = {"price_amount": Decimal("899.94"), "price_currency": "USD"}
TIMES: dict[str, Any] = {"start_time": START, "end_time": END, "quantity": 2}
PAID: dict[str, Any] = {
    "payment_id": "p-1",
    "booking_id": "b-1",
    "user_id": "u-1",
    "about": ABOUT,
    "amount": Decimal("899.94"),
    "currency": "USD",
    "provider": "sandbox",
}
METHOD = PaymentMethod(type="card", brand="visa", last4="4242")
ROOM: dict[str, Any] = {"provider_id": "PROP-001", "product_id": "double"}

#: HTL-18, its objects filled: what they hold is ours, the document shows "{...}".
STAY = {"reservationId": "b-1", "unitType": "double", "checkIn": "2025-10-10", "checkOut": "2025-10-13", "quantity": 2}
GUEST = {"guestId": "u-1", "email": "ada@example.com", "firstName": "Ada", "lastName": "Guest", "phone": None}
PRICING = {"totalPrice": 899.94, "currency": "USD"}


def reservation(name: str, status: str, stay: dict[str, Any], price: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventId": "e-1",
        "eventType": name,
        "confirmationNumber": "RSV-2025-001234",
        "propertyId": "PROP-001",
        "guestDetails": GUEST,
        "stayDetails": {**STAY, "status": status, **stay},
        "pricingDetails": {**PRICING, **price},
    }


def payment(name: str, **more: Any) -> dict[str, Any]:
    return {
        "eventId": "e-1",
        "eventType": name,
        "propertyId": "PROP-001",
        "confirmationNumber": "RSV-2025-001234",
        "paymentId": "p-1",
        "reservationId": "b-1",
        "guestId": "u-1",
        "amount": 899.94,
        "currency": "USD",
        "provider": "sandbox",
        **more,
    }


def of_room(name: str, **more: Any) -> dict[str, Any]:
    return {"eventId": "e-1", "eventType": name, "propertyId": "PROP-001", "unitType": "double", **more}


CREATED = reservation("reservation.created", "PENDING", {}, {})
CARD = {"type": "card", "brand": "visa", "last4": "4242"}
SAMPLES: list[tuple[Event, dict[str, Any]]] = [
    (BookingCreated(**BOOKED, **PRICE, **TIMES, provider_id="PROP-001"), CREATED),
    (
        BookingConfirmed(**BOOKED, **PRICE, payment_id="p-1", confirmed_at=TOLD),
        reservation("reservation.confirmed", "CONFIRMED", {}, {"paymentId": "p-1"}),
    ),
    (
        BookingUpdated(**BOOKED, **PRICE, **TIMES, status="CONFIRMED", revision=2, updated_at=TOLD),
        reservation("reservation.modified", "CONFIRMED", {}, {}),
    ),
    (
        BookingCancelled(
            **BOOKED,
            payment_id="p-1",
            cancelled_at=TOLD,
            cancellation_reason="plans changed",
            refund_eligible=True,
            refund_amount=Decimal("899.94"),
            refund_currency="USD",
            cancelled_by="guest",
        ),
        reservation(
            "reservation.cancelled",
            "CANCELLED",
            {"reason": "plans changed", "cancelledBy": "guest"},
            {"paymentId": "p-1", "refundEligible": True, "refundAmount": 899.94, "refundCurrency": "USD"},
        ),
    ),
    (
        BookingCancellationCompleted(
            **BOOKED,
            cancelled_at=TOLD,
            completed_at=TOLD,
            refunded_amount=Decimal("899.94"),
            refund_currency="USD",
        ),
        reservation(
            "reservation.cancellation_completed",
            "CANCELLED",
            {},
            {"refundCurrency": "USD", "refundedAmount": 899.94},
        ),
    ),
    (BookingCheckedIn(**BOOKED, checked_in_at=TOLD), reservation("reservation.checkin", "CHECKED_IN", {}, {})),
    (BookingCompleted(**BOOKED, completed_at=TOLD), reservation("reservation.checkout", "COMPLETED", {}, {})),
    (PaymentCreated(**PAID, created_at=TOLD), payment("payment.initiated", status="PENDING")),
    (
        PaymentAuthorizedNews(**PAID, provider_payment_id="pi_1", payment_method=METHOD, authorized_at=TOLD),
        payment("payment.authorized", providerPaymentId="pi_1", paymentMethod=CARD),
    ),
    (
        PaymentSucceeded(**PAID, provider_payment_id="pi_1", payment_method=METHOD, succeeded_at=TOLD),
        payment("payment.captured", providerPaymentId="pi_1", paymentMethod=CARD),
    ),
    (
        PaymentFailed(**PAID, error_code="card_declined", error_message="Your card was declined", failed_at=TOLD),
        payment("payment.failed", errorCode="card_declined", errorMessage="Your card was declined"),
    ),
    (
        PaymentRefundedEvent(**PAID, refund_id="r-1", provider_refund_id="re_1", reason="rain", refunded_at=TOLD),
        payment("payment.refunded", refundId="r-1", providerRefundId="re_1", reason="rain"),
    ),
    (
        PaymentSettled(**PAID, settlement_id="s-1", settled_at=TOLD),
        payment("payment.settled", settlementId="s-1"),
    ),
    (RateUpdated(**ROOM, **PRICE, updated_at=TOLD), of_room("rate.updated", price=899.94, currency="USD")),
    (
        RateUpdated(
            **ROOM,
            **PRICE,
            updated_at=TOLD,
            slot="2025-10-10",
            rate_plan="flex",
            previous_price=Decimal("799.5"),
        ),
        {
            **of_room("rate.updated", price=899.94, currency="USD"),
            "slot": "2025-10-10",
            "ratePlan": "flex",
            "previousPrice": 799.5,
        },
    ),
    (
        RateApplied(**ROOM, **PRICE, booking_id="b-1", applied_at=TOLD),
        of_room("rate.applied", price=899.94, currency="USD", reservationId="b-1"),
    ),
    (
        NightUpdated(**ROOM, slot="2025-10-10", capacity=10, held=2, free=8, updated_at=TOLD),
        of_room("availability.updated", slot="2025-10-10", capacity=10, held=2, free=8),
    ),
    (
        NightOverbooked(**ROOM, slot="2025-10-10", capacity=1, overbooking_limit=0, held=2, detected_at=TOLD),
        of_room("availability.overbooked", slot="2025-10-10", capacity=1, held=2, overbookingLimit=0),
    ),
    (
        AnalyticsTracked(
            tracked_id="t-1",
            name="booking.booking.created",
            entity_id="b-1",
            provider_id="PROP-001",
            properties={"nights": 3},
            tracked_at=TOLD,
        ),
        {
            "eventId": "e-1",
            "eventType": "analytics.reservation",
            "propertyId": "PROP-001",
            "trackedId": "t-1",
            "name": "booking.booking.created",
            "entityId": "b-1",
            "properties": {"nights": 3},
        },
    ),
]


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


def ada(user_id: str, sealed: str | None) -> dict[str, Any]:
    return {"email": "ada@example.com", "first_name": "Ada", "last_name": "Guest"} if sealed else {}


def foreign(body: dict[str, Any], topic: str | None = None, offset: int = 7) -> Envelope:
    named = LAYOUT.named[topic or body["eventType"]]
    return heard(LAYOUT, record(named, orjson.dumps(body), offset=offset))


def changed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The body with another value at a path like `stayDetails.checkIn`."""
    head, _, rest = path.partition(".")
    return {**body, head: changed(body[head], rest, value) if rest else value}


@pytest.mark.proves("HTL-08", "HTL-09", "HTL-10", "HTL-11")
@pytest.mark.parametrize(("name", "model"), DOCUMENT.items())
def test_the_topics_are_the_documents(name: str, model: type[Event]) -> None:
    topic = LAYOUT.topics[name]
    assert (topic.partitions, topic.retention_ms, topic.key) == (3, 7 * DAY_MS, "property_id")
    assert topic.carries == (model,)
    assert dict(topic.names) == {model.event_type: name}


@pytest.mark.proves("HTL-08", "HTL-09", "HTL-10", "HTL-11", "HTL-37")
def test_nothing_is_named_beside_the_document() -> None:
    assert set(LAYOUT.topics) == set(DOCUMENT)
    assert LAYOUT.replication == {"local": 1, "production": 3}
    assert LAYOUT.retry_delays == (0.1, 0.2, 0.4, 0.8, 1.6)
    assert LAYOUT.dead_letter_after == 5
    assert lint(LAYOUT) == []
    assert LAYOUT.differences == ()


@pytest.mark.proves("HTL-38")
def test_a_topics_dead_letters_carry_its_name() -> None:
    assert "reservation.created.dlq" in {topic.name for topic in LAYOUT.all_topics}


@pytest.mark.proves("HTL-11", "HTL-12", "HTL-19", "HTL-24", "HTL-25", "HTL-29", "HTL-30", "HTL-31", "HTL-33")
@pytest.mark.parametrize(("group", "service", "topics"), GROUPS)
def test_the_groups_are_the_documents(group: str, service: str, topics: set[str]) -> None:
    assert LAYOUT.group(service) == group
    assert {topic.name for topic in LAYOUT.subscriptions(service)} == topics


@pytest.mark.proves("HTL-12", "HTL-19", "HTL-34")
def test_a_reservation_is_read_by_four_services_at_once() -> None:
    readers = {name for name in LAYOUT.groups if LAYOUT.topics["reservation.created"] in LAYOUT.subscriptions(name)}
    assert readers >= {"availability", "payment", "rate", "analytics"}
    assert set(LAYOUT.groups) == {*(service for _, service, _ in GROUPS), "webhook"}


@pytest.mark.proves("HTL-02", "HTL-03", "HTL-04", "HTL-05", "HTL-06")
def test_the_ports_are_the_documents() -> None:
    assert LAYOUT.ports == {"booking": 8081, "availability": 8082, "rate": 8083, "payment": 8084, "analytics": 8086}


@pytest.mark.proves("HTL-24")
def test_a_reservation_is_confirmed_on_an_authorization() -> None:
    assert LAYOUT.confirm_on("stay") == "payment.authorized"
    assert LAYOUT.confirm_on("appointment") == "inventory"


@pytest.mark.proves("HTL-08", "HTL-09", "HTL-10", "HTL-18")
@pytest.mark.parametrize(("event", "shown"), SAMPLES, ids=[type(event).__name__ for event, _ in SAMPLES])
def test_an_event_is_shown_field_by_field_and_comes_back(event: Event, shown: dict[str, Any]) -> None:
    found = said(LAYOUT, told(event), ada)
    assert found.topic == shown["eventType"]
    assert found.value is not None
    assert orjson.loads(found.value) == shown
    assert list(orjson.loads(found.value)) == list(shown)
    assert msgspec.structs.replace(heard(LAYOUT, found), personal={}) == told(event)


@pytest.mark.proves("HTL-18", "HTL-35", "C4")
@pytest.mark.parametrize(("event", "shown"), SAMPLES, ids=[type(event).__name__ for event, _ in SAMPLES])
def test_every_event_lies_under_its_property(event: Event, shown: dict[str, Any]) -> None:
    assert LAYOUT.route(event) == (LAYOUT.topics[shown["eventType"]], "PROP-001")


@pytest.mark.proves("HTL-18")
def test_time_and_correlation_travel_in_headers() -> None:
    headers = dict(said(LAYOUT, told(SAMPLES[0][0])).headers)
    assert headers["ce_id"] == b"e-1"
    assert headers["ce_time"] == b"2025-10-06T09:30:00+00:00"
    assert headers["correlation_id"] == b"c-1"


@pytest.mark.proves("HTL-18")
@given(sent=envelopes(*DOCUMENT.values()), revealed=st.sampled_from([reveal, erased]))
def test_whatever_we_say_comes_back(sent: Envelope, revealed: Any) -> None:
    assert msgspec.structs.replace(heard(LAYOUT, said(LAYOUT, sent, revealed)), personal={}) == sent


@pytest.mark.proves("HTL-18")
def test_of_an_erased_guest_only_the_id_is_shown() -> None:
    value = said(LAYOUT, told(SAMPLES[0][0]), erased).value
    assert value is not None
    shown = orjson.loads(value)["guestDetails"]
    assert shown == {"guestId": "u-1", "email": None, "firstName": None, "lastName": None, "phone": None}


@pytest.mark.proves("HTL-18")
def test_a_reservation_of_another_program_is_a_whole_booking() -> None:
    """The dates are UTC's until the gate knows the property's time zone."""
    news = foreign(CREATED)
    assert (news.event_id, news.correlation_id, news.timestamp) == ("e-1", "e-1", RECORD_TIME)
    assert news.personal == {"email": "ada@example.com", "first_name": "Ada", "last_name": "Guest"}
    start, end = datetime(2025, 10, 10, tzinfo=UTC), datetime(2025, 10, 13, tzinfo=UTC)
    line = msgspec.structs.replace(ABOUT.lines[0], start=start, end=end)
    about = msgspec.structs.replace(ABOUT, lines=(line,), time_zone="UTC", guest=None)
    assert news.data == BookingCreated(
        booking_id="b-1",
        user_id="u-1",
        product_id="double",
        about=about,
        provider_id="PROP-001",
        start_time=start,
        end_time=end,
        quantity=2,
        **PRICE,
    )


@pytest.mark.proves("HTL-18")
def test_a_time_zone_beside_the_dates_is_taken() -> None:
    news = foreign(changed(CREATED, "stayDetails.timeZone", "America/New_York"))
    assert isinstance(news.data, BookingCreated)
    assert (news.data.start_time, news.data.end_time) == (START, END)
    assert news.data.about is not None
    assert news.data.about.time_zone == "America/New_York"


@pytest.mark.proves("HTL-18")
def test_a_reservation_known_by_its_number_alone_is_one_booking() -> None:
    """Sent again it is the same one, and a cancellation by its number finds it."""
    unnamed = changed(CREATED, "stayDetails.reservationId", None)
    cancelled = {name: unnamed[name] for name in ("eventId", "confirmationNumber", "propertyId")}
    news = [
        foreign(unnamed, offset=7),
        foreign(unnamed, offset=8),
        foreign({**cancelled, "eventType": "reservation.cancelled"}),
    ]
    ids = {getattr(each.data, "booking_id", None) for each in news}
    assert len(ids) == 1
    other = foreign({**unnamed, "confirmationNumber": "RSV-2025-001235"})
    assert getattr(other.data, "booking_id", None) not in ids


@pytest.mark.proves("HTL-18")
def test_without_id_and_number_the_place_on_the_log_names_it() -> None:
    bare = changed(changed(CREATED, "stayDetails.reservationId", None), "confirmationNumber", None)
    ids = [getattr(foreign(bare, offset=offset).data, "booking_id", None) for offset in (7, 7, 8)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.proves("HTL-18")
def test_a_guest_without_an_id_has_the_one_of_the_e_mail() -> None:
    news = foreign(changed(changed(CREATED, "guestDetails.guestId", None), "guestDetails.email", "Ada@Example.com"))
    assert isinstance(news.data, BookingCreated)
    assert news.data.user_id == str(uuid5(uuid5(NAMESPACE_URL, "vacancy:users"), "ada@example.com"))


@pytest.mark.proves("HTL-08")
def test_a_change_of_another_program_names_the_whole_reservation() -> None:
    news = foreign({**CREATED, "eventType": "reservation.modified"})
    assert isinstance(news.data, BookingUpdated)
    assert news.data.revision == 0
    assert news.data.about is not None
    assert news.data.about.lines[0].quantity == 2
    assert news.data.updated_at == RECORD_TIME


@pytest.mark.proves("HTL-08", "HTL-28")
def test_a_cancellation_of_another_program_names_its_reservation_and_perhaps_a_reason() -> None:
    body = {"eventType": "reservation.cancelled", "stayDetails": {"reservationId": "b-1", "reason": "rain"}}
    found = foreign(body).data
    assert isinstance(found, BookingCancelled)
    assert (found.booking_id, found.cancellation_reason) == ("b-1", "rain")


@pytest.mark.proves("HTL-09")
@pytest.mark.parametrize("name", [name for name, model in DOCUMENT.items() if not issubclass(model, REQUESTS)])
def test_the_least_an_outcome_can_say_is_known_as_an_outcome(name: str) -> None:
    """So that what another program says in our place is buried for what it is, not as unreadable."""
    room = {"propertyId": "PROP-001", "unitType": "double", "price": 1, "slot": "2025-10-10", "capacity": 1, "held": 1}
    paid = {
        "paymentId": "p-1",
        "reservationId": "b-1",
        "amount": 1,
        "free": 0,
        "overbookingLimit": 0,
        "currency": "USD",
    }
    tracked = {"trackedId": "t-1", "name": "x", "entityId": "b-1"}
    stay = {"stayDetails": {"reservationId": "b-1"}, "pricingDetails": {"totalPrice": 1, "currency": "USD"}}
    assert type(foreign({"eventType": name, **room, **paid, **tracked, **stay}).data) is DOCUMENT[name]


@pytest.mark.proves("HTL-18")
@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("eventType", None, "eventType"),
        ("eventType", "reservation.gone", "carries no 'reservation.gone'"),
        ("eventType", "payment.authorized", "carries no 'payment.authorized'"),
        ("eventId", 7, "eventId"),
        ("propertyId", None, "propertyId"),
        ("confirmationNumber", 7, "confirmationNumber"),
        ("guestDetails", None, "guestDetails"),
        ("guestDetails", [], "guestDetails"),
        ("guestDetails", {}, "user_id"),
        ("guestDetails.email", 7, r"guestDetails\.email"),
        ("guestDetails.lastName", "x" * 201, r"guestDetails\.lastName"),
        ("stayDetails", "soon", "stayDetails"),
        ("stayDetails.reservationId", 7, r"stayDetails\.reservationId"),
        ("stayDetails.unitType", "", r"stayDetails\.unitType"),
        ("stayDetails.checkIn", None, r"stayDetails\.checkIn"),
        ("stayDetails.checkIn", "yesterday", r"stayDetails\.checkIn"),
        ("stayDetails.checkOut", "2025-02-30", r"stayDetails\.checkOut"),
        ("stayDetails.quantity", 0, r"stayDetails\.quantity"),
        ("stayDetails.timeZone", "Nowhere/Atlantis", "no time zone"),
        ("stayDetails.timeZone", "Europe", "no time zone"),
        ("pricingDetails.totalPrice", "much", r"pricingDetails\.totalPrice"),
        ("pricingDetails.currency", "dollars", r"pricingDetails\.currency"),
    ],
)
def test_what_is_no_reservation_says_why(path: str, value: Any, says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        foreign(changed(CREATED, path, value), "reservation.created")


@pytest.mark.proves("HTL-18")
def test_a_date_beyond_the_calendar_is_none() -> None:
    body = changed(changed(CREATED, "stayDetails.timeZone", "Asia/Tokyo"), "stayDetails.checkIn", "0001-01-01")
    with pytest.raises(Undecodable, match="0001-01-01"):
        foreign(body)


@pytest.mark.proves("HTL-08", "HTL-28")
@pytest.mark.parametrize("name", ["reservation.modified", "reservation.cancelled"])
def test_a_change_of_nothing_named_is_none(name: str) -> None:
    bare = changed(changed(CREATED, "stayDetails.reservationId", None), "confirmationNumber", None)
    with pytest.raises(Undecodable, match="reservationId"):
        foreign({**bare, "eventType": name})


@pytest.mark.proves("HTL-18")
@pytest.mark.parametrize(
    ("start", "end", "zone", "dates"),
    [
        # New York's clocks go forward in this stay: three nights are 71 hours.
        ("2025-03-08T05:00Z", "2025-03-11T04:00Z", "America/New_York", ("2025-03-08", "2025-03-11")),
        # Fourteen hours before UTC.
        ("2025-01-01T10:00Z", "2025-01-02T10:00Z", "Pacific/Kiritimati", ("2025-01-02", "2025-01-03")),
        # An appointment is no stay: the night it would be.
        ("2025-01-01T10:00Z", "2025-01-01T10:15Z", "UTC", ("2025-01-01", "2025-01-02")),
        ("9999-12-31T10:00Z", "9999-12-31T23:00Z", "Pacific/Kiritimati", ("9999-12-31", "9999-12-31")),
        ("0001-01-01T00:00Z", "0001-01-02T00:00Z", "America/New_York", ("0001-01-01", "0001-01-02")),
        ("2025-01-01T00:00Z", "2025-01-03T00:00Z", "Nowhere/Atlantis", ("2025-01-01", "2025-01-03")),
    ],
)
def test_dates_are_the_propertys_own(start: str, end: str, zone: str, dates: tuple[str, str]) -> None:
    line = msgspec.structs.replace(ABOUT.lines[0], start=instant(start), end=instant(end))
    about = msgspec.structs.replace(ABOUT, lines=(line,), time_zone=zone)
    sent = told(BookingCheckedIn(booking_id="b-1", user_id="u-1", product_id="double", about=about, checked_in_at=TOLD))
    found = said(LAYOUT, sent)
    assert found.value is not None
    stay = orjson.loads(found.value)["stayDetails"]
    assert (stay["checkIn"], stay["checkOut"]) == dates
    assert msgspec.structs.replace(heard(LAYOUT, found), personal={}) == sent


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.proves("HTL-18")
@given(
    days=st.dates(date(2000, 1, 1), date(2099, 1, 1)),
    nights=st.integers(1, 366),
    cents=st.integers(0, 10**12),
    quantity=st.integers(1, 1000),
)
def test_a_foreign_stay_is_read_for_what_it_says(days: date, nights: int, cents: int, quantity: int) -> None:
    price = Decimal(cents) / 100
    body = reservation(
        "reservation.created",
        "PENDING",
        {"checkIn": days.isoformat(), "checkOut": (days + timedelta(nights)).isoformat(), "quantity": quantity},
        {"totalPrice": float(price)},
    )
    found = foreign(body).data
    assert isinstance(found, BookingCreated)
    assert found.about is not None
    assert (found.about.kind, found.about.price_amount, found.price_amount) == ("stay", price, price)
    [line] = found.about.lines
    assert (line.start.date(), line.end - line.start, line.quantity) == (days, timedelta(nights), quantity)


@pytest.mark.proves("HTL-35")
@pytest.mark.parametrize(
    ("partitioner", "partitions"),
    [(None, [1, 0, 1]), ("murmur2", [1, 0, 1]), ("modulo-list", [0, 0, 2]), ("last-digit", [1, 0, 0])],
)
def test_the_setting_chooses_how_properties_find_their_partition(partitioner: Any, partitions: list[int]) -> None:
    """C5: PROP-001 and PROP-010 share a partition in the document's list only, PROP-010 and PROP-003 in its text."""
    topic = load_layout(Settings(layout="hotel", partitioner=partitioner)).topics["reservation.created"]
    assert [topic.partition(f"PROP-{number:03}") for number in (1, 10, 3)] == partitions
