"""The campsite's event flow (CAMP), from its three topics to a mail in a guest's inbox."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path

import pytest

from bench.chaos.instance import Instance
from tests.layouts.broker import OnBroker, documented, groups_of, topics_of
from tests.layouts.closing import audited, in_time, killed_under_load, rebuilt
from tests.layouts.world import ONE_OF_A_HUNDRED, Body, World, json_of
from tests.whole.api import TODAY, eventually, stay

LAYOUT = "campsite"
pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

BOOKINGS, USERS, PAYMENTS = "booking-events", "user-events", "payment-events"
PATH = "/api/reservations"
#: The document's fields where it shows them (BookingCreated, UserCreated), else ours in its manner (CAMP-25).
BOOKING = "EventId EventType Timestamp BookingId GuestId CampsiteId CheckInDate CheckOutDate TotalPrice GuestEmail"
PAYMENT = "EventId EventType Timestamp PaymentId BookingId GuestId Amount Currency Provider"
FIELDS = {
    "BookingCreated": BOOKING,
    "BookingConfirmed": f"{BOOKING} PaymentId Currency",
    "BookingCancelled": f"{BOOKING} PaymentId CancellationReason CancelledBy RefundAmount Currency",
    "BookingCompleted": BOOKING,
    "UserCreated": "EventId EventType Timestamp UserId Email FirstName LastName",
    "UserUpdated": "EventId EventType Timestamp UserId Email FirstName LastName",
    "PaymentProcessed": f"{PAYMENT} ProviderPaymentId CampsiteId GuestEmail PaymentMethod CardBrand CardLast4",
    "RefundProcessed": f"{PAYMENT} RefundId ProviderRefundId Reason CampsiteId GuestEmail",
}
KEYS = {BOOKINGS: "BookingId", USERS: "UserId", PAYMENTS: "BookingId"}


@pytest.mark.proves("CAMP-05", "CAMP-06", "CAMP-07", "CAMP-19")
async def test_the_topics_are_the_documents(world: World) -> None:
    assert documented(await topics_of(world.bootstrap)) == {
        BOOKINGS: OnBroker(partitions=3, retention=7, replicas=1),
        USERS: OnBroker(partitions=1, retention=7, replicas=1),
        PAYMENTS: OnBroker(partitions=2, retention=30, replicas=1),
    }


@pytest.mark.proves("CAMP-08", "CAMP-10", "CAMP-11")
async def test_the_groups_read_what_the_document_says(world: World) -> None:
    groups = await groups_of(world.bootstrap)
    assert {name: each for name, each in groups.items() if not name.startswith("vacancy-")} == {
        "email-consumer-group": {BOOKINGS, USERS, PAYMENTS, "vacancy.events"},
        "notification-consumer-group": {BOOKINGS, PAYMENTS, "vacancy.events"},
        "analytics-consumer-group": {BOOKINGS, PAYMENTS},
    }


@pytest.mark.proves("CAMP-02", "CAMP-09", "CAMP-10", "CAMP-11", "CAMP-14", "CAMP-15", "CAMP-16", "CAMP-17", "CAMP-18")
async def test_a_stay_from_its_request_to_its_end(world: World) -> None:
    await pitches(world, "CAMP-1", 3)
    opened = await world.post(PATH, wish("CAMP-1", "camper@example.com", start=0))
    assert opened["status"] == "PENDING"  # 201 before anybody has read the event
    booking_id = opened["booking_id"]
    booking = await world.ended(PATH, booking_id)
    assert booking["status"] == "CONFIRMED"
    assert (await world.post(f"{PATH}/{booking_id}/check-in", {}))["status"] == "CHECKED_IN"
    assert (await world.post(f"{PATH}/{booking_id}/check-out", {}))["status"] == "COMPLETED"

    told = [event["EventType"] for event in await world.of("BookingId", booking_id, BOOKINGS)]
    assert told == ["BookingCreated", "BookingConfirmed", "BookingCompleted"]
    [paid] = await eventually(lambda: world.of("BookingId", booking_id, PAYMENTS))
    assert (paid["EventType"], paid["Amount"], paid["Currency"]) == ("PaymentProcessed", 200.0, "EUR")
    mails = await world.mails("camper@example.com", "We have your request RSV-", "Your receipt over €200.00")
    assert len(mails) == 2
    user_id = booking["user_id"]
    notices = await world.told_in_app(user_id, "booking_received", "booking_confirmed", "payment_received")
    assert len(notices) == 3
    period = f"from={TODAY}&to={TODAY + dt.timedelta(days=300)}"

    async def counted() -> bool:
        kpis = await world.get(f"/api/analytics/kpis?property_id=CAMP-1&{period}")
        captured = [{"amount": "200.00", "currency": "EUR"}]
        return (kpis["bookings"], kpis["confirmed"], kpis["captured"]) == (1, 1, captured)

    await eventually(counted)


@pytest.mark.proves("CAMP-02", "CAMP-04", "CAMP-09")
async def test_a_cancellation_gives_the_money_back_and_says_so(world: World) -> None:
    await pitches(world, "CAMP-2", 3)
    booking_id = (await world.post(PATH, wish("CAMP-2", "leaver@example.com")))["booking_id"]
    await world.ended(PATH, booking_id)
    await world.post(f"{PATH}/{booking_id}/cancel", {"reason": "rain"})
    await world.mails("leaver@example.com", "Your booking RSV-", "€200.00 are on their way back to you")
    cancelled = (await world.of("BookingId", booking_id, BOOKINGS))[-1]
    assert (cancelled["EventType"], cancelled["CancellationReason"]) == ("BookingCancelled", "rain")
    payments = [event["EventType"] for event in await world.of("BookingId", booking_id, PAYMENTS)]
    assert payments == ["PaymentProcessed", "RefundProcessed"]
    await eventually(lambda: is_free(world, "CAMP-2", [3, 3]))


async def test_what_cannot_be_had_is_rejected_and_not_paid(world: World) -> None:
    await pitches(world, "CAMP-3", 1)
    declined = (await world.post(PATH, wish("CAMP-3", token="tok_declined")))["booking_id"]
    assert (await world.ended(PATH, declined))["reason"] == "card_declined"
    first = (await world.post(PATH, wish("CAMP-3")))["booking_id"]
    assert (await world.ended(PATH, first))["status"] == "CONFIRMED"
    second = (await world.post(PATH, wish("CAMP-3")))["booking_id"]
    ended = await world.ended(PATH, second)
    assert (ended["status"], ended["reason"]) == ("REJECTED", "sold_out")
    for booking_id, reason in ((declined, "card_declined"), (second, "sold_out")):
        [rejected] = await world.heard("booking.booking.rejected", booking_id)
        assert rejected["reason"] == reason
        assert await world.of("BookingId", booking_id, PAYMENTS) == []


@pytest.mark.proves("CAMP-03", "CAMP-09")
async def test_users_are_told_of_and_welcomed(world: World) -> None:
    body = {"email": "new@example.com", "first_name": "John", "last_name": "Doe"}
    user_id = (await world.post("/api/users", body))["user_id"]
    await world.patch(f"/api/users/{user_id}", {"first_name": "Jack"})
    created, updated = await eventually(lambda: both(world, user_id))
    assert (created["EventType"], created["FirstName"]) == ("UserCreated", "John")
    assert (updated["EventType"], updated["FirstName"]) == ("UserUpdated", "Jack")
    assert await world.mails("new@example.com", "Welcome") == ["Welcome to Vacancy"]


async def both(world: World, user_id: str) -> list[Body] | None:
    found = await world.of("UserId", user_id, USERS)
    return found if len(found) == 2 else None


@pytest.mark.proves("CAMP-12", "CAMP-13", "CAMP-25")
async def test_every_message_has_the_documents_fields_and_key(world: World) -> None:
    """After the journeys above: of each type there is one."""
    said = await world.said(BOOKINGS, USERS, PAYMENTS)
    assert {each.body["EventType"] for each in said} == set(FIELDS)
    for each in said:
        assert list(each.body) == FIELDS[each.body["EventType"]].split()
        assert each.key == each.body[KEYS[each.topic]]
        assert uuid.UUID(each.body["EventId"])
        assert each.body["Timestamp"].endswith("Z")
        assert each.headers["ce_id"].decode() == each.body["EventId"]
        if "CheckInDate" in each.body:
            nights = dt.date.fromisoformat(each.body["CheckOutDate"]) - dt.date.fromisoformat(each.body["CheckInDate"])
            # Who checked out long before the last day stayed one night, and paid for both.
            left_early = each.body["EventType"] == "BookingCompleted" and (nights.days, each.body["TotalPrice"]) == (
                1,
                200.0,
            )
            assert left_early or (nights.days, each.body["TotalPrice"]) in ((1, 100.0), (2, 200.0))


@pytest.mark.proves("CAMP-12")
async def test_another_programs_booking_takes_part_fully(world: World) -> None:
    campsite = str(uuid.uuid4())
    await pitches(world, campsite, 1, "250.00")
    sample = created(campsite, 1500.00)
    booking_id = sample["BookingId"]
    await world.tell(BOOKINGS, sample)
    booking = await world.ended(PATH, booking_id)
    assert booking["status"] == "CONFIRMED"
    assert (booking["check_in"], booking["check_out"]) == (sample["CheckInDate"], sample["CheckOutDate"])
    assert (booking["price"]["amount"], booking["user_id"]) == ("1500.00", sample["GuestId"])
    mails = await world.mails(sample["GuestEmail"], "We have your request", "Your receipt over €1,500.00")
    assert len(mails) == 2
    told = await world.of("BookingId", booking_id, BOOKINGS)
    assert [event["EventType"] for event in told].count("BookingCreated") == 1  # it is not published again
    assert sorted(event["EventType"] for event in told) == ["BookingConfirmed", "BookingCreated"]

    cancel = {"EventId": str(uuid.uuid4()), "EventType": "BookingCancelled", "Timestamp": sample["Timestamp"]}
    await world.tell(BOOKINGS, {**cancel, "BookingId": booking_id})
    await world.ended(PATH, booking_id, "CANCELLED")
    await eventually(lambda: is_free(world, campsite, [1] * 6))

    async def refunded() -> bool:
        payments = await world.of("BookingId", booking_id, PAYMENTS)
        return [event["EventType"] for event in payments] == ["PaymentProcessed", "RefundProcessed"]

    await eventually(refunded)


async def test_another_programs_wrong_price_and_unknown_place_are_rejected(world: World) -> None:
    await pitches(world, "CAMP-4", 1)
    dear, nowhere = created("CAMP-4", 599.99), created("CAMP-NOWHERE", 600.00)
    for sample in (dear, nowhere):
        await world.tell(BOOKINGS, {**sample, "EventType": "BookingCreatedEvent"})
    assert (await world.ended(PATH, dear["BookingId"]))["reason"] == "price_changed"
    assert (await world.ended(PATH, nowhere["BookingId"]))["reason"] == "unknown_resource"


@pytest.mark.proves("CAMP-13", "CAMP-09")
async def test_another_programs_user_is_a_user_and_welcomed(world: World) -> None:
    sample = {
        "EventId": str(uuid.uuid4()),
        "EventType": "UserCreated",
        "Timestamp": "2024-01-15T10:30:00Z",
        "UserId": str(uuid.uuid4()),
        "Email": "doe@example.com",
        "FirstName": "John",
        "LastName": "Doe",
    }
    await world.tell(USERS, sample)
    assert await world.mails("doe@example.com", "Welcome") == ["Welcome to Vacancy"]
    user = await world.get(f"/api/users/{sample['UserId']}")
    assert (user["email"], user["first_name"], user["last_name"]) == ("doe@example.com", "John", "Doe")
    assert len(await world.of("UserId", str(sample["UserId"]), USERS)) == 1


async def test_what_is_not_theirs_to_say_changes_nothing(world: World) -> None:
    await pitches(world, "CAMP-5", 1)
    booking_id = (await world.post(PATH, wish("CAMP-5")))["booking_id"]
    before = await world.ended(PATH, booking_id)
    told = [each for each in await world.said(BOOKINGS) if each.body["BookingId"] == booking_id]
    confirmed = next(each for each in told if each.body["EventType"] == "BookingConfirmed")
    copied = confirmed.record.value or b""
    changed = [(name, b"{}" if name == "vacancy-rest" else value) for name, value in confirmed.record.headers]
    completed = {**confirmed.body, "EventId": str(uuid.uuid4()), "EventType": "BookingCompleted"}
    await world.tell(BOOKINGS, copied, booking_id, changed)
    await world.tell(BOOKINGS, completed, booking_id)
    await world.tell(BOOKINGS, b'{"EventId": "', booking_id)
    await world.tell(PAYMENTS, {"EventId": "x", "EventType": "RefundProcessed", "Timestamp": "2024-01-15T10:30:00Z"})
    await world.buried(BOOKINGS, copied, as_="not-ours")
    await world.buried(BOOKINGS, json_of(completed), as_="not-ours")
    await world.buried(BOOKINGS, b'{"EventId": "', as_="undecodable")
    assert await world.get(f"{PATH}/{booking_id}") == before


@pytest.mark.parametrize("seed", range(2))
async def test_the_last_pitch_is_sold_once(world: World, seed: int) -> None:
    await pitches(world, f"LAST-{seed}", 1)
    ends = await world.race(PATH, lambda: world.call("POST", PATH, wish(f"LAST-{seed}")))
    assert ends == ONE_OF_A_HUNDRED
    assert await free(world, f"LAST-{seed}") == [0, 0]


@in_time
async def test_a_killed_worker_loses_nothing(world: World, running: Instance, tmp_path: Path) -> None:
    await killed_under_load(running, tmp_path)


async def test_the_log_says_what_the_rows_hold(world: World, running: Instance, tmp_path: Path) -> None:
    services = ("booking", "availability", "payment", "user", "notification", "analytics")
    await rebuilt(running, tmp_path, *services)
    await audited(running)


async def pitches(world: World, campsite: str, capacity: int, price: str = "100.00") -> None:
    body = {"capacity": capacity, "base_price": {"amount": price, "currency": "EUR"}}
    await world.put(f"/api/properties/{campsite}/units/pitch", body)


async def free(world: World, campsite: str, nights: int = 2, start: int = 30) -> list[int]:
    begin = TODAY + dt.timedelta(days=start)
    query = f"property_id={campsite}&unit_type=pitch&from={begin}&to={begin + dt.timedelta(days=nights)}"
    return [night["free"] for night in (await world.get(f"/api/availability?{query}"))["nights"]]


async def is_free(world: World, campsite: str, nights: list[int]) -> bool:
    return await free(world, campsite, len(nights)) == nights


def wish(campsite: str, email: str | None = None, token: str = "tok_visa", start: int = 30) -> Body:
    body = stay(campsite, start=start, token=token)
    guest = {**body["guest"], **({"email": email} if email else {})}
    return {**body, "unit_type": "pitch", "guest": guest}


def created(campsite: str, price: float) -> Body:
    """The document's sample, in the future: six nights."""
    check_in = TODAY + dt.timedelta(days=30)
    return {
        "EventId": str(uuid.uuid4()),
        "EventType": "BookingCreated",
        "Timestamp": "2024-01-15T10:30:00Z",
        "BookingId": str(uuid.uuid4()),
        "GuestId": str(uuid.uuid4()),
        "CampsiteId": campsite,
        "CheckInDate": str(check_in),
        "CheckOutDate": str(check_in + dt.timedelta(days=6)),
        "TotalPrice": price,
        "GuestEmail": f"{uuid.uuid4().hex[:8]}@example.com",
    }
