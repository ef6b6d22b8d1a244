"""A sold-out weekend over HTTP: waiting, being offered, accepting; and what is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from agents.availability import due
from agents.ticking import tell_due
from streams.events import Envelope
from streams.events.availability import Hold
from streams.events.payment import Authorize
from streams.events.waitlist import EntryDue, EntryOffered, JoinWaitlist
from tests.web.conftest import Gateway, day, stay

PAYS = {"payment_method": {"token": "tok_visa"}}
MINUTES = timedelta(minutes=1)


def wish(**more: object) -> dict[str, Any]:
    """The nights of `stay`, without a payment."""
    return {name: value for name, value in stay(**more).items() if name != "payment_method"}


async def joined(gateway: Gateway, email: str = "ada@example.com", **more: object) -> dict[str, Any]:
    guest = {"email": email, "first_name": "Ada", "last_name": "Guest"}
    answer = await gateway.call("POST", "/api/waitlist", wish(guest=guest, **more))
    assert answer.status == 201, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def entry_of(gateway: Gateway, entry: dict[str, Any]) -> dict[str, Any]:
    answer = await gateway.call("GET", entry["links"]["self"])
    assert answer.status == 200
    found: dict[str, Any] = await answer.json()
    return found


async def tick(gateway: Gateway) -> list[str]:
    """What the worker's timer does: everything that is due by now is told so. The ids of what was."""
    said: list[Envelope] = []

    class Voice:
        def say(self, envelope: Envelope) -> asyncio.Future[None]:
            said.append(envelope)
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done

    service: Any = SimpleNamespace(store=gateway.instance.stores["availability"])
    runtime: Any = SimpleNamespace(voice=Voice())
    await tell_due(service, runtime, due, gateway.instance.now)
    for each in said:
        await gateway.instance.append(each.data, source="ticker")
    return [each.data.entry_id for each in said if isinstance(each.data, EntryDue)]


async def sold_out(gateway: Gateway, **more: object) -> dict[str, Any]:
    """One room, and who has it."""
    await gateway.unit(capacity=1, **more)
    return await gateway.book()


async def test_two_wait_one_cancels_the_first_lets_it_lapse_the_second_accepts(gateway: Gateway) -> None:
    booked = await sold_out(gateway, time_zone="Europe/Amsterdam")
    first, second = await joined(gateway), await joined(gateway, "bob@example.com")
    assert (first["status"], first["position"], second["position"]) == ("WAITING", 1, 2)
    assert first["guest"]["email"] == "ada@example.com"

    await gateway.call("POST", booked["links"]["cancel"])
    offered = await entry_of(gateway, first)
    assert (offered["status"], offered["position"]) == ("OFFERED", None)
    assert offered["offer_until"] == "2026-11-21T13:00:00Z"
    assert (await entry_of(gateway, second))["position"] == 1
    refused = await (await gateway.call("GET", (await gateway.book())["links"]["self"])).json()
    assert (refused["status"], refused["reason"]) == ("REJECTED", "sold_out")

    gateway.instance.now += 60 * MINUTES
    late = await gateway.call("POST", first["links"]["accept"], PAYS)
    assert (late.status, (await late.json())["entry_status"]) == (409, "EXPIRED")
    gateway.instance.now += MINUTES
    assert await tick(gateway) == [first["entry_id"]]
    assert await tick(gateway) == []
    assert (await entry_of(gateway, first))["status"] == "EXPIRED"

    answer = await gateway.call("POST", second["links"]["accept"], PAYS)
    opened = await answer.json()
    assert (answer.status, opened["booking_id"]) == (201, second["entry_id"])
    again = await gateway.call("POST", second["links"]["accept"], PAYS)
    assert (again.status, await again.json()) == (201, opened)
    booking = await (await gateway.call("GET", opened["links"]["self"])).json()
    assert (booking["status"], booking["guest"]["email"]) == ("CONFIRMED", "bob@example.com")
    assert (booking["check_in"], booking["check_out"]) == (str(day(30)), str(day(32)))
    accepted = await entry_of(gateway, second)
    assert (accepted["status"], accepted["booking_id"]) == ("ACCEPTED", opened["booking_id"])
    assert accepted["links"]["booking"] == opened["links"]["self"]


