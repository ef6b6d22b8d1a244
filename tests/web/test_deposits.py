"""Deposits over HTTP: asked for by a unit type, taken at booking, and the rest at check-in."""

from __future__ import annotations

from typing import Any

import pytest

from streams.events.booking import RequestBooking
from tests.web.conftest import Gateway, booking, day

UNIT = "/api/properties/PROP-001/units/standard"


async def show(gateway: Gateway, path: str) -> dict[str, Any]:
    body: dict[str, Any] = await (await gateway.call("GET", path)).json()
    return body


async def check_in(gateway: Gateway, path: str) -> dict[str, Any]:
    answer = await gateway.call("POST", f"{path}/check-in")
    assert answer.status == 200, await answer.text()
    await gateway.instance.run()
    return await show(gateway, path)


@pytest.mark.proves("HTL-21")
async def test_a_deposit_at_booking_and_the_rest_at_check_in(gateway: Gateway) -> None:
    """Two nights at 100.00 with a deposit of 30 %: 60.00, and 140.00 once the guest is here."""
    await gateway.unit(deposit={"percent": 30})
    assert (await show(gateway, UNIT))["deposit"] == {"percent": 30}
    opened = await gateway.book()
    assert (opened["price"]["amount"], opened["deposit"]["amount"], opened["balance"]["amount"]) == (
        "200.00",
        "60.00",
        "140.00",
    )
    path = opened["links"]["self"]
    body = await show(gateway, path)
    assert (body["status"], body["deposit"]["amount"], body["balance"]["amount"]) == ("CONFIRMED", "60.00", "140.00")
    (first,) = body["payments"]
    assert (await show(gateway, f"/api/payments/{first}"))["captured"]["amount"] == "60.00"

    await gateway.unit()  # the property changes its mind: the booking keeps its terms
    changed = await gateway.call("PATCH", path, {"check_out": str(day(33))})
    longer = await changed.json()
    assert (changed.status, longer["balance"]["amount"], len(longer["payments"])) == (200, "240.00", 1)
    quoted = await show(gateway, f"{path}/cancellation")
    assert (quoted["fee"]["amount"], quoted["refund"]["amount"]) == ("0.00", "60.00")

    body = await check_in(gateway, path)
    assert (body["status"], body["balance"]["amount"]) == ("CHECKED_IN", "0.00")
    _, rest = body["payments"]
    paid = await show(gateway, f"/api/payments/{rest}")
    assert (paid["captured"]["amount"], paid["method"]["last4"]) == ("240.00", "4242")


async def test_a_balance_that_is_declined_is_the_desks_to_collect(gateway: Gateway) -> None:
    await gateway.unit(deposit={"percent": 30})
    path = (await gateway.book())["links"]["self"]
    gateway.instance.declines = "card_declined"
    body = await check_in(gateway, path)
    assert (body["status"], body["balance"]["amount"]) == ("CHECKED_IN", "140.00")
    failed = await show(gateway, f"/api/payments/{body['payments'][1]}")
    assert (failed["status"], failed["captured"]["amount"]) == ("DECLINED", "0.00")
    left = await gateway.call("POST", f"{path}/check-out")
    assert (left.status, (await left.json())["balance"]["amount"]) == (200, "140.00")


async def test_without_a_deposit_the_whole_price_is_asked_for(gateway: Gateway) -> None:
    await gateway.unit()
    opened = await gateway.book()
    assert (opened["deposit"], opened["balance"]) == (None, None)
    (asked,) = gateway.instance.appended
    assert isinstance(asked, RequestBooking)
    assert asked.deposit_amount is None
    body = await show(gateway, opened["links"]["self"])
    assert (body["deposit"], body["balance"]) == (None, None)


async def test_a_booking_of_any_period_of_a_unit_type_by_the_night_has_it_too(gateway: Gateway) -> None:
    await gateway.unit(deposit={"percent": 25})
    opened = await (await gateway.call("POST", "/api/bookings", booking())).json()
    assert (opened["deposit"]["amount"], opened["balance"]["amount"]) == ("25.00", "75.00")


@pytest.mark.parametrize("wrong", [{"percent": 0}, {"percent": 100}, {"percent": 33.5}, {}, {"amount": "10.00"}, 30])
async def test_a_deposit_that_cannot_be_names_its_field(gateway: Gateway, wrong: object) -> None:
    body = {"capacity": 2, "base_price": {"amount": "100.00", "currency": "EUR"}, "deposit": wrong}
    answer = await gateway.call("PUT", UNIT, body)
    assert answer.status == 422
    assert (await answer.json())["errors"][0]["field"].startswith("deposit")


async def test_what_is_not_sold_by_the_night_has_no_deposit(gateway: Gateway) -> None:
    body = {"capacity": 2, "base_price": {"amount": "100.00", "currency": "EUR"}, "slots": 30}
    answer = await gateway.call("PUT", UNIT, {**body, "deposit": {"percent": 30}})
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, "deposit")
