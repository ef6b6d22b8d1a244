"""Confirmed bookings that change, begin, end, or never do."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from streams.events.booking import ChangeBooking
from tests.web.conftest import Gateway, booking, day


@pytest.fixture
async def stayed(gateway: Gateway) -> str:
    """The path of a confirmed stay of two nights."""
    await gateway.unit()
    opened = await gateway.book()
    gateway.instance.appended.clear()
    return str(opened["links"]["self"])


async def ask(gateway: Gateway, path: str, **changes: object) -> tuple[int, dict[str, Any]]:
    answer = await gateway.call("PATCH", path, changes)
    return answer.status, await answer.json()


async def step(gateway: Gateway, path: str, word: str) -> tuple[int, dict[str, Any]]:
    answer = await gateway.call("POST", f"{path}/{word}")
    return answer.status, await answer.json()


async def show(gateway: Gateway, path: str) -> dict[str, Any]:
    found: dict[str, Any] = await (await gateway.call("GET", path)).json()
    return found


async def free(gateway: Gateway, first: int, last: int) -> list[int]:
    path = f"/api/availability?property_id=PROP-001&unit_type=standard&from={day(first)}&to={day(last)}"
    return [night["free"] for night in (await show(gateway, path))["nights"]]


@pytest.mark.proves("HTL-02")
async def test_a_shorter_stay_is_held_priced_and_refunded_anew(gateway: Gateway, stayed: str) -> None:
    status, body = await ask(gateway, stayed, check_out=str(day(31)))
    assert status == 200
    assert (body["check_in"], body["check_out"], body["revision"]) == (str(day(30)), str(day(31)), 2)
    assert body["price"] == {"amount": "100.00", "currency": "EUR"}
    payment = await show(gateway, f"/api/payments/{body['payment_id']}")
    assert (payment["captured"]["amount"], payment["refunded"]["amount"]) == ("200.00", "100.00")
    assert await free(gateway, 30, 32) == [1, 2]


async def test_other_nights_are_held_before_the_old_ones_are_let_go(gateway: Gateway, stayed: str) -> None:
    gateway.instance.paused.add("availability")
    changing = asyncio.create_task(ask(gateway, stayed, check_in=str(day(40)), check_out=str(day(42))))
    status, body = await changing
    assert (status, body["revision"], body["change"]["revision"]) == (202, 1, 2)
    assert (body["check_in"], body["status"]) == (str(day(30)), "CONFIRMED")
    gateway.instance.paused.clear()
    assert await free(gateway, 30, 32) == [1, 1]
    await gateway.instance.run()
    body = await show(gateway, stayed)
    assert (body["check_in"], body["revision"], body["change"]) == (str(day(40)), 2, None)
    assert await free(gateway, 30, 32) == [2, 2]
    assert await free(gateway, 40, 42) == [1, 1]


async def test_a_change_waits_for_the_one_under_way(gateway: Gateway, stayed: str) -> None:
    gateway.instance.paused.add("availability")
    await ask(gateway, stayed, check_in=str(day(40)), check_out=str(day(42)))
    status, body = await ask(gateway, stayed, check_in=str(day(50)), check_out=str(day(52)))
    assert (status, body["type"], body["reason"]) == (409, "urn:vacancy:problem:change-refused", "change_under_way")
    same = asyncio.create_task(ask(gateway, stayed, check_in=str(day(40)), check_out=str(day(42))))
    gateway.instance.paused.clear()
    await gateway.instance.run()
    assert await same == (200, await show(gateway, stayed))
    assert (await show(gateway, stayed))["check_in"] == str(day(40))


async def test_a_change_that_is_sold_out_leaves_everything(gateway: Gateway, stayed: str) -> None:
    for _ in range(2):
        await gateway.book(check_in=str(day(40)), check_out=str(day(42)))
    status, body = await ask(gateway, stayed, check_in=str(day(40)), check_out=str(day(42)))
    assert (status, body["type"]) == (409, "urn:vacancy:problem:change-refused")
    assert body["reason"] == "sold_out"
    body = await show(gateway, stayed)
    assert (body["check_in"], body["revision"]) == (str(day(30)), 1)
    assert body["refused_change"] == {"revision": 2, "reason": "sold_out"}
    assert await free(gateway, 30, 32) == [1, 1]


async def test_what_was_sold_out_may_be_asked_for_again(gateway: Gateway, stayed: str) -> None:
    others = [await gateway.book(check_in=str(day(40)), check_out=str(day(42))) for _ in range(2)]
    for _ in range(2):
        assert (await ask(gateway, stayed, check_in=str(day(40)), check_out=str(day(42))))[0] == 409
    await gateway.call("POST", others[0]["links"]["cancel"])
    status, body = await ask(gateway, stayed, check_in=str(day(40)), check_out=str(day(42)))
    assert (status, body["check_in"]) == (200, str(day(40)))


@pytest.mark.proves("HTL-02", "HTL-21")
async def test_a_night_more_is_paid_by_a_payment_of_its_own(gateway: Gateway, stayed: str) -> None:
    """200.00 for two nights, 300.00 for three: 100.00 more, with what the booking was paid with."""
    status, body = await ask(gateway, stayed, check_out=str(day(33)))
    assert (status, body["revision"], body["price"]["amount"], body["balance"]) == (200, 2, "300.00", None)
    first, more = [await show(gateway, f"/api/payments/{payment_id}") for payment_id in body["payments"]]
    assert (first["captured"]["amount"], first["revision"]) == ("200.00", 1)
    assert (more["captured"]["amount"], more["revision"], more["method"]["last4"]) == ("100.00", 2, "4242")
    assert await free(gateway, 30, 33) == [1, 1, 1]
    assert all("tok_visa" not in str(event) for event in gateway.instance.appended), "sealed everywhere"


@pytest.mark.proves("HTL-21")
async def test_a_decline_leaves_everything_as_it_was(gateway: Gateway, stayed: str) -> None:
    gateway.instance.declines = "card_declined"
    status, body = await ask(gateway, stayed, check_out=str(day(33)), payment_method={"token": "tok_declined"})
    assert (status, body["type"], body["reason"]) == (409, "urn:vacancy:problem:change-refused", "card_declined")
    body = await show(gateway, stayed)
    assert (body["check_out"], body["price"]["amount"], len(body["payments"])) == (str(day(32)), "200.00", 1)
    assert await free(gateway, 30, 33) == [1, 1, 2]
    gateway.instance.declines = None
    status, body = await ask(gateway, stayed, check_out=str(day(33)), payment_method={"token": "tok_mastercard"})
    assert (status, body["revision"]) == (200, 3)


async def test_what_it_was_paid_with_may_be_erased_and_another_may_come(gateway: Gateway, stayed: str) -> None:
    row = await show(gateway, stayed)
    gateway.seals.erased.add(row["user_id"])
    status, body = await ask(gateway, stayed, check_out=str(day(33)))
    assert (status, body["errors"][0]["field"]) == (422, "payment_method")
    assert gateway.instance.appended == []
    assert (await ask(gateway, stayed, check_out=str(day(33)), payment_method={"token": "tok_visa"}))[0] == 200


async def test_refunds_are_bounded_by_what_each_payment_captured(gateway: Gateway, stayed: str) -> None:
    """P4 holds of each payment: of 200.00 and 100.00, 120.00 cannot come from the second."""
    _, body = await ask(gateway, stayed, check_out=str(day(33)))
    first, more = (f"/api/payments/{payment_id}" for payment_id in body["payments"])
    assert (await gateway.call("POST", f"{more}/refunds", {"amount": "120.00"})).status == 422
    for amount in ("60.00", "40.00"):
        assert (await gateway.call("POST", f"{more}/refunds", {"amount": amount})).status == 201
    assert (await gateway.call("POST", f"{more}/refunds", {"amount": "0.01"})).status == 422
    assert (await show(gateway, more))["refundable"]["amount"] == "0.00"
    assert (await gateway.call("POST", f"{stayed}/cancel")).status == 200
    assert (await show(gateway, first))["refunded"]["amount"] == "200.00"


async def test_a_free_stay_may_become_one_that_costs(gateway: Gateway) -> None:
    await gateway.unit(base_price={"amount": "0.00", "currency": "EUR"})
    opened = await gateway.book()
    await gateway.unit()
    status, body = await ask(gateway, opened["links"]["self"], check_out=str(day(31)))
    assert (status, body["price"]["amount"]) == (200, "100.00")
    assert (await show(gateway, f"/api/payments/{body['payments'][1]}"))["captured"]["amount"] == "100.00"


async def test_another_unit_type_and_quantity_at_the_same_price(gateway: Gateway, stayed: str) -> None:
    body = {"capacity": 4, "base_price": {"amount": "50.00", "currency": "EUR"}}
    await gateway.call("PUT", "/api/properties/PROP-001/units/small", body)
    status, found = await ask(gateway, stayed, unit_type="small", quantity=2)
    assert status == 200
    assert (found["unit_type"], found["quantity"], found["price"]["amount"]) == ("small", 2, "200.00")
    assert await free(gateway, 30, 32) == [2, 2]


async def test_a_guests_other_details_change_at_once_and_sealed(gateway: Gateway, stayed: str) -> None:
    status, body = await ask(gateway, stayed, guest={"last_name": "Lovelace", "phone": "+44 1"})
    assert status == 200
    assert body["guest"] == {
        "email": "Ada@example.com",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "phone": "+44 1",
    }
    assert (body["revision"], body["check_in"]) == (2, str(day(30)))
    (event,) = gateway.instance.appended
    assert isinstance(event, ChangeBooking)
    assert "Lovelace" not in repr(event)


async def test_a_change_to_what_is_there_already_is_no_change(gateway: Gateway, stayed: str) -> None:
    await gateway.unit(base_price={"amount": "500.00", "currency": "EUR"})
    status, body = await ask(gateway, stayed, check_out=str(day(32)), quantity=1, guest={"first_name": "Ada"})
    assert (status, body["revision"], body["price"]["amount"]) == (200, 1, "200.00")
    assert gateway.instance.appended == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "body"),
        ({"check_in": None}, "body"),
        ({"check_in": str(day(33))}, "check_out"),
        ({"check_in": str(day(-1))}, "check_in"),
        ({"unit_type": "none"}, "unit_type"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1001}, "quantity"),
        ({"guest": {"email": "nobody"}}, "guest.email"),
        ({"guest": {"user_id": "u"}}, "guest.user_id"),
        ({"property_id": "PROP-002"}, "property_id"),
    ],
)
async def test_what_cannot_be_changed_names_its_field(
    gateway: Gateway, stayed: str, changes: dict[str, object], field: str
) -> None:
    status, body = await ask(gateway, stayed, **changes)
    assert status == 422, body
    assert field in [error["field"] for error in body["errors"]]
    assert gateway.instance.appended == []


@pytest.mark.parametrize(
    "unit",
    [
        {"base_price": {"amount": "1.00", "currency": "USD"}},
        {"time_zone": "Asia/Tokyo"},
    ],
)
async def test_a_booking_keeps_its_currency_and_time_zone(
    gateway: Gateway, stayed: str, unit: dict[str, object]
) -> None:
    await gateway.unit(**unit)
    status, body = await ask(gateway, stayed, check_out=str(day(31)))
    assert (status, body["type"]) == (409, "urn:vacancy:problem:not-changeable")
    assert body["errors"][0]["field"] == "unit_type"


@pytest.mark.parametrize("unpaid", [True, False])
async def test_only_a_confirmed_booking_changes(gateway: Gateway, unpaid: bool) -> None:
    await gateway.unit()
    if unpaid:
        gateway.instance.paused.add("payment")
    opened = await gateway.book()
    path, expected = opened["links"]["self"], "PENDING"
    if not unpaid:
        await gateway.call("POST", f"{path}/cancel")
        expected = "CANCELLED"
    status, body = await ask(gateway, path, check_out=str(day(31)))
    assert (status, body["booking_status"]) == (409, expected)


async def test_a_missing_booking_cannot_change(gateway: Gateway, stayed: str) -> None:
    assert (await ask(gateway, f"/api/reservations/{uuid.uuid4()}", quantity=1))[0] == 404
    assert (await ask(gateway, stayed.replace("reservations", "bookings"), quantity=1))[0] == 404
    assert (await step(gateway, f"/api/reservations/{uuid.uuid4()}", "check-in"))[0] == 404


async def test_a_booking_of_any_resource_changes_its_period(gateway: Gateway) -> None:
    await gateway.unit(slots=60, base_price={"amount": "10.00", "currency": "EUR"})
    hours = {"start_time": f"{day(30)}T14:00:00Z", "end_time": f"{day(30)}T16:00:00Z"}
    answer = await gateway.call("POST", "/api/bookings", booking(**hours, price_amount=20))
    path = (await answer.json())["links"]["self"]
    status, body = await ask(gateway, path, start_time=f"{day(30)}T15:00:00Z")
    assert (status, body["start_time"], body["price"]["amount"]) == (200, f"{day(30)}T15:00:00Z", "10.00")
    assert (await ask(gateway, path, end_time=f"{day(30)}T16:00:00Z"))[0] == 200
    assert (await show(gateway, path))["revision"] == 2
    assert (await ask(gateway, path))[0] == 422
    assert (await ask(gateway, path, end_time=f"{day(30)}T15:00:00Z"))[0] == 422
    status, body = await ask(gateway, path, quantity=2)
    assert (status, body["price"]["amount"], len(body["payments"])) == (200, "20.00", 2)


@pytest.mark.proves("HTL-08")
async def test_a_guest_arrives_and_leaves(gateway: Gateway, stayed: str) -> None:
    gateway.instance.now += timedelta(days=32)  # the day of departure
    status, body = await step(gateway, stayed, "check-out")
    assert (status, body["status"], body["booking_status"]) == (409, 409, "CONFIRMED")
    assert "CHECKED_IN" in body["detail"]
    gateway.instance.now += timedelta(days=30)
    for word, reached in (("check-in", "CHECKED_IN"), ("check-out", "COMPLETED")):
        for _ in range(2):
            status, body = await step(gateway, stayed, word)
            assert (status, body["status"]) == (200, reached)
    assert (await step(gateway, stayed, "check-in"))[0] == 409
    assert (await step(gateway, stayed, "no-show"))[0] == 409
    assert (await ask(gateway, stayed, quantity=1))[0] == 409
    said = [entry["event_type"] for entry in (await show(gateway, f"{stayed}/timeline"))["events"]]
    assert said[-4:] == [
        "booking.booking.check_in",
        "booking.booking.checked_in",
        "booking.booking.check_out",
        "booking.booking.completed",
    ]


async def test_a_guest_who_never_came(gateway: Gateway, stayed: str) -> None:
    gateway.instance.now += timedelta(days=31)
    for _ in range(2):
        status, body = await step(gateway, stayed, "no-show")
        assert (status, body["status"]) == (200, "NO_SHOW")
    assert len(gateway.instance.appended) == 1


async def test_a_step_waits_for_the_change_under_way(gateway: Gateway, stayed: str) -> None:
    gateway.instance.paused.add("availability")
    await ask(gateway, stayed, check_in=str(day(40)), check_out=str(day(42)))
    gateway.instance.now += timedelta(days=30)
    status, body = await step(gateway, stayed, "check-in")
    assert (status, body["type"]) == (409, "urn:vacancy:problem:not-yet")


async def test_nobody_checks_in_to_an_order(gateway: Gateway) -> None:
    price = {"amount": "1.00", "currency": "EUR"}
    await gateway.call("PUT", "/api/stock/TENT", {"quantity": 1, "price": price})
    person = {"email": "a@b.co", "first_name": "A", "last_name": "B"}
    order = {"customer": person, "items": [{"product_id": "TENT", "quantity": 1}]}
    answer = await gateway.call("POST", "/api/orders", {**order, "payment_method": {"token": "tok_visa"}})
    assert (await step(gateway, f"/api/bookings/{(await answer.json())['booking_id']}", "check-in"))[0] == 404


async def test_a_change_is_refused_when_the_booking_was_cancelled_meanwhile(gateway: Gateway, stayed: str) -> None:
    gateway.instance.paused.add("booking")
    cancelling = asyncio.create_task(gateway.call("POST", f"{stayed}/cancel"))
    changing = asyncio.create_task(ask(gateway, stayed, check_out=str(day(31))))
    while len(gateway.instance.appended) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    gateway.instance.now += timedelta(seconds=1)
    gateway.instance.paused.clear()
    await gateway.instance.run()
    first = gateway.instance.appended[0]
    status, _ = await changing
    assert (await cancelling).status == 200
    assert status == (200 if isinstance(first, ChangeBooking) else 409)
