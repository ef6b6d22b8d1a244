"""Payments over HTTP, and refunds an operator orders."""

from __future__ import annotations

import uuid

from streams.events.payment import Refund
from tests.web.conftest import Gateway


async def _paid(gateway: Gateway) -> str:
    await gateway.unit()
    opened = await gateway.book()
    body = await (await gateway.call("GET", opened["links"]["self"])).json()
    gateway.instance.appended.clear()
    return f"/api/payments/{body['payment_id']}"


async def test_a_payment_says_what_was_captured(gateway: Gateway) -> None:
    body = await (await gateway.call("GET", await _paid(gateway))).json()
    assert body["status"] == "CAPTURED"
    assert body["captured"] == {"amount": "200.00", "currency": "EUR"}
    assert body["refunds"] == []


async def test_a_refund_is_answered_once_it_is_recorded(gateway: Gateway) -> None:
    path = await _paid(gateway)
    answer = await gateway.call("POST", f"{path}/refunds", {"amount": "25.5", "reason": "noise"}, Idempotency_Key="k")
    body = await answer.json()
    assert answer.status == 201
    assert body["amount"] == {"amount": "25.50", "currency": "EUR"}
    assert (body["reason"], body["ordered_by"]) == ("noise", "operator")
    payment = await (await gateway.call("GET", path)).json()
    assert payment["refunded"]["amount"] == "25.50"
    assert payment["refunds"][0]["refund_id"] == body["refund_id"]


async def test_a_repeated_refund_is_given_once(gateway: Gateway) -> None:
    path = await _paid(gateway)
    for _ in range(2):
        answer = await gateway.call("POST", f"{path}/refunds", {"amount": 25}, Idempotency_Key="k")
        assert answer.status == 201
    assert (await (await gateway.call("GET", path)).json())["refunded"]["amount"] == "25.00"
    assert len(gateway.instance.appended) == 1
    other = await gateway.call("POST", f"{path}/refunds", {"amount": 26}, Idempotency_Key="k")
    assert other.status == 422


async def test_more_than_is_left_is_refused_with_the_reason(gateway: Gateway) -> None:
    path = await _paid(gateway)
    answer = await gateway.call("POST", f"{path}/refunds", {"amount": "200.01"})
    body = await answer.json()
    assert answer.status == 422
    assert (body["reason"], body["errors"][0]["field"]) == ("exceeds_captured", "amount")


async def test_nothing_captured_is_nothing_to_refund(gateway: Gateway) -> None:
    gateway.instance.declines = "card_declined"
    path = await _paid(gateway)
    assert (await (await gateway.call("GET", path)).json())["error"] == "card_declined"
    answer = await gateway.call("POST", f"{path}/refunds", {"amount": "1"})
    assert answer.status == 409
    assert (await answer.json())["reason"] == "not_captured"


async def test_a_bad_amount_names_its_field_and_orders_nothing(gateway: Gateway) -> None:
    path = await _paid(gateway)
    for amount in ("-1", 0, "0.001", "much", None, 1e300):
        answer = await gateway.call("POST", f"{path}/refunds", {"amount": amount})
        assert answer.status == 422, amount
        assert (await answer.json())["errors"][0]["field"] == "amount"
    assert not [event for event in gateway.instance.appended if isinstance(event, Refund)]


async def test_an_unknown_payment_is_404(gateway: Gateway) -> None:
    path = f"/api/payments/{uuid.uuid4()}"
    assert (await gateway.call("GET", path)).status == 404
    assert (await gateway.call("POST", f"{path}/refunds", {"amount": 1})).status == 404