async def test_a_declined_acceptance_hands_the_offer_on(gateway: Gateway) -> None:
    booked = await sold_out(gateway)
    first, second = await joined(gateway), await joined(gateway, "bob@example.com")
    await gateway.call("POST", booked["links"]["cancel"])
    gateway.instance.declines = "card_declined"
    opened = await (await gateway.call("POST", first["links"]["accept"], PAYS)).json()
    booking = await (await gateway.call("GET", opened["links"]["self"])).json()
    assert (booking["status"], booking["reason"]) == ("REJECTED", "card_declined")
    assert (await entry_of(gateway, second))["status"] == "OFFERED"
    other_card = await gateway.call("POST", first["links"]["accept"], {"payment_method": {"token": "tok_other"}})
    assert other_card.status == 409


async def test_an_acceptance_that_waits_for_its_hold_keeps_the_offer(gateway: Gateway) -> None:
    """The booking is made and inventory has not heard of it yet: the nights stay the guest's, also after the hour."""
    booked = await sold_out(gateway)
    entry = await joined(gateway)
    await gateway.call("POST", booked["links"]["cancel"])
    gateway.instance.paused.add("availability")
    opened = await (await gateway.call("POST", entry["links"]["accept"], PAYS)).json()
    rival = await gateway.book()
    gateway.instance.paused.clear()
    await gateway.instance.run()
    assert (await (await gateway.call("GET", opened["links"]["self"])).json())["status"] == "CONFIRMED"
    assert (await (await gateway.call("GET", rival["links"]["self"])).json())["status"] == "REJECTED"


async def test_a_retry_joins_once(gateway: Gateway) -> None:
    await sold_out(gateway)
    one = await gateway.call("POST", "/api/waitlist", wish(), Idempotency_Key="k")
    other = await gateway.call("POST", "/api/waitlist", wish(), Idempotency_Key="k")
    assert (one.status, other.status) == (201, 201)
    assert await one.json() == await other.json()
    assert one.headers["Location"] == (await one.json())["links"]["self"]
    reused = await gateway.call("POST", "/api/waitlist", wish(quantity=2), Idempotency_Key="k")
    assert (reused.status, (await reused.json())["type"]) == (422, "urn:vacancy:problem:idempotency-key-reused")
    await gateway.unit(min_stay=5)
    late = await gateway.call("POST", "/api/waitlist", wish(), Idempotency_Key="k")
    assert (late.status, await late.json()) == (201, await one.json())


async def test_a_booking_and_an_entry_may_have_the_same_key(gateway: Gateway) -> None:
    await gateway.unit(capacity=1)
    booked = await (await gateway.call("POST", "/api/reservations", stay(), Idempotency_Key="k")).json()
    entry = await (await gateway.call("POST", "/api/waitlist", wish(), Idempotency_Key="k")).json()
    assert entry["entry_id"] != booked["booking_id"]


async def test_the_operator_sees_who_waits_in_order(gateway: Gateway) -> None:
    booked = await sold_out(gateway)
    names = [(await joined(gateway, f"guest{number}@example.com"))["entry_id"] for number in range(3)]
    path = "/api/waitlist?property_id=PROP-001&unit_type=standard"
    listed = (await (await gateway.call("GET", path)).json())["entries"]
    assert [(entry["entry_id"], entry["position"]) for entry in listed] == list(zip(names, (1, 2, 3), strict=True))
    await gateway.call("POST", booked["links"]["cancel"])
    listed = (await (await gateway.call("GET", path)).json())["entries"]
    assert [entry["status"] for entry in listed] == ["OFFERED", "WAITING", "WAITING"]
    assert [entry["position"] for entry in listed] == [None, 1, 2]
    assert (await gateway.call("GET", "/api/waitlist?property_id=none&unit_type=none")).status == 422
    assert (await gateway.call("GET", "/api/waitlist?property_id=PROP-001")).status == 422


