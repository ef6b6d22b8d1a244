"""Booking the provider's payouts over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streams.events.payment import Settle
from tests.web.conftest import Gateway
from web import settlements

PATH = "/api/payments/settlements"


async def settle(gateway: Gateway, **headers: str) -> dict[str, Any]:
    answer = await gateway.call("POST", PATH, **headers)
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


@pytest.fixture
async def taken(gateway: Gateway) -> list[str]:
    """The payments of three bookings, in two currencies; a fourth was declined."""
    await gateway.unit(capacity=10)
    yen = {"capacity": 10, "base_price": {"amount": "1000", "currency": "JPY"}}
    await gateway.call("PUT", "/api/properties/PROP-001/units/tatami", yen)
    opened = [await gateway.book(), await gateway.book(quantity=2), await gateway.book(unit_type="tatami")]
    gateway.instance.declines = "card_declined"
    await gateway.book()
    gateway.instance.appended.clear()
    found = [await (await gateway.call("GET", each["links"]["self"])).json() for each in opened]
    return [body["payment_id"] for body in found]


@pytest.mark.proves("HTL-05", "HTL-09")
async def test_everything_that_was_taken_is_settled_once(gateway: Gateway, taken: list[str]) -> None:
    await gateway.call("POST", f"/api/payments/{taken[0]}/refunds", {"amount": 50})
    found = await settle(gateway, Idempotency_Key="run")
    assert (found["payments"], found["remaining"]) == (3, 0)
    assert found["totals"] == [{"amount": "550.00", "currency": "EUR"}, {"amount": "2000", "currency": "JPY"}]
    for payment_id in taken:
        payment = await (await gateway.call("GET", f"/api/payments/{payment_id}")).json()
        assert payment["settlement_id"] == found["settlement_id"]
    again = await settle(gateway, Idempotency_Key="run")
    assert again == {**found, "payments": 0, "totals": []}
    said = [envelope.event_type for envelope in gateway.instance.published]
    assert said.count("payment.payment.settled") == 3


async def test_a_run_that_is_too_long_says_what_remains(
    gateway: Gateway, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlements, "MOST", 2)
    first, second = await settle(gateway, Idempotency_Key="run"), await settle(gateway, Idempotency_Key="run")
    assert (first["payments"], first["remaining"]) == (2, 1)
    assert (second["payments"], second["remaining"]) == (1, 0)
    assert first["settlement_id"] == second["settlement_id"]


async def test_of_two_runs_one_settles_a_payment(gateway: Gateway, taken: list[str]) -> None:
    one, other = await asyncio.gather(settle(gateway), settle(gateway))
    assert one["settlement_id"] != other["settlement_id"]
    assert one["payments"] + other["payments"] == len(taken)


async def test_without_an_answer_it_is_not_claimed(gateway: Gateway, taken: list[str]) -> None:
    gateway.instance.paused.add("payment")
    answer = await gateway.call("POST", PATH)
    assert answer.status == 503
    assert all(isinstance(event, Settle) for event in gateway.instance.appended)
