"""What other programs write on documented topics, from their bytes to what our inboxes get (design 3)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.cards import without_cards
from agents.gate import admitted
from agents.tools import Tools
from streams.codec import decode
from streams.dead_letters import edited_copy, letter_of
from streams.events import Event
from streams.events.availability import ResourceDeclared, Slots
from streams.events.booking import CancelBooking, ChangeBooking, RequestBooking
from streams.events.records import ChangeRecord, OpenRecord
from streams.events.users import RegisterUser
from streams.foreign import Gate
from streams.group import GroupApp, Runtime
from streams.keys import resource_key
from streams.layout import load_layout
from streams.listening import Listener
from streams.processor import Batch
from streams.publisher import Acknowledgement
from streams.replays import replay_of
from streams.signing import Signer
from streams.voice import Voice
from tests.memory_log import MemoryLog, Stored
from tests.web.instance import Seals

ENVELOPE = {"event_id": "e1", "event_version": "1.0", "timestamp": "2026-11-01T10:00:00Z", "correlation_id": "c1"}
BOOKED = {
    "booking_id": "b-7",
    "user_id": "u-7",
    "product_id": "standard",
    "provider_id": "PROP-001",
    "start_time": "2026-12-24T14:00:00Z",
    "end_time": "2026-12-26T10:00:00Z",
    "quantity": 1,
    "price_amount": 200.0,
    "price_currency": "EUR",
    "status": "PENDING",
}
CAMPSITE = {
    "EventId": "0e3c4f0a-0000-4000-8000-000000000001",
    "EventType": "BookingCreated",
    "Timestamp": "2024-01-15T10:30:00Z",
    "BookingId": "0e3c4f0a-0000-4000-8000-000000000002",
    "GuestId": "0e3c4f0a-0000-4000-8000-000000000003",
    "CampsiteId": "camp-1",
    "CheckInDate": "2026-12-24",
    "CheckOutDate": "2026-12-27",
    "TotalPrice": 1500.00,
    "GuestEmail": "guest@example.com",
}
APPOINTMENT = {
    "appointmentId": "apt-7",
    "patientId": "patient-7",
    "doctorId": "doctor-3",
    "date": "2026-12-24",
    "time": "09:15",
    "reason": "Annual check-up",
    "status": "scheduled",
    "visitType": "virtual",
    "action": "created",
}


class Rates:
    """Resources by key; those that are `late` come with the view's catching up."""

    def __init__(self, *declared: ResourceDeclared, late: bool = False) -> None:
        self._declared = {resource_key(each.provider_id, each.product_id): each for each in declared}
        self._seen = {} if late else self._declared

    def get(self, key: str) -> ResourceDeclared | None:
        return self._seen.get(key)

    async def caught_up(self, timeout: float) -> None:  # noqa: ASYNC109
        self._seen = self._declared


@dataclass
class Site:
    """A gate before an empty log, and what comes of the messages of another program."""

    layout: str
    rates: Rates
    token: str | None = "tok_visa"
    log: MemoryLog = field(default_factory=MemoryLog)

    async def tell(self, topic: str, body: object) -> list[Event]:
        """What goes into our inboxes because of it."""
        value = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.read(Stored(topic, 0, 0, 1_700_000_000_000, b"k", value))

    async def read(self, record: Stored) -> list[Event]:
        """The same of any record."""
        layout, signer = load_layout(self.layout), Signer(b"secret")
        voice = Voice(self.log, layout, signer)
        runtime = SimpleNamespace(layout=layout, voice=voice, publisher=self.log)
        settings = SimpleNamespace(foreign_payment_token=self.token, booking_deadline=600, max_quantity=1000)
        fake = SimpleNamespace(
            settings=settings, runtime=runtime, keyring=Seals(), rates=self.rates, numbers=SimpleNamespace(next=_seven)
        )
        group = SimpleNamespace(name="gate", finish=_finish)
        tools = cast("Tools", fake)
        gate = Gate(
            cast("GroupApp", group),
            cast("Runtime", runtime),
            Listener(layout, signer),
            Seals(),
            without_cards,
            lambda news: admitted(news, tools),
        )
        await gate.apply([Batch(0, [cast("Any", record)], lambda: None)])
        inboxes = [name for name in self.log.records if name[0].endswith(".inbox")]
        return [decode(each.value).data for name in inboxes for each in self.log.read(*name)]

    async def replay(self, value: bytes | None = None) -> list[Event]:
        """What comes of replaying the newest dead letter, perhaps with another value; it is the same gate's again."""
        topic = "booking.booking.created"
        letter = letter_of(self.log.read(f"{topic}.dlq")[-1])
        if value is not None:
            copy = edited_copy(letter, value)
            letter = letter_of(self.log.append(f"{topic}.dlq", 0, copy))
        again = replay_of(letter, load_layout(self.layout), letter.replays + 1)
        return await self.read(self.log.append(again.topic, again.partition, again.record))

    def buried(self, topic: str) -> str:
        """Why the only dead letter of a topic is one."""
        (letter,) = self.log.read(f"{topic}.dlq")
        return dict(letter.headers)["vacancy-dlq-reason"].decode()


