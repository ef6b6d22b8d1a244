"""The booking event catalogue (CAT): topics, groups, keys, and its events in both directions."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import aiohttp
import pytest

from bench.chaos.instance import Instance
from cli import instance as files
from tests.layouts.broker import OnBroker, documented, groups_of, topics_of
from tests.layouts.world import Body, World, json_of
from tests.whole.api import TODAY, eventually, stay

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

PATH = "/api/bookings"
#: Partitions and days of the document's table.
DOCUMENTED = {
    "booking.booking.created": OnBroker(3, 7),
    "booking.booking.updated": OnBroker(3, 7),
    "booking.booking.cancelled": OnBroker(3, 7),
    "booking.booking.confirmed": OnBroker(3, 7),
    "payment.payment.created": OnBroker(3, 7),
    "payment.payment.succeeded": OnBroker(3, 30),
    "payment.payment.failed": OnBroker(3, 30),
    "payment.payment.refunded": OnBroker(3, 30),
    "receipt.receipt.generated": OnBroker(2, 30),
    "notification.email.sent": OnBroker(2, 3),
    "notification.sms.sent": OnBroker(2, 3),
    "analytics.event.tracked": OnBroker(5, 90),
    "user.user.created": OnBroker(2, 7),
    "user.user.updated": OnBroker(2, 7),
}
#: Beside them, for what the document has no topic for.
OURS = {
    topic: OnBroker(3, 7)
    for topic in (
        "booking.booking.rejected",
        "booking.booking.expired",
        "availability.night.updated",
        "availability.night.overbooked",
        "rate.rate.updated",
        "rate.rate.applied",
    )
}
CREATED, CANCELLED, CONFIRMED = (f"booking.booking.{what}" for what in ("created", "cancelled", "confirmed"))
SUCCEEDED = "payment.payment.succeeded"
#: The document's schemas (CAT-16..21), and those of ours that stand beside them (CAT-37).
DATA = {
    CREATED: (
        "booking_id user_id product_id provider_id start_time end_time quantity price_amount price_currency status "
        "location metadata"
    ),
    CONFIRMED: "booking_id user_id product_id payment_id confirmed_at price_amount price_currency",
    CANCELLED: (
        "booking_id user_id product_id payment_id cancelled_at cancellation_reason refund_eligible refund_amount "
        "refund_currency"
    ),
    SUCCEEDED: (
        "payment_id booking_id user_id amount currency provider provider_payment_id payment_method succeeded_at"
    ),
    "payment.payment.failed": (
        "payment_id booking_id user_id amount currency provider error_code error_message failed_at"
    ),
    "receipt.receipt.generated": (
        "receipt_id payment_id booking_id user_id receipt_number receipt_url amount currency generated_at"
    ),
}
#: CAT-24, and the keys the document leaves open (CAT-37).
KEYS = {"booking": "booking_id", "payment": "payment_id", "receipt": "payment_id", "user": "user_id"}


@pytest.fixture
async def world(whole: Instance) -> AsyncIterator[World]:
    found = files.find(whole.data)
    headers = {"Authorization": f"Bearer {found.api_key}"}
    async with aiohttp.ClientSession(found.url, headers=headers) as session:
        yield World(session, found.bootstrap_servers, whole.data)


async def test_the_topics_are_the_documents(world: World) -> None:
    """CAT-01..15."""
    assert documented(await topics_of(world.bootstrap)) == DOCUMENTED | OURS


@pytest.mark.proves("CAT-26", "CAT-27", "CAT-28", "CAT-29", "CAT-30", "C14", "C15")
async def test_the_groups_read_what_the_document_says(world: World) -> None:
    groups = await groups_of(world.bootstrap)
    of = {name: {topic for topic in DOCUMENTED if topic.startswith(name)} for name in ("booking", "payment", "receipt")}
    assert groups["payment-service-group"] == {CREATED, CANCELLED}
    assert groups["notification-service-group"] >= of["booking"] | of["payment"] | of["receipt"]
    assert groups["receipt-service-group"] >= {SUCCEEDED}
    # "All topics", less its own: it would never come to rest.
    assert groups["analytics-service-group"] >= DOCUMENTED.keys() - {"analytics.event.tracked"}
    assert "analytics.event.tracked" not in groups["analytics-service-group"]
    assert groups["integration-service-group"] == {"analytics.event.tracked"}


@pytest.mark.proves("CAT-03", "CAT-10", "CAT-11", "CAT-13", "CAT-14", "CAT-15", "CAT-21")
async def test_everybody_else_hears_of_a_booking_too(world: World) -> None:
    """Its change, receipt, mails, figures; a user and its change. Who books and pays stands in `test_journey`."""
    await units(world, "CAT-1", 2)
    email = f"{uuid.uuid4().hex[:8]}@example.com"
    user_id = (await world.post("/api/users", {"email": email, "first_name": "Jo", "last_name": "Do"}))["user_id"]
    await world.patch(f"/api/users/{user_id}", {"last_name": "Dough"})
    guest = {"email": email, "first_name": "Jo", "last_name": "Do", "user_id": user_id}
    wish = {**stay("CAT-1", 40, 3), "guest": guest}
    booking_id = (await world.post("/api/reservations", wish))["booking_id"]
    await world.ended("/api/reservations", booking_id)
    [receipt] = await eventually(lambda: world.of("booking_id", booking_id, "receipt.receipt.generated"))
    assert receipt["data"]["receipt_number"].startswith(f"RCP-{TODAY.year}-")
    start = dt.date.fromisoformat(wish["check_in"])
    await world.patch(f"/api/reservations/{booking_id}", {"check_out": str(start + dt.timedelta(days=2))})
    [updated] = await eventually(lambda: world.of("booking_id", booking_id, "booking.booking.updated"))
    assert updated["data"]["price_amount"] == 200.0
    await world.mails(email, "Welcome", "Your receipt RCP-")
    for topic, subject in (("user.user.created", "Do"), ("user.user.updated", "Dough")):
        [told] = await eventually(partial(world.of, "user_id", user_id, topic))
        assert (told["data"]["email"], told["data"]["last_name"]) == (email, subject)

    async def sent() -> bool:
        found = await world.of("booking_id", booking_id, "notification.email.sent")
        return {"booking_confirmed", "receipt"} <= {each["data"]["template"] for each in found}

    await eventually(sent)

    async def tracked() -> bool:
        found = await world.of("entity_id", booking_id, "analytics.event.tracked")
        return {CREATED, CONFIRMED, SUCCEEDED} <= {each["data"]["name"] for each in found}

    await eventually(tracked)


async def test_every_message_has_the_documents_fields_and_key(world: World) -> None:
    """CAT-16..22, CAT-24: after the journey above, a decline and a cancellation there is one of each with a schema."""
    await units(world, "CAT-4", 2)
    declined = (await world.post("/api/reservations", stay("CAT-4", token="tok_declined")))["booking_id"]
    assert (await world.ended("/api/reservations", declined))["reason"] == "card_declined"
    booking_id = (await world.post("/api/reservations", stay("CAT-4")))["booking_id"]
    await world.ended("/api/reservations", booking_id)
    await world.post(f"/api/reservations/{booking_id}/cancel", {"reason": "plans changed"})
    said = [each for each in await world.said(*DOCUMENTED) if "vacancy-sig" in each.headers]
    assert {each.topic for each in said} >= DATA.keys()
    for each in said:
        head = ["event_id", "event_type", "event_version", "timestamp", "correlation_id", "data", "metadata"]
        assert list(each.body) == head
        assert (each.body["event_type"], each.body["event_version"]) == (each.topic, "1.0")
        service = each.topic.partition(".")[0]
        assert each.body["metadata"]["source"] == f"{service}-service"
        if each.topic in DATA:
            assert list(each.body["data"]) == DATA[each.topic].split()
        if service in KEYS:
            assert each.key == each.body["data"][KEYS[service]]


@pytest.mark.proves("CAT-16", "CAT-18", "CAT-22")
async def test_another_programs_booking_takes_part_fully(world: World) -> None:
    provider = str(uuid.uuid4())
    await units(world, provider, 1, slots=60, price="99.99", currency="USD")
    sample = created(provider, 99.99)
    booking_id = sample["data"]["booking_id"]
    await world.tell(CREATED, sample)
    booking = await world.ended(PATH, booking_id)
    assert (booking["status"], booking["price"]) == ("CONFIRMED", {"amount": "99.99", "currency": "USD"})
    [confirmed] = await world.of("booking_id", booking_id, CONFIRMED)
    assert confirmed["correlation_id"] == sample["correlation_id"]
    [paid] = await eventually(lambda: world.of("booking_id", booking_id, SUCCEEDED))
    assert paid["data"]["amount"] == 99.99
    await eventually(lambda: world.of("booking_id", booking_id, "receipt.receipt.generated"))
    assert len(await world.of("booking_id", booking_id, CREATED)) == 1  # it is not published again

    again = created(provider, 99.99)
    await world.tell(CREATED, again)
    assert (await world.ended(PATH, again["data"]["booking_id"]))["reason"] == "sold_out"
    await world.tell(CANCELLED, cancelled(booking_id))
    await world.ended(PATH, booking_id, "CANCELLED")
    [refunded] = await eventually(lambda: world.of("booking_id", booking_id, "payment.payment.refunded"))
    assert refunded["data"]["amount"] == 99.99


async def test_another_programs_wrong_price_and_unknown_resource_are_rejected(world: World) -> None:
    await units(world, "CAT-2", 1, slots=60, price="99.99", currency="USD")
    dear, nowhere = created("CAT-2", 98.0), created("CAT-NOWHERE", 99.99)
    for sample in (dear, nowhere):
        await world.tell(CREATED, sample)
    assert (await world.ended(PATH, dear["data"]["booking_id"]))["reason"] == "price_changed"
    assert (await world.ended(PATH, nowhere["data"]["booking_id"]))["reason"] == "unknown_resource"


@pytest.mark.proves("CAT-14")
async def test_another_programs_user_is_a_user_and_welcomed(world: World) -> None:
    user_id, email = str(uuid.uuid4()), f"{uuid.uuid4().hex[:8]}@example.com"
    data = {"user_id": user_id, "email": email, "first_name": "John", "last_name": "Doe"}
    await world.tell("user.user.created", envelope("user.user.created", data | {"created_at": "2025-11-24T10:30:00Z"}))
    await world.mails(email, "Welcome")
    assert (await world.get(f"/api/users/{user_id}"))["first_name"] == "John"


@pytest.mark.proves("CAT-25")
async def test_what_is_not_theirs_to_say_changes_nothing(world: World) -> None:
    await units(world, "CAT-3", 1)
    booking_id = (await world.post("/api/reservations", stay("CAT-3")))["booking_id"]
    before = await world.ended("/api/reservations", booking_id)
    said = await world.said(CONFIRMED)
    confirmed = next(each for each in said if each.body["data"]["booking_id"] == booking_id)
    copied = confirmed.record.value or b""
    changed = [(name, b"{}" if name == "vacancy-rest" else value) for name, value in confirmed.record.headers]
    [paid] = await eventually(lambda: world.of("booking_id", booking_id, SUCCEEDED))
    await world.tell(CONFIRMED, copied, booking_id, changed)
    await world.tell(SUCCEEDED, paid, paid["data"]["payment_id"])
    await world.tell(CREATED, b'{"event_id": ')
    await world.buried(CONFIRMED, copied, as_="not-ours")
    await world.buried(SUCCEEDED, json_of(paid), as_="not-ours")
    await world.buried(CREATED, b'{"event_id": ', as_="undecodable")
    assert await world.get(f"/api/reservations/{booking_id}") == before


async def units(
    world: World, name: str, capacity: int, slots: str | int = "nights", price: str = "100.00", currency: str = "EUR"
) -> None:
    body = {"capacity": capacity, "slots": slots, "base_price": {"amount": price, "currency": currency}}
    await world.put(f"/api/properties/{name}/units/standard", body)


def envelope(event_type: str, data: Body) -> Body:
    """As the document's schemas show it."""
    return {
        "event_id": str(uuid.uuid4()),
        "event_type": event_type,
        "event_version": "1.0",
        "timestamp": "2025-11-24T10:30:00Z",
        "correlation_id": str(uuid.uuid4()),
        "data": data,
        "metadata": {"source": "booking-service", "user_agent": "Mozilla/5.0...", "ip_address": "192.168.1.1"},
    }