async def test_who_withdraws_leaves_the_queue_and_lets_go_of_the_offer(gateway: Gateway) -> None:
    booked = await sold_out(gateway)
    first, second = await joined(gateway), await joined(gateway, "bob@example.com")
    await gateway.call("POST", booked["links"]["cancel"])
    for _ in range(2):
        answer = await gateway.call("POST", first["links"]["withdraw"])
        assert (answer.status, (await answer.json())["status"]) == (200, "WITHDRAWN")
    assert (await entry_of(gateway, second))["status"] == "OFFERED"
    await gateway.call("POST", second["links"]["accept"], PAYS)
    answer = await gateway.call("POST", second["links"]["withdraw"])
    assert (answer.status, (await answer.json())["type"]) == (409, "urn:vacancy:problem:not-withdrawable")


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        ({"check_in": str(day(40)), "check_out": str(day(41))}, 409, "nights-are-free"),
        ({"quantity": 2}, 422, "quantity"),
        ({"unit_type": "none"}, 422, "unit_type"),
        ({"check_in": str(day(-1))}, 422, "check_in"),
        ({"check_out": str(day(30))}, 422, "check_out"),
        ({"payment_method": {"token": "tok_visa"}}, 422, "payment_method"),
    ],
    ids=["free", "too many", "unknown", "past", "no nights", "a payment"],
)
async def test_who_cannot_wait_is_told_why(gateway: Gateway, more: dict[str, Any], status: int, says: str) -> None:
    await sold_out(gateway)
    for _ in range(2):
        answer = await gateway.call("POST", "/api/waitlist", wish() | more, Idempotency_Key="k")
        assert answer.status == status
        assert says in await answer.text()


async def test_nobody_waits_after_the_last_call(gateway: Gateway) -> None:
    await gateway.unit(capacity=1, time_zone="Europe/Amsterdam")
    tonight = {"check_in": str(day(0)), "check_out": str(day(1))}
    await gateway.book(**tonight)
    entry = await joined(gateway, **tonight)
    assert entry["last_call"] == "2026-11-21T17:00:00Z"
    gateway.instance.now = gateway.instance.now.replace(hour=17)
    answer = await gateway.call("POST", "/api/waitlist", wish(**tonight))
    assert (answer.status, "18:00" in await answer.text()) == (422, True)
    gateway.instance.now += MINUTES
    assert len(await tick(gateway)) == 1
    assert (await entry_of(gateway, entry))["status"] == "LAPSED"


async def test_an_unknown_entry_is_404(gateway: Gateway) -> None:
    refused = await gateway.call("POST", "/api/waitlist", wish(), Idempotency_Key="k")
    assert refused.status == 422
    for method, path in (("GET", ""), ("POST", "/withdraw")):
        assert (await gateway.call(method, f"/api/waitlist/none{path}")).status == 404
    assert (await gateway.call("POST", "/api/waitlist/none/accept", PAYS)).status == 404


async def test_who_waits_has_nothing_to_accept(gateway: Gateway) -> None:
    await sold_out(gateway)
    entry = await joined(gateway)
    answer = await gateway.call("POST", entry["links"]["accept"], PAYS)
    assert (answer.status, (await answer.json())["type"]) == (409, "urn:vacancy:problem:no-offer")
    assert not any(isinstance(event, Hold | Authorize) for event in gateway.instance.appended)


async def test_nothing_personal_is_appended_in_the_clear_and_an_erased_guest_is_not_booked(gateway: Gateway) -> None:
    booked = await sold_out(gateway)
    entry = await joined(gateway)
    (event,) = [event for event in gateway.instance.appended if isinstance(event, JoinWaitlist)]
    assert "ada" not in repr(event).lower()
    await gateway.call("POST", booked["links"]["cancel"])
    (news,) = [news.data for news in gateway.instance.published if isinstance(news.data, EntryOffered)]
    assert "example.com" not in repr(news)
    gateway.seals.erased.add(event.user_id)
    assert (await entry_of(gateway, entry))["guest"] is None
    answer = await gateway.call("POST", entry["links"]["accept"], PAYS)
    assert (answer.status, (await answer.json())["type"]) == (409, "urn:vacancy:problem:guest-erased")


async def test_an_accepted_offer_is_cancelled_by_its_unit_types_policy(gateway: Gateway) -> None:
    booked = await sold_out(gateway)
    entry = await joined(gateway)
    await gateway.unit(capacity=1, cancellation={"non_refundable": True})
    await gateway.call("POST", booked["links"]["cancel"])
    accepted = await (await gateway.call("POST", f"{entry['links']['self']}/accept", PAYS)).json()
    quote = await (await gateway.call("GET", f"/api/reservations/{accepted['booking_id']}/cancellation")).json()
    assert (quote["non_refundable"], quote["fee"]["amount"], quote["refund"]["amount"]) == (True, "200.00", "0.00")