async def _finish(fetched: Sequence[Batch], said: Iterable[Acknowledgement]) -> None:
    for acknowledged in said:
        await acknowledged


async def _seven() -> int:
    return 7


def resource(provider: str, product: str, price: str, slots: Slots = "nights") -> ResourceDeclared:
    return ResourceDeclared(
        provider_id=provider,
        product_id=product,
        capacity=1,
        overbooking_limit=0,
        slots=slots,
        time_zone="Europe/Amsterdam",
        price_amount=Decimal(price),
        price_currency="EUR",
        min_stay=1,
    )


def catalogue(name: str, **data: object) -> dict[str, object]:
    return {**ENVELOPE, "event_type": name, "data": {**BOOKED, **data}, "metadata": {"source": "shop"}}


@pytest.mark.proves("CAT-16")
@pytest.mark.parametrize("late", [False, True])
async def test_a_booking_of_the_catalogue(late: bool) -> None:
    site = Site("catalogue", Rates(resource("PROP-001", "standard", "100.00"), late=late))
    (asked,) = await site.tell("booking.booking.created", catalogue("booking.booking.created"))
    assert isinstance(asked, RequestBooking)
    assert (asked.refusal, asked.price_amount, asked.announced, asked.kind) == (None, Decimal(200), True, "booking")
    assert asked.confirmation_number.endswith("-000007")
    assert asked.payment_token == await Seals().seal("u-7", "tok_visa")
    assert asked.confirm_on == "payment.authorized"


async def test_a_booking_that_cannot_be_had_is_refused_for_all_to_see() -> None:
    known = Rates(resource("PROP-001", "standard", "99.00"))
    (asked,) = await Site("catalogue", known).tell("booking.booking.created", catalogue("booking.booking.created"))
    assert isinstance(asked, RequestBooking)
    assert asked.refusal == "price_changed"
    known = Rates(resource("PROP-001", "standard", "100.00"))
    site = Site("catalogue", known, token=None)
    (asked,) = await site.tell("booking.booking.created", catalogue("booking.booking.created"))
    assert isinstance(asked, RequestBooking)
    assert asked.refusal == "payment_method_missing"
    (asked,) = await Site("catalogue", Rates()).tell("booking.booking.created", catalogue("booking.booking.created"))
    assert isinstance(asked, RequestBooking)
    assert asked.refusal == "unknown_resource"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"quantity": 0}, "quantity of 0"),
        ({"quantity": 10**12}, "quantity of 1000000000000"),
        ({"price_amount": -5}, "no price"),
        ({"metadata": {"note": "x" * 70_000}}, "bytes"),
    ],
)
async def test_what_no_booking_can_have_is_buried(data: dict[str, object], why: str) -> None:
    site = Site("catalogue", Rates())
    assert await site.tell("booking.booking.created", catalogue("booking.booking.created", **data)) == []
    assert why in site.buried("booking.booking.created")


async def test_a_cancellation_and_a_change_without_lines() -> None:
    site = Site("catalogue", Rates())
    ended = {
        "payment_id": "p-7",
        "cancelled_at": "2026-11-02T10:00:00Z",
        "cancellation_reason": "r" * 500,
        "refund_eligible": False,
        "refund_amount": 0,
        "refund_currency": "EUR",
    }
    (asked,) = await site.tell("booking.booking.cancelled", catalogue("booking.booking.cancelled", **ended))
    assert isinstance(asked, CancelBooking)
    assert (asked.booking_id, asked.reason) == ("b-7", "r" * 200)
    changed = catalogue("booking.booking.updated", revision=2, updated_at="2026-11-02T10:00:00Z", status="CONFIRMED")
    await site.tell("booking.booking.updated", changed)
    assert "names none" in site.buried("booking.booking.updated")


