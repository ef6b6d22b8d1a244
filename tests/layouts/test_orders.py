"""The order saga (ORD): paid first, taken from stock after, and one `notification_sent` at the end of every order."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.chaos.instance import Instance
from tests.layouts.broker import OnBroker, documented, groups_of, topics_of
from tests.layouts.closing import audited, in_time, killed_under_load, rebuilt
from tests.layouts.world import ONE_OF_A_HUNDRED, Body, World, json_of
from tests.whole.api import eventually

LAYOUT = "orders"
pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

TOPICS = ("order_created", "payment_successful", "payment_failed", "inventory_updated", "notification_sent")
PATH = "/api/orders"
#: The document names no fields (ORD-13): ours, in the style of its names.
FIELDS = {
    "order_created": "order_id customer items total_amount currency",
    "payment_successful": ("order_id user_id payment_id amount currency provider provider_payment_id payment_method"),
    "payment_failed": "order_id user_id payment_id amount currency provider error_code error_message",
    "inventory_updated": "order_id user_id status reason items",
    "notification_sent": "order_id user_id notification_id template message_id sent_at channel",
}


@pytest.mark.proves("ORD-07", "ORD-13")
async def test_the_topics_are_the_documents(world: World) -> None:
    assert documented(await topics_of(world.bootstrap)) == {topic: OnBroker(3, 7) for topic in TOPICS}


@pytest.mark.proves("ORD-03", "ORD-04", "ORD-05")
async def test_the_services_read_what_the_document_says(world: World) -> None:
    groups = await groups_of(world.bootstrap)
    assert groups["payment-service"] == {"order_created"}
    assert groups["inventory-service"] == {"payment_successful"}
    assert groups["notification-service"] == {"payment_failed", "inventory_updated", "vacancy.events"}
    assert {name for name in groups if not name.startswith("vacancy-")} == {
        "order-service",
        "payment-service",
        "inventory-service",
        "notification-service",
    }


@pytest.mark.proves("ORD-01", "ORD-02", "ORD-03", "ORD-04", "ORD-05", "ORD-06")
async def test_an_order_is_paid_then_taken_from_stock_then_told(world: World) -> None:
    await stock(world, "TENT", 3, "129.00")
    await stock(world, "LAMP", 10, "20.00")
    opened = await world.post(PATH, order("buyer@example.com", TENT=1, LAMP=2))
    assert opened["status"] == "PENDING"
    order_id = opened["booking_id"]
    ended = await world.ended(PATH, order_id)
    assert (ended["status"], ended["total"]["amount"]) == ("CONFIRMED", "169.00")
    [notified] = await the_end_of(world, order_id)
    assert notified["template"] == "order_result"
    assert notified["message_id"] in await message_ids(world, "buyer@example.com")
    told = await story(world, order_id)
    assert [topic for topic, _ in told] == ["order_created", "payment_successful", "inventory_updated", TOPICS[-1]]
    assert told[0][1]["items"] == [
        {"product_id": "TENT", "quantity": 1, "price": 129.0},
        {"product_id": "LAMP", "quantity": 2, "price": 20.0},
    ]
    assert told[1][1]["amount"] == 169.0
    assert told[2][1]["status"] == "reserved"
    await eventually(lambda: has_stock(world, "TENT", 2))
    await eventually(lambda: has_stock(world, "LAMP", 8))


@pytest.mark.proves("ORD-03", "ORD-05", "ORD-06")
async def test_an_order_that_is_not_paid_takes_nothing(world: World) -> None:
    await stock(world, "BOOT", 1)
    order_id = (await world.post(PATH, order("poor@example.com", "tok_declined", BOOT=1)))["booking_id"]
    ended = await world.ended(PATH, order_id)
    assert (ended["status"], ended["reason"]) == ("REJECTED", "card_declined")
    [notified] = await the_end_of(world, order_id)
    assert notified["template"] == "payment_failed"
    told = await story(world, order_id)
    assert [topic for topic, _ in told] == ["order_created", "payment_failed", "notification_sent"]
    assert told[1][1]["error_code"] == "card_declined"
    assert await in_stock(world, "BOOT") == (1, 1)


@pytest.mark.proves("ORD-04", "ORD-05", "ORD-06", "ORD-13", "C7")
async def test_what_is_out_of_stock_is_paid_back_and_told_once(world: World) -> None:
    await stock(world, "RARE", 1)
    await stock(world, "PLAIN", 5)
    first = (await world.post(PATH, order("first@example.com", RARE=1)))["booking_id"]
    assert (await world.ended(PATH, first))["status"] == "CONFIRMED"
    order_id = (await world.post(PATH, order("second@example.com", RARE=1, PLAIN=1)))["booking_id"]
    ended = await world.ended(PATH, order_id)
    assert (ended["status"], ended["reason"]) == ("REJECTED", "sold_out")
    [notified] = await the_end_of(world, order_id)
    assert notified["template"] == "order_result"
    told = await story(world, order_id)
    assert [topic for topic, _ in told] == ["order_created", "payment_successful", "inventory_updated", TOPICS[-1]]
    assert (told[2][1]["status"], told[2][1]["reason"]) == ("out_of_stock", "sold_out")
    [refunded] = await eventually(lambda: world.heard("payment.payment.refunded", order_id))
    assert refunded["amount"] == told[1][1]["amount"] == 20.0
    await eventually(lambda: has_stock(world, "PLAIN", 5))  # the other item of the order is free again


async def test_a_cancelled_order_gives_back_goods_and_money(world: World) -> None:
    await stock(world, "MUG", 2)
    order_id = (await world.post(PATH, order("sorry@example.com", MUG=1)))["booking_id"]
    await world.ended(PATH, order_id)
    await world.post(f"{PATH}/{order_id}/cancel", {"reason": "changed my mind"})
    [refunded] = await eventually(lambda: world.heard("payment.payment.refunded", order_id))
    assert refunded["amount"] == 10.0
    await eventually(lambda: has_stock(world, "MUG", 2))
    assert len(await the_end_of(world, order_id, "booking_cancelled")) == 2  # of the order, and of its cancellation


@pytest.mark.proves("ORD-07", "ORD-13")
async def test_every_message_has_its_fields_and_its_orders_key(world: World) -> None:
    """After the journeys above: on each topic there is one."""
    said = await world.said(*TOPICS)
    assert {each.topic for each in said} == set(TOPICS)
    for each in said:
        assert set(each.body) <= set(FIELDS[each.topic].split())
        missing = set(FIELDS[each.topic].split()) - set(each.body)
        assert missing <= ({"reason"} if each.topic == "inventory_updated" else set())
        assert each.key == each.body["order_id"]
        # What has no place in a body without an envelope (C2).
        assert uuid.UUID(each.headers["ce_id"].decode())
        assert each.headers["ce_time"]
        assert each.headers["correlation_id"]


@pytest.mark.proves("ORD-02", "ORD-13")
async def test_another_programs_order_takes_part_fully(world: World) -> None:
    await stock(world, "KITE", 2, "15.50")
    asked = foreign("KITE", 2, 15.50)
    order_id = asked["order_id"]
    await world.tell("order_created", asked)
    ended = await world.ended(PATH, order_id)
    assert (ended["status"], ended["total"]["amount"], ended["quantity"]) == ("CONFIRMED", "31.00", 2)
    [notified] = await the_end_of(world, order_id)
    assert notified["message_id"] in await message_ids(world, asked["customer"]["email"])
    told = await story(world, order_id)
    assert [topic for topic, _ in told] == ["order_created", "payment_successful", "inventory_updated", TOPICS[-1]]

    await world.tell("vacancy.events", cancellation(order_id))
    await world.ended(PATH, order_id, "CANCELLED")
    await eventually(lambda: world.heard("payment.payment.refunded", order_id))
    await eventually(lambda: has_stock(world, "KITE", 2))


@pytest.mark.proves("ORD-06")
async def test_another_programs_wrong_price_and_unknown_product_end_with_a_notice(world: World) -> None:
    await stock(world, "PEN", 2)
    dear, unknown = foreign("PEN", 1, 9.99), foreign("NOWHERE", 1, 10.00)
    for asked in (dear, unknown):
        await world.tell("order_created", asked)
    assert (await world.ended(PATH, dear["order_id"]))["reason"] == "price_changed"
    assert (await world.ended(PATH, unknown["order_id"]))["reason"] == "unknown_resource"
    for asked in (dear, unknown):
        assert len(await the_end_of(world, asked["order_id"])) == 1
        assert "payment_successful" not in [topic for topic, _ in await story(world, asked["order_id"])]


async def test_what_is_not_theirs_to_say_changes_nothing(world: World) -> None:
    await stock(world, "BOWL", 1)
    order_id = (await world.post(PATH, order("bowl@example.com", BOWL=1)))["booking_id"]
    before = await world.ended(PATH, order_id)
    await the_end_of(world, order_id)
    said = await world.said("inventory_updated")
    updated = next(each for each in said if each.body["order_id"] == order_id)
    copied = updated.record.value or b""
    changed = [(name, b"{}" if name == "vacancy-rest" else value) for name, value in updated.record.headers]
    [(_, paid)] = [each for each in await story(world, order_id) if each[0] == "payment_successful"]
    await world.tell("inventory_updated", copied, order_id, changed)
    await world.tell("payment_successful", paid, order_id)
    await world.tell("order_created", b"[1, 2]", order_id)
    await world.buried("inventory_updated", copied, as_="not-ours")
    await world.buried("payment_successful", json_of(paid), as_="not-ours")
    await world.buried("order_created", b"[1, 2]", as_="undecodable")
    assert await world.get(f"{PATH}/{order_id}") == before
    assert len(await the_end_of(world, order_id)) == 1


@pytest.mark.parametrize("seed", range(2))
async def test_the_last_item_is_sold_once(world: World, seed: int) -> None:
    await stock(world, f"LAST-{seed}", 1)
    ends = await world.race(PATH, lambda: world.call("POST", PATH, order(items={f"LAST-{seed}": 1})))
    assert ends == ONE_OF_A_HUNDRED
    await eventually(lambda: has_stock(world, f"LAST-{seed}", 0))


@in_time
async def test_a_killed_worker_loses_nothing(world: World, running: Instance, tmp_path: Path) -> None:
    await killed_under_load(running, tmp_path)


@pytest.mark.proves("ORD-06")
async def test_every_order_ended_with_one_notice(world: World) -> None:
    """Those of the traffic above too: one `notification_sent`, beside that of a later cancellation."""
    asked = {each.body["order_id"] for each in await world.said("order_created") if "order_id" in each.body}

    async def ended() -> bool:
        sent = [each.body["order_id"] for each in await world.said("notification_sent") if not cancels(each.body)]
        assert len(sent) == len(set(sent))
        return set(sent) >= asked - await cancelled_while_pending(world)

    await eventually(ended, 30)


async def test_the_log_says_what_the_rows_hold(world: World, running: Instance, tmp_path: Path) -> None:
    await rebuilt(running, tmp_path, "booking", "availability", "payment", "notification", "analytics")
    await audited(running)


async def stock(world: World, product: str, quantity: int, price: str = "10.00") -> None:
    await world.put(f"/api/stock/{product}", {"quantity": quantity, "price": {"amount": price, "currency": "EUR"}})


async def in_stock(world: World, product: str) -> tuple[int, int]:
    """How many are on hand, and how many of them free."""
    found = await world.get(f"/api/stock/{product}")
    return found["quantity"], found["free"]


async def has_stock(world: World, product: str, free: int) -> bool:
    return await in_stock(world, product) == (free, free)


async def story(world: World, order_id: str) -> Sequence[tuple[str, Body]]:
    """What the documented topics say of an order, in the saga's order."""
    said = [each for each in await world.said(*TOPICS) if each.body.get("order_id") == order_id]
    return [(each.topic, each.body) for each in said]


