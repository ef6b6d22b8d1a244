"""What something was at a time: told from its history, the same for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

import pytest

from tests.web.conftest import Gateway, booking, day
from tests.web.instance import NOW


def at(time: datetime) -> str:
    return f"?at={quote(time.isoformat())}"


async def status_at(gateway: Gateway, path: str, time: datetime) -> tuple[int, str | None]:
    answer = await gateway.call("GET", path + at(time))
    return answer.status, (await answer.json())["status"] if answer.status == 200 else None


async def test_a_stay_is_told_as_it_stood_at_every_time(gateway: Gateway) -> None:
    await gateway.unit()
    gateway.instance.paused.add("payment")
    path = (await gateway.book())["links"]["self"]
    gateway.instance.now = NOW + timedelta(minutes=1)
    gateway.instance.paused.clear()
    await gateway.instance.run()
    gateway.instance.now = NOW + timedelta(minutes=2)
    await gateway.call("POST", f"{path}/cancel")
    assert await status_at(gateway, path, NOW - timedelta(milliseconds=1)) == (404, None)
    assert await status_at(gateway, path, NOW) == (200, "PENDING")
    assert await status_at(gateway, path, NOW + timedelta(seconds=59)) == (200, "PENDING")
    assert await status_at(gateway, path, NOW + timedelta(seconds=61)) == (200, "CONFIRMED")
    assert await status_at(gateway, path, NOW + timedelta(days=1)) == (200, "CANCELLED")


async def test_a_change_does_not_change_what_was(gateway: Gateway) -> None:
    await gateway.unit()
    path = (await gateway.book())["links"]["self"]
    gateway.instance.now += timedelta(hours=1)
    await gateway.call("PATCH", path, {"check_out": str(day(31)), "guest": {"last_name": "Lovelace"}})
    before = await (await gateway.call("GET", path + at(NOW))).json()
    now = await (await gateway.call("GET", path)).json()
    assert (before["check_out"], before["revision"], before["guest"]["last_name"]) == (str(day(32)), 1, "Guest")
    assert (now["check_out"], now["guest"]["last_name"]) == (str(day(31)), "Lovelace")


async def test_payments_bookings_and_orders_are_told_too(gateway: Gateway) -> None:
    await gateway.unit()
    price = {"amount": "9.00", "currency": "EUR"}
    await gateway.call("PUT", "/api/stock/TENT", {"quantity": 3, "price": price})
    booked = await (await gateway.call("POST", "/api/bookings", booking())).json()
    person = {"email": "a@b.co", "first_name": "A", "last_name": "B"}
    asked = {"customer": person, "items": [{"product_id": "TENT", "quantity": 1}]}
    ordered = await (await gateway.call("POST", "/api/orders", {**asked, "payment_method": {"token": "tok"}})).json()
    paths = [booked["links"]["self"], ordered["links"]["self"]]
    payment = (await (await gateway.call("GET", paths[0])).json())["payment_id"]
    gateway.instance.now += timedelta(hours=1)
    refund = await gateway.call("POST", f"/api/payments/{payment}/refunds", {"amount": 1})
    assert refund.status == 201
    for path in paths:
        assert await status_at(gateway, path, NOW) == (200, "CONFIRMED")
        assert await status_at(gateway, path, NOW - timedelta(hours=1)) == (404, None)
    path = f"/api/payments/{payment}"
    assert (await (await gateway.call("GET", path + at(NOW))).json())["refunded"]["amount"] == "0.00"
    later = await (await gateway.call("GET", path + at(NOW + timedelta(hours=2)))).json()
    assert later["refunded"]["amount"] == "1.00"
    assert await status_at(gateway, path, NOW - timedelta(hours=1)) == (404, None)


async def test_a_zone_is_understood_escaped_or_not(gateway: Gateway) -> None:
    await gateway.unit()
    path = (await gateway.book())["links"]["self"]
    local = (NOW + timedelta(hours=2)).replace(tzinfo=None).isoformat()
    for written in (f"{local}%2B02:00", f"{local}+02:00", f"{local}.000001%2B02:00"):
        assert (await gateway.call("GET", f"{path}?at={written}")).status == 200, written
    assert (await gateway.call("GET", f"{path}?at={local}%2B02:01")).status == 404


@pytest.mark.parametrize(
    "given", ["", "now", "2026-11-21", "2026-11-21T12:00:00", "2026-13-01T00:00:00Z", "1764244800"]
)
async def test_what_is_no_time_is_refused(gateway: Gateway, given: str) -> None:
    await gateway.unit()
    opened = await gateway.book()
    body = await (await gateway.call("GET", opened["links"]["self"])).json()
    for path in (opened["links"]["self"], f"/api/payments/{body['payment_id']}"):
        answer = await gateway.call("GET", f"{path}?at={given}")
        assert answer.status == 422, path
        assert [error["field"] for error in (await answer.json())["errors"]] == ["at"]


async def test_the_past_is_not_waited_for(gateway: Gateway) -> None:
    await gateway.unit()
    opened = await gateway.book()
    answer = await gateway.call("GET", f"{opened['links']['self']}{at(NOW)}&wait=1")
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, "at")


async def test_what_is_not_decided_yet_may_still_become_part_of_the_past(gateway: Gateway) -> None:
    await gateway.unit()
    path = (await gateway.book())["links"]["self"]
    gateway.instance.paused.add("booking")
    assert (await gateway.call("POST", f"{path}/cancel")).status == 503
    assert (await gateway.call("GET", path + at(NOW))).status == 503