@pytest.mark.proves("CAMP-12")
async def test_the_campsite_documents_own_sample() -> None:
    site = Site("campsite", Rates(resource("camp-1", "pitch", "500.00")))
    (asked,) = await site.tell("booking-events", CAMPSITE)
    assert isinstance(asked, RequestBooking)
    assert (asked.refusal, asked.kind, asked.time_zone) == (None, "stay", "Europe/Amsterdam")
    assert (asked.lines[0].start, asked.lines[0].end) == (
        datetime(2026, 12, 23, 23, tzinfo=UTC),
        datetime(2026, 12, 26, 23, tzinfo=UTC),
    )
    assert asked.guest is not None
    assert json.loads(await Seals().unseal(asked.user_id, asked.guest) or "") == {"email": "guest@example.com"}


@pytest.mark.proves("CAMP-13")
async def test_a_user_of_the_campsite() -> None:
    user = {
        "EventId": "e1",
        "EventType": "UserCreated",
        "Timestamp": "2024-01-15T10:30:00Z",
        "UserId": "u-7",
        "Email": "guest@example.com",
        "FirstName": "Zoë",
        "LastName": "Öster",
    }
    (asked,) = await Site("campsite", Rates()).tell("user-events", user)
    assert isinstance(asked, RegisterUser)
    assert asked.announced
    assert json.loads(await Seals().unseal("u-7", asked.personal) or "")["first_name"] == "Zoë"


@pytest.mark.proves("ORD-02")
async def test_an_order_of_the_saga() -> None:
    order = {
        "order_id": "o-7",
        "customer": {"user_id": "u-7", "email": "guest@example.com"},
        "items": [{"product_id": "mug", "quantity": 2, "price": 7.5}, {"product_id": "pen", "quantity": 1, "price": 1}],
    }
    rates = Rates(resource("stock", "mug", "7.50", "none"), resource("stock", "pen", "1.00", "none"))
    (asked,) = await Site("orders", rates).tell("order_created", order)
    assert isinstance(asked, RequestBooking)
    assert (asked.refusal, asked.kind, asked.price_amount) == (None, "order", Decimal(16))
    assert asked.confirm_on == "payment.captured"
    many = {**order, "items": [{"product_id": f"p{n}", "quantity": 1, "price": 1} for n in range(21)]}
    site = Site("orders", rates)
    assert await site.tell("order_created", many) == []
    assert "21 lines" in site.buried("order_created")


@pytest.mark.proves("HTL-18")
async def test_a_reservation_of_the_hotel_and_its_modification() -> None:
    reservation = {
        "eventId": "e1",
        "eventType": "reservation.created",
        "confirmationNumber": "RSV-2025-001234",
        "propertyId": "PROP-001",
        "guestDetails": {"email": "guest@example.com", "firstName": "Zoë"},
        "stayDetails": {"unitType": "standard", "checkIn": "2026-12-24", "checkOut": "2026-12-26"},
        "pricingDetails": {"totalPrice": 200.0, "currency": "EUR"},
    }
    rates = Rates(resource("PROP-001", "standard", "100.00"))
    (asked,) = await Site("hotel", rates).tell("reservation.created", reservation)
    assert isinstance(asked, RequestBooking)
    assert (asked.refusal, asked.kind) == (None, "stay")
    modified = {**reservation, "eventType": "reservation.modified"}
    (change,) = await Site("hotel", rates).tell("reservation.modified", modified)
    assert isinstance(change, ChangeBooking)
    assert (change.booking_id, change.revision, change.price_amount) == (asked.booking_id, 0, Decimal(200))
    assert change.lines == asked.lines


@pytest.mark.proves("CLN-05")
async def test_an_appointment_of_the_clinic_and_its_change() -> None:
    layout = load_layout("clinic")
    topic = layout.route_table()["booking.booking.created"].name
    rates = Rates(resource("clinic", "doctor-3", "80.00", 20))
    (early,) = await Site("clinic", rates).tell(topic, APPOINTMENT)
    (moved,) = await Site("clinic", rates).tell(topic, {**APPOINTMENT, "time": "09:20"})
    assert isinstance(early, RequestBooking)
    assert isinstance(moved, RequestBooking)
    assert (early.refusal, moved.refusal) == ("off_the_grid", None)
    assert moved.lines[0].start == datetime(2026, 12, 24, 8, 20, tzinfo=UTC)
    assert (moved.lines[0].end - moved.lines[0].start).total_seconds() == 20 * 60
    assert (moved.prepaid, moved.confirm_on, moved.price_amount) == (False, "inventory", Decimal(80))
    (change,) = await Site("clinic", rates).tell(topic, {**APPOINTMENT, "time": "10:00", "action": "updated"})
    assert isinstance(change, ChangeBooking)
    assert change.details == {"date": "2026-12-24", "time": "10:00", "visit_type": "virtual"}
    cancelled = {**APPOINTMENT, "action": "cancelled", "status": "cancelled"}
    (ended,) = await Site("clinic", rates).tell(topic, cancelled)
    assert isinstance(ended, CancelBooking)