async def the_end_of(world: World, order_id: str, *templates: str) -> list[Body]:
    """The notifications that were sent of an order, once there is one (of these templates)."""

    async def there() -> list[Body] | None:
        found = await world.of("order_id", order_id, "notification_sent")
        return found if found and set(templates) <= {each["template"] for each in found} else None

    found: list[Body] = await eventually(there)
    return found


def cancels(sent: Body) -> bool:
    return bool(sent["template"] == "booking_cancelled")


async def cancelled_while_pending(world: World) -> set[Any]:
    """Their only notice is that of the cancellation."""
    sent = await world.said("notification_sent")
    return {each.body["order_id"] for each in sent if cancels(each.body)}


async def message_ids(world: World, to: str) -> list[str]:
    answer = await world.call("GET", f"/dev/inbox?to={to}&limit=500")
    return [mail["message_id"] for mail in answer.body]


def order(
    email: str | None = None, token: str = "tok_visa", items: Mapping[str, int] | None = None, **more: int
) -> Body:
    person = {"email": email or f"{uuid.uuid4().hex[:8]}@example.com", "first_name": "Ada", "last_name": "Buyer"}
    wanted = [{"product_id": product, "quantity": quantity} for product, quantity in {**(items or {}), **more}.items()]
    return {"customer": person, "items": wanted, "payment_method": {"token": token}}


def foreign(product: str, quantity: int, price: float) -> Body:
    return {
        "order_id": str(uuid.uuid4()),
        "customer": {"email": f"{uuid.uuid4().hex[:8]}@example.com", "first_name": "Bo", "last_name": "Doe"},
        "items": [{"product_id": product, "quantity": quantity, "price": price}],
        "total_amount": quantity * price,
        "currency": "EUR",
    }


def cancellation(order_id: str) -> Body:
    """The document has no topic for it: the canonical event, as the catalogue shows it."""
    now = "2025-11-24T11:00:00Z"
    data = {
        "booking_id": order_id,
        "user_id": "u",
        "product_id": "p",
        "payment_id": "p",
        "cancelled_at": now,
        "cancellation_reason": "User requested",
        "refund_eligible": True,
        "refund_amount": 31.0,
        "refund_currency": "EUR",
    }
    head = {"event_id": str(uuid.uuid4()), "event_type": "booking.booking.cancelled", "event_version": "1.0"}
    return {**head, "timestamp": now, "correlation_id": str(uuid.uuid4()), "data": data, "metadata": {"source": "shop"}}
