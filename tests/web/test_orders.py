"""Goods from stock over HTTP: counted, ordered, paid first where the layout says so, given back."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from domain.cancellation import RETURNABLE
from streams.events.booking import RequestBooking
from tests.web.conftest import Gateway, stay


def order(*items: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "customer": {"email": "Ada@example.com", "first_name": "Ada", "last_name": "Guest"},
        "items": list(items) or [item("TENT", 2)],
        "payment_method": {"token": "tok_visa"},
        **more,
    }


def item(product_id: str, quantity: int = 1, **more: object) -> dict[str, Any]:
    return {"product_id": product_id, "quantity": quantity, **more}


async def count(gateway: Gateway, product_id: str, quantity: int, amount: str = "129.00", currency: str = "EUR") -> Any:
    body = {"quantity": quantity, "price": {"amount": amount, "currency": currency}}
    answer = await gateway.call("PUT", f"/api/stock/{product_id}", body)
    assert answer.status == 200, await answer.text()
    gateway.instance.appended.clear()
    return await answer.json()


async def left(gateway: Gateway, product_id: str) -> tuple[int, int, int]:
    """On hand, held, free."""
    body = await (await gateway.call("GET", f"/api/stock/{product_id}")).json()
    return body["quantity"], body["held"], body["free"]


async def bought(gateway: Gateway, *items: dict[str, Any], **more: object) -> Any:
    """The order as it stands after it was accepted."""
    answer = await gateway.call("POST", "/api/orders", order(*items, **more))
    assert answer.status == 201, await answer.text()
    opened = await answer.json()
    assert answer.headers["Location"] == opened["links"]["self"] == f"/api/orders/{opened['booking_id']}"
    return await (await gateway.call("GET", opened["links"]["self"])).json()


@pytest.mark.proves("ORD-01")
async def test_an_order_of_several_products_is_accepted_priced_and_confirmed(gateway: Gateway) -> None:
    await count(gateway, "TENT", 5)
    await count(gateway, "MAT", 10, "19.95")
    found = await bought(gateway, item("TENT", 2), item("MAT", 3, price={"amount": 19.95, "currency": "EUR"}))
    assert found["status"] == "CONFIRMED"
    assert found["order_id"] == found["booking_id"]
    assert found["total"] == found["price"] == {"amount": "317.85", "currency": "EUR"}
    assert found["items"] == [
        {"product_id": "TENT", "quantity": 2, "price": {"amount": "129.00", "currency": "EUR"}},
        {"product_id": "MAT", "quantity": 3, "price": {"amount": "19.95", "currency": "EUR"}},
    ]
    assert found["customer"]["email"] == "Ada@example.com"
    assert await left(gateway, "TENT") == (3, 0, 3)
    timeline = await (await gateway.call("GET", found["links"]["timeline"])).json()
    assert timeline["events"][0]["event_type"] == "booking.booking.request"


async def test_an_order_says_what_inventory_and_payment_need(gateway: Gateway) -> None:
    await count(gateway, "TENT", 5)
    await bought(gateway)
    (event,) = gateway.instance.appended
    assert isinstance(event, RequestBooking)
    assert (event.kind, event.prepaid, event.confirm_on) == ("order", True, "payment.authorized")
    (line,) = event.lines
    assert (line.provider_id, line.product_id, line.quantity) == ("stock", "TENT", 2)
    assert line.start.microsecond == 0
    assert line.end - line.start == timedelta(seconds=1)
    assert event.free_until == line.start + RETURNABLE
    assert "Ada" not in repr(event)


async def test_one_product_sold_out_refuses_all_and_frees_the_rest(gateway: Gateway) -> None:
    await count(gateway, "TENT", 5)
    await count(gateway, "MAT", 1)
    found = await bought(gateway, item("TENT", 2), item("MAT", 2))
    assert (found["status"], found["reason"]) == ("REJECTED", "sold_out")
    assert await left(gateway, "TENT") == (5, 0, 5)
    assert await left(gateway, "MAT") == (1, 0, 1)


async def test_a_cancelled_order_is_paid_back_and_its_goods_return(gateway: Gateway) -> None:
    await count(gateway, "TENT", 5)
    found = await bought(gateway)
    assert await left(gateway, "TENT") == (3, 0, 3)
    gateway.instance.now += timedelta(days=13)
    cancelled = await (await gateway.call("POST", found["links"]["cancel"], {"reason": "too small"})).json()
    assert (cancelled["status"], cancelled["order_id"]) == ("CANCELLED", found["order_id"])
    assert cancelled["cancellation"]["refund"] == {"amount": "258.00", "currency": "EUR"}
    assert await left(gateway, "TENT") == (5, 0, 5)


async def test_stock_counted_anew_is_what_is_on_hand(gateway: Gateway) -> None:
    await count(gateway, "TENT", 5)
    found = await bought(gateway)
    again = await count(gateway, "TENT", 7)
    assert (again["quantity"], again["held"], again["free"]) == (7, 0, 7)
    await gateway.call("POST", found["links"]["cancel"])
    assert await left(gateway, "TENT") == (9, 0, 9)


async def test_what_waits_for_its_payment_is_held(gateway: Gateway) -> None:
    await count(gateway, "TENT", 5)
    gateway.instance.paused.add("payment")
    found = await bought(gateway)
    assert found["status"] == "PENDING"
    assert await left(gateway, "TENT") == (5, 2, 3)


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([item("TENT"), item("TENT")], "items.1.product_id"),
        ([item("TENT"), item("NONE")], "items.1.product_id"),
        ([item("TENT"), item("YEN")], "items.1.product_id"),
        ([item("TENT", 0)], "items.0.quantity"),
        ([item("TENT", 1001)], "items.0.quantity"),
        ([item("TENT", 1, price="cheap")], "items.0.price.amount"),
        ([item("TENT", 1, price={"amount": "1.005", "currency": "EUR"})], "items.0.price.amount"),
        ([item("TENT", 1, colour="red")], "items.0.colour"),
        ([item(f"P{n}") for n in range(21)], "items"),
    ],
)
async def test_what_cannot_be_ordered_names_its_field(gateway: Gateway, items: list[Any], field: str) -> None:
    await count(gateway, "TENT", 5)
    await count(gateway, "YEN", 5, "1000", "JPY")
    answer = await gateway.call("POST", "/api/orders", order(*items))
    assert answer.status == 422, await answer.text()
    assert field in [error["field"] for error in (await answer.json())["errors"]]
    assert gateway.instance.appended == []


async def test_an_order_has_items(gateway: Gateway) -> None:
    answer = await gateway.call("POST", "/api/orders", {**order(), "items": []})
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, "items")


@pytest.mark.parametrize("price", ["128.00", 128, {"amount": "129.00", "currency": "USD"}])
async def test_another_price_than_expected_is_told_not_charged(gateway: Gateway, price: object) -> None:
    await count(gateway, "TENT", 5)
    answer = await gateway.call("POST", "/api/orders", order(item("TENT", 2, price=price)))
    body = await answer.json()
    assert answer.status == 409
    assert body["price"] == {"amount": "129.00", "currency": "EUR"}
    assert body["errors"][0]["field"] == "items.0.price"
    assert gateway.instance.appended == []


async def test_a_retry_gets_the_same_order(gateway: Gateway) -> None:
    await count(gateway, "TENT", 5)
    one = await gateway.call("POST", "/api/orders", order(), Idempotency_Key="k")
    gateway.instance.now += timedelta(hours=1)
    other = await gateway.call("POST", "/api/orders", order(), Idempotency_Key="k")
    assert (one.status, other.status) == (201, 201)
    assert await one.json() == await other.json()
    assert await left(gateway, "TENT") == (3, 0, 3)


async def test_only_orders_are_found_among_orders(gateway: Gateway) -> None:
    await gateway.unit()
    opened = await gateway.book()
    for method, path in (("GET", ""), ("POST", "/cancel")):
        assert (await gateway.call(method, f"/api/orders/{opened['booking_id']}{path}")).status == 404
    assert (await gateway.call("GET", f"/api/orders/{uuid.uuid4()}")).status == 404


async def test_products_and_units_are_kept_apart(gateway: Gateway) -> None:
    assert (await gateway.call("GET", "/api/stock/TENT")).status == 404
    unit = {"capacity": 2, "base_price": {"amount": "100.00", "currency": "EUR"}}
    assert (await gateway.call("PUT", "/api/properties/stock/units/room", unit)).status == 200
    assert (await gateway.call("GET", "/api/stock/room")).status == 404
    refused = await gateway.call("POST", "/api/orders", order(item("room")))
    assert (refused.status, (await refused.json())["errors"][0]["field"]) == (422, "items.0.product_id")
    booked = await gateway.call("POST", "/api/reservations", stay(property_id="stock", unit_type="room"))
    assert booked.status == 201
    body = {"quantity": 5, "price": {"amount": "1.00", "currency": "EUR"}}
    answer = await gateway.call("PUT", "/api/stock/room", body)
    assert answer.status == 409


class TestPaidFirst:
    """Under the orders layout the money is taken before inventory is asked."""

    @pytest.fixture
    def layout(self) -> str:
        return "orders"

    @pytest.mark.proves("ORD-03", "ORD-04")
    async def test_inventory_is_asked_once_the_money_is_there(self, gateway: Gateway) -> None:
        await count(gateway, "TENT", 5)
        gateway.instance.paused.add("payment")
        waiting = await bought(gateway)
        assert waiting["status"] == "PENDING"
        assert await left(gateway, "TENT") == (5, 0, 5)
        gateway.instance.paused.clear()
        await gateway.instance.run()
        found = await (await gateway.call("GET", f"{waiting['links']['self']}?wait=5")).json()
        assert found["status"] == "CONFIRMED"
        assert await left(gateway, "TENT") == (3, 0, 3)

    @pytest.mark.proves("ORD-13")
    async def test_out_of_stock_is_paid_back(self, gateway: Gateway) -> None:
        await count(gateway, "TENT", 1)
        found = await bought(gateway)
        assert found["status"] == "REJECTED"
        payment = await (await gateway.call("GET", f"/api/payments/{found['payment_id']}")).json()
        assert payment["captured"] == payment["refunded"] == {"amount": "258.00", "currency": "EUR"}
        told = [envelope.data for envelope in gateway.instance.published]
        assert [each.status for each in told if each.event_type == "inventory.order.updated"] == ["out_of_stock"]  # type: ignore[attr-defined]