@pytest.mark.proves("CLN-07", "CLN-16")
async def test_a_pharmacy_order_of_the_clinic() -> None:
    topic = load_layout("clinic").route_table()["record.order.created"].name
    order = {
        "orderId": "o-7",
        "patientId": "p-7",
        "pharmacyId": "ph-1",
        "totalPrice": 8.5,
        "status": "pending",
        "orderDate": "2026-12-01T10:30:00",
        "deliveryDate": "2026-12-03T18:00:00",
        "items": [{"productId": "x", "quantity": 1, "price": 8.5}],
        "action": "created",
    }
    (opened,) = await Site("clinic", Rates()).tell(topic, order)
    assert isinstance(opened, OpenRecord)
    assert json.loads(await Seals().unseal("p-7", opened.content) or "")["totalPrice"] == 8.5
    (shipped,) = await Site("clinic", Rates()).tell(topic, {**order, "status": "shipped", "action": "shipped"})
    assert isinstance(shipped, ChangeRecord)
    assert (shipped.action, shipped.user_id, shipped.revision) == ("shipped", "p-7", None)
    site = Site("clinic", Rates())
    assert await site.tell(topic, {**order, "status": "delivered"}) == []
    assert "no order begins 'delivered'" in site.buried(topic)


@pytest.mark.proves("HTL-21")
async def test_ids_stay_what_they_are_whatever_their_digits() -> None:
    """Two bookings would become one, and two people."""
    site = Site("catalogue", Rates(resource("PROP-001", "standard", "100.00")))
    ids = {"4111111111111111", "5555555555554444"}
    for each in sorted(ids):
        booked = await site.tell(
            "booking.booking.created", catalogue("booking.booking.created", booking_id=each, user_id=each)
        )
    assert {event.booking_id for event in booked if isinstance(event, RequestBooking)} == ids
    assert {event.user_id for event in booked if isinstance(event, RequestBooking)} == ids


async def test_a_card_number_of_another_program_is_left_out() -> None:
    """Its topic is its own; our inboxes do not repeat it, in clear or sealed."""
    site = Site("catalogue", Rates(resource("PROP-001", "standard", "100.00")))
    body = catalogue(
        "booking.booking.created",
        metadata={
            "note": "card 4111 1111 1111 1111",
            "phone": "4111111111111111",
            "deep": [{"5555555555554444": 4111111111111111}],
        },
    )
    (booked,) = await site.tell("booking.booking.created", body)
    assert isinstance(booked, RequestBooking)
    assert booked.metadata["note"] == "card [card number removed]"
    assert booked.metadata["phone"] == "4111111111111111"
    assert booked.metadata["deep"] == [{"[card number removed]": "[card number removed]"}]


async def test_a_replay_is_judged_as_on_its_own_topic_and_by_the_group_that_failed_alone() -> None:
    topic, known = "booking.booking.created", Rates(resource("PROP-001", "standard", "100.00"))
    site = Site("catalogue", known)
    assert await site.tell(topic, b"{") == []
    assert await site.replay() == []
    # It failed again: its letter lies with those of its own topic, names the replay, and counts.
    first, again = (letter_of(each) for each in site.log.read(f"{topic}.dlq"))
    assert (first.origin_topic, first.replays) == (topic, 0)
    assert (again.origin_topic, again.origin_offset, again.replays) == ("vacancy.replays", 0, 1)
    (asked,) = await site.replay(json.dumps(catalogue(topic)).encode())
    assert isinstance(asked, RequestBooking)
    assert (asked.booking_id, asked.refusal) == ("b-7", None)
    # Nothing was said on the documented topic, and what is another group's is passed over.
    assert site.log.read(topic) == []
    letter = letter_of(site.log.read(f"{topic}.dlq")[-1])
    replay = replay_of(letter, load_layout("catalogue"), 2).record
    headers = tuple((name, b"another" if name == "vacancy-replay-group" else said) for name, said in replay.headers)
    before = len(site.log.read(f"{topic}.dlq"))
    assert len(await site.read(Stored("vacancy.replays", 0, 9, 1, b"k", replay.value, headers))) == 1  # the one before
    assert len(site.log.read(f"{topic}.dlq")) == before