def created(provider: str, price: float) -> Body:
    """The document's sample, in the future: an hour."""
    start = dt.datetime.combine(TODAY + dt.timedelta(days=30), dt.time(14), dt.UTC)
    data: dict[str, Any] = {
        "booking_id": str(uuid.uuid4()),
        "user_id": str(uuid.uuid4()),
        "product_id": "standard",
        "provider_id": provider,
        "start_time": start.isoformat(),
        "end_time": (start + dt.timedelta(hours=1)).isoformat(),
        "quantity": 1,
        "price_amount": price,
        "price_currency": "USD",
        "status": "PENDING",
        "location": {"lat": 37.7749, "lon": -122.4194, "address": "123 Main St, San Francisco, CA"},
        "metadata": {},
    }
    return envelope(CREATED, data)


def cancelled(booking_id: str) -> Body:
    data = {
        "booking_id": booking_id,
        "user_id": str(uuid.uuid4()),
        "product_id": "standard",
        "payment_id": str(uuid.uuid4()),
        "cancelled_at": "2025-11-24T11:00:00Z",
        "cancellation_reason": "User requested",
        "refund_eligible": True,
        "refund_amount": 99.99,
        "refund_currency": "USD",
    }
    return envelope(CANCELLED, data) | {"metadata": {"source": "booking-service", "cancelled_by": "user"}}
