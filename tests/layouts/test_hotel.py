"""The modern reservation system (HTL): a reservation, and the five services that hear of it at the same time."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path

import pytest

from bench.chaos.instance import Instance
from tests.layouts.broker import OnBroker, documented, groups_of, topics_of
from tests.layouts.closing import audited, in_time, killed_under_load, rebuilt, vacancy
from tests.layouts.world import ONE_OF_A_HUNDRED, Body, World, json_of
from tests.whole.api import TODAY, eventually, stay

LAYOUT = "hotel"
pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

RESERVATIONS = tuple(
    f"reservation.{what}" for what in ("created", "confirmed", "modified", "cancelled", "checkin", "checkout")
)
PAYMENTS = tuple(f"payment.{what}" for what in ("initiated", "authorized", "captured", "failed", "refunded", "settled"))
RATES = ("rate.updated", "rate.applied")
NIGHTS = ("availability.updated", "availability.overbooked")
TRACKED = "analytics.reservation"
#: HTL-29: ours, in the document's manner.
COMPLETION = "reservation.cancellation_completed"
TOPICS = (*RESERVATIONS, COMPLETION, *PAYMENTS, *RATES, *NIGHTS, TRACKED)
PATH = "/api/reservations"

#: The document's fields of `reservation.created`; what stands in its objects, and the other topics', is ours.
RESERVATION = "eventId eventType confirmationNumber propertyId guestDetails stayDetails pricingDetails"
GUEST = "guestId email firstName lastName phone"
STAY = "reservationId unitType checkIn checkOut quantity status"
PRICE = "totalPrice currency"
PAYMENT = "eventId eventType propertyId confirmationNumber paymentId reservationId guestId amount currency provider"
NIGHT = "eventId eventType propertyId unitType slot capacity held"
RATE = "eventId eventType propertyId unitType price currency"
FLAT = {
    "payment.initiated": f"{PAYMENT} status",
    "payment.authorized": f"{PAYMENT} providerPaymentId paymentMethod",
    "payment.captured": f"{PAYMENT} providerPaymentId paymentMethod",
    "payment.failed": f"{PAYMENT} errorCode errorMessage",
    "payment.refunded": f"{PAYMENT} refundId providerRefundId reason",
    "payment.settled": f"{PAYMENT} settlementId",
    "rate.updated": RATE,
    "rate.applied": f"{RATE} reservationId",
    "availability.updated": f"{NIGHT} free",
    "availability.overbooked": f"{NIGHT} overbookingLimit",
    TRACKED: "eventId eventType propertyId trackedId name entityId properties",
}


@pytest.mark.proves("HTL-08", "HTL-09", "HTL-10", "HTL-11")
async def test_the_topics_are_the_documents(world: World) -> None:
    assert documented(await topics_of(world.bootstrap)) == {topic: OnBroker(3, 7) for topic in TOPICS}


@pytest.mark.proves("HTL-11", "HTL-12", "HTL-19", "HTL-25", "HTL-30", "HTL-31", "HTL-33")
async def test_every_service_reads_what_concerns_it(world: World) -> None:
    groups = await groups_of(world.bootstrap)
    assert groups["availability-calculator-group"] == {RESERVATIONS[0], "reservation.modified", "reservation.cancelled"}
    assert groups["payment-processor-group"] == {RESERVATIONS[0], "reservation.cancelled"}
    assert groups["rate-management-group"] == {RESERVATIONS[0], "availability.updated"}
    assert groups["analytics-engine-group"] == {*TOPICS, "vacancy.events"} - {TRACKED}
    assert groups["reservation-engine-group"] >= {"payment.authorized"}
    assert {name for name in groups if not name.startswith("vacancy-")} == {
        f"{name}-group"
        for name in (
            "reservation-engine",
            "availability-calculator",
            "payment-processor",
            "rate-management",
            "analytics-engine",
        )
    }


@pytest.mark.proves(
    "HTL-02",
    "HTL-03",
    "HTL-05",
    "HTL-06",
    "HTL-15",
    "HTL-16",
    "HTL-17",
    "HTL-19",
    "HTL-20",
    "HTL-21",
    "HTL-22",
    "HTL-23",
    "HTL-24",
    "HTL-26",
)
async def test_a_reservation_reaches_the_documents_final_state(world: World) -> None:
    await rooms(world, "PROP-001", 5)
    answer = await world.call("POST", PATH, stay("PROP-001"))
    assert answer.status == 201
    number, reservation = answer.body["confirmation_number"], answer.body["booking_id"]
    assert number.startswith(f"RSV-{TODAY.year}-")
    booking = await world.ended(PATH, reservation)
    assert booking["status"] == "CONFIRMED"

    [created] = await world.of("reservationId", reservation, "reservation.created")
    assert (created["confirmationNumber"], created["propertyId"]) == (number, "PROP-001")
    assert created["pricingDetails"] == {"totalPrice": 200.0, "currency": "EUR"}
    [confirmed] = await world.of("reservationId", reservation, "reservation.confirmed")
    assert confirmed["stayDetails"]["status"] == "CONFIRMED"
    [authorized] = await world.of("reservationId", reservation, "payment.authorized")
    assert (authorized["amount"], authorized["paymentMethod"]["last4"]) == (200.0, "4242")
    [captured] = await eventually(lambda: world.of("reservationId", reservation, "payment.captured"))
    assert captured["paymentId"] == authorized["paymentId"] == booking["payment_id"]
    nights = await world.of("propertyId", "PROP-001", "availability.updated")
    assert [(night["held"], night["free"]) for night in nights] == [(1, 4), (1, 4)]
    [applied] = await eventually(lambda: world.of("reservationId", reservation, "rate.applied"))
    assert applied["price"] == 200.0

    async def tracked() -> bool:
        names = {event["name"] for event in await world.of("entityId", reservation, TRACKED)}
        return {"booking.booking.created", "booking.booking.confirmed", "payment.payment.authorized"} <= names

    await eventually(tracked)
    assert await free(world, "PROP-001") == [4, 4]
    await eventually(lambda: has_kpis(world, "PROP-001", confirmed=1, revenue="200.00"))


@pytest.mark.proves("HTL-02", "HTL-03", "HTL-08")
async def test_a_reservation_is_changed_then_stayed(world: World) -> None:
    await rooms(world, "PROP-002", 2)
    reservation = (await world.post(PATH, stay("PROP-002", start=0, nights=3)))["booking_id"]
    booking = await world.ended(PATH, reservation)
    await eventually(lambda: world.of("reservationId", reservation, "payment.captured"))
    start = dt.date.fromisoformat(booking["check_in"])
    changed = await world.patch(f"{PATH}/{reservation}", {"check_out": str(start + dt.timedelta(days=2))})
    assert (changed["revision"], changed["price"]["amount"]) == (2, "200.00")
    await eventually(lambda: is_free(world, "PROP-002", [1, 1, 2], start=0))
    [modified] = await world.of("reservationId", reservation, "reservation.modified")
    assert modified["stayDetails"]["checkOut"] == changed["check_out"]

    async def checked_in() -> bool:  # the money of the change is on its way
        return (await world.call("POST", f"{PATH}/{reservation}/check-in", {})).status == 200

    await eventually(checked_in)
    assert (await world.post(f"{PATH}/{reservation}/check-out", {}))["status"] == "COMPLETED"
    for topic, status in (("reservation.checkin", "CHECKED_IN"), ("reservation.checkout", "COMPLETED")):
        [said] = await world.of("reservationId", reservation, topic)
        assert said["stayDetails"]["status"] == status


@pytest.mark.proves("HTL-28", "HTL-29", "HTL-05")
async def test_a_cancellation_restores_refunds_and_is_counted(world: World) -> None:
    await rooms(world, "PROP-003", 1)
    reservation = (await world.post(PATH, stay("PROP-003")))["booking_id"]
    await world.ended(PATH, reservation)
    cancelled = await world.post(f"{PATH}/{reservation}/cancel", {"reason": "plans changed"})
    assert cancelled["cancellation"]["refund"]["amount"] == "200.00"
    [said] = await world.of("reservationId", reservation, "reservation.cancelled")
    assert (said["stayDetails"]["reason"], said["pricingDetails"]["refundAmount"]) == ("plans changed", 200.0)
    [refunded] = await eventually(lambda: world.of("reservationId", reservation, "payment.refunded"))
    assert refunded["amount"] == 200.0
    await eventually(lambda: is_free(world, "PROP-003", [1, 1]))
    await eventually(lambda: has_kpis(world, "PROP-003", confirmed=1, cancelled=1))
    [completed] = await eventually(lambda: world.of("reservationId", reservation, COMPLETION))
    assert (completed["stayDetails"]["status"], completed["pricingDetails"]["refundedAmount"]) == ("CANCELLED", 200.0)
    shown = (await world.get(f"{PATH}/{reservation}"))["cancellation"]
    assert (shown["inventory"], shown["money"], shown["figures"]) == ("done", "done", "done")


@pytest.mark.proves("HTL-03", "HTL-20", "HTL-09")
async def test_what_cannot_be_had_is_rejected(world: World) -> None:
    await rooms(world, "PROP-004", 2)
    declined = (await world.post(PATH, stay("PROP-004", token="tok_declined")))["booking_id"]
    assert (await world.ended(PATH, declined))["reason"] == "card_declined"
    [failed] = await world.of("reservationId", declined, "payment.failed")
    assert failed["errorCode"] == "card_declined"
    both = (await world.post(PATH, stay("PROP-004", quantity=2)))["booking_id"]
    assert (await world.ended(PATH, both))["status"] == "CONFIRMED"
    third = (await world.post(PATH, stay("PROP-004")))["booking_id"]
    assert (await world.ended(PATH, third))["reason"] == "sold_out"
    await rooms(world, "PROP-004", 1)  # fewer than are sold: somebody has to know
    overbooked = await eventually(lambda: world.of("propertyId", "PROP-004", "availability.overbooked"))
    assert {(night["capacity"], night["held"]) for night in overbooked} == {(1, 2)}


@pytest.mark.proves("HTL-05", "HTL-09")
async def test_what_was_captured_is_settled(world: World, running: Instance) -> None:
    captured = {each.body["paymentId"] for each in await world.said("payment.captured")}
    code, out = await vacancy(running, "settle", "--json")
    assert code == 0, out
    settled = await world.said("payment.settled")
    assert captured >= {each.body["paymentId"] for each in settled}
    assert len({each.body["settlementId"] for each in settled}) == 1


@pytest.mark.proves("HTL-04", "HTL-10")
async def test_a_price_that_changes_is_told(world: World) -> None:
    await rooms(world, "PROP-005", 2, "100.00")
    await rooms(world, "PROP-005", 2, "120.00")
    updated = await eventually(lambda: world.of("propertyId", "PROP-005", "rate.updated"))
    assert updated[-1]["price"] == 120.0


@pytest.mark.proves("HTL-08", "HTL-09", "HTL-10", "HTL-18")
async def test_every_message_has_the_documents_fields_and_its_propertys_key(world: World) -> None:
    """After the journeys above: on each topic there is one."""
    said = await world.said(*TOPICS)
    assert {each.topic for each in said} == set(TOPICS)
    for each in said:
        assert each.body["eventType"] == each.topic
        assert each.headers["ce_id"].decode() == each.body["eventId"]
        # News of a guest concerns no property.
        assert each.key == (each.body["propertyId"] or each.body["entityId"])
        assert each.body["propertyId"] or each.body["name"].startswith(("user.", "notification."))
        if each.topic in FLAT:
            assert set(each.body) == set(FLAT[each.topic].split()), each
        else:
            assert list(each.body) == RESERVATION.split()
            assert list(each.body["guestDetails"]) == GUEST.split()[: len(each.body["guestDetails"])]
            assert set(each.body["stayDetails"]) - {"reason", "cancelledBy"} == set(STAY.split())
            beside = {"paymentId", "refundEligible", "refundAmount", "refundCurrency", "refundedAmount"}
            assert set(each.body["pricingDetails"]) - beside == set(PRICE.split())


@pytest.mark.proves("HTL-18", "HTL-19")
async def test_another_programs_reservation_takes_part_fully(world: World) -> None:
    await rooms(world, "PROP-006", 1)
    sample = created("PROP-006", 200.00)
    reservation = sample["stayDetails"]["reservationId"]
    await world.tell("reservation.created", sample)
    booking = await world.ended(PATH, reservation)
    assert (booking["status"], booking["price"]["amount"]) == ("CONFIRMED", "200.00")
    await eventually(lambda: world.of("reservationId", reservation, "payment.captured"))
    assert len(await world.of("reservationId", reservation, "reservation.created")) == 1
    assert len(await world.of("reservationId", reservation, "reservation.confirmed")) == 1
    await eventually(lambda: world.of("reservationId", reservation, "rate.applied"))
    cancel = {"eventId": str(uuid.uuid4()), "eventType": "reservation.cancelled", "propertyId": "PROP-006"}
    await world.tell("reservation.cancelled", {**cancel, "stayDetails": {"reservationId": reservation}})
    await world.ended(PATH, reservation, "CANCELLED")
    await eventually(lambda: is_free(world, "PROP-006", [1, 1]))
    await eventually(lambda: world.of("reservationId", reservation, "payment.refunded"))


async def test_another_programs_wrong_price_and_unknown_room_are_rejected(world: World) -> None:
    await rooms(world, "PROP-007", 1)
    dear, nowhere = created("PROP-007", 199.0), created("PROP-NOWHERE", 200.0)
    for sample in (dear, nowhere):
        await world.tell("reservation.created", sample)
    assert (await world.ended(PATH, dear["stayDetails"]["reservationId"]))["reason"] == "price_changed"
    assert (await world.ended(PATH, nowhere["stayDetails"]["reservationId"]))["reason"] == "unknown_resource"


async def test_what_is_not_theirs_to_say_changes_nothing(world: World) -> None:
    await rooms(world, "PROP-008", 1)
    reservation = (await world.post(PATH, stay("PROP-008")))["booking_id"]
    before = await world.ended(PATH, reservation)
    said = await world.said("reservation.confirmed")
    confirmed = next(each for each in said if each.body["stayDetails"]["reservationId"] == reservation)
    copied = confirmed.record.value or b""
    changed = [(name, b"{}" if name == "vacancy-rest" else value) for name, value in confirmed.record.headers]
    [captured] = await eventually(lambda: world.of("reservationId", reservation, "payment.captured"))
    await world.tell("reservation.confirmed", copied, "PROP-008", changed)
    await world.tell("payment.captured", captured, "PROP-008")
    await world.tell("reservation.created", b"\xff\x00", "PROP-008")
    await world.buried("reservation.confirmed", copied, as_="not-ours")
    await world.buried("payment.captured", json_of(captured), as_="not-ours")
    await world.buried("reservation.created", b"\xff\x00", as_="undecodable")
    assert await world.get(f"{PATH}/{reservation}") == before


@pytest.mark.parametrize("seed", range(2))
async def test_the_last_room_is_sold_once(world: World, seed: int) -> None:
    await rooms(world, f"LAST-{seed}", 1)
    ends = await world.race(PATH, lambda: world.call("POST", PATH, stay(f"LAST-{seed}")))
    assert ends == ONE_OF_A_HUNDRED
    assert await free(world, f"LAST-{seed}") == [0, 0]


@in_time
async def test_a_killed_worker_loses_nothing(world: World, running: Instance, tmp_path: Path) -> None:
    await killed_under_load(running, tmp_path)


async def test_the_log_says_what_the_rows_hold(world: World, running: Instance, tmp_path: Path) -> None:
    await rebuilt(running, tmp_path, "booking", "availability", "payment", "notification", "rate", "analytics")
    await audited(running)


async def rooms(world: World, hotel: str, capacity: int, price: str = "100.00") -> None:
    body = {"capacity": capacity, "base_price": {"amount": price, "currency": "EUR"}}
    await world.put(f"/api/properties/{hotel}/units/standard", body)


async def free(world: World, hotel: str, nights: int = 2, start: int = 30) -> list[int]:
    return await world.free(hotel, start, nights)


async def is_free(world: World, hotel: str, nights: list[int], start: int = 30) -> bool:
    return await free(world, hotel, len(nights), start) == nights


async def has_kpis(world: World, hotel: str, revenue: str | None = None, **counts: int) -> bool:
    period = f"from={TODAY}&to={TODAY + dt.timedelta(days=300)}"
    found = await world.get(f"/api/analytics/kpis?property_id={hotel}&{period}")
    sums = [{"amount": revenue, "currency": "EUR"}] if revenue else found["revenue"]
    return bool({name: found[name] for name in counts} == counts and found["revenue"] == sums)


def created(hotel: str, price: float) -> Body:
    """The document's sample with something in its objects: two nights."""
    check_in = TODAY + dt.timedelta(days=30)
    return {
        "eventId": str(uuid.uuid4()),
        "eventType": "reservation.created",
        "confirmationNumber": "RSV-2025-001234",
        "propertyId": hotel,
        "guestDetails": {"email": f"{uuid.uuid4().hex[:8]}@example.com", "firstName": "Bo", "lastName": "Doe"},
        "stayDetails": {
            "reservationId": str(uuid.uuid4()),
            "unitType": "standard",
            "checkIn": str(check_in),
            "checkOut": str(check_in + dt.timedelta(days=2)),
        },
        "pricingDetails": {"totalPrice": price, "currency": "EUR"},
    }
