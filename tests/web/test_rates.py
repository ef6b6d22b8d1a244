"""Rate plans through the gateway: declared, quoted, booked, followed by occupancy, remembered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.rates import rate_messages_of
from streams.events.availability import NightUpdated
from streams.events.rate import RateUpdated
from tests.web.conftest import Gateway, day, stay

PLANS = "/api/properties/PROP-001/units/standard/rate-plans"
FLEX = {
    "name": "Flexible",
    "weekend": {"days": ["fri", "sat"], "percent": 20},
    "seasons": [{"from": "2026-12-24", "to": "2026-12-27", "price": "180.00"}],
    "length_of_stay": [{"min_nights": 3, "percent": -10}],
    "occupancy": {
        "steps": [{"from_percent": 50, "percent": 10}, {"from_percent": 100, "percent": 50}],
        "hysteresis_percent": 5,
        "ceiling": "250.00",
    },
}


async def plan(gateway: Gateway, name: str = "flex", **more: object) -> dict[str, Any]:
    answer = await gateway.call("PUT", f"{PLANS}/{name}", {**FLEX, **more})
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def quote(gateway: Gateway, **more: object) -> dict[str, Any]:
    body = {name: value for name, value in stay(**more).items() if name not in ("guest", "payment_method")}
    answer = await gateway.call("POST", "/api/rates/quote", body)
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def get(gateway: Gateway, path: str) -> dict[str, Any]:
    answer = await gateway.call("GET", path)
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def hear(gateway: Gateway) -> None:
    """The rate service reads what was told of nights and bookings, as its group does."""
    told, gateway.instance.published = gateway.instance.published, []
    for news in told:
        for message in rate_messages_of(news):
            await gateway.instance.append(message, source="rate")
        if isinstance(news.data, RateUpdated):
            gateway.instance.published.append(news)


def nights_told(gateway: Gateway) -> list[RateUpdated]:
    """What was told of the prices of nights."""
    told = [each.data for each in gateway.instance.published]
    return [news for news in told if isinstance(news, RateUpdated) and news.slot is not None]


async def test_a_plan_is_readable_as_soon_as_it_is_answered(gateway: Gateway) -> None:
    await gateway.unit()
    said = await plan(gateway)
    assert said["plan"]["seasons"] == [{"from": "2026-12-24", "to": "2026-12-27", "price": "180.00"}]
    assert (said["rate_plan"], said["currency"], said["withdrawn"]) == ("flex", "EUR", False)
    assert await get(gateway, f"{PLANS}/flex") == said
    assert (await get(gateway, PLANS))["rate_plans"] == [said]
    again = await gateway.call("PUT", f"{PLANS}/flex", FLEX)
    assert await again.json() == said


@pytest.mark.proves("HTL-04")
async def test_what_was_quoted_is_what_is_charged(gateway: Gateway) -> None:
    """Monday 21 to Friday 25 December: 3 nights at 100.00 and one at 180.00 are 480.00, a tenth off is 432.00."""
    await gateway.unit(capacity=20)
    await plan(gateway)
    asked = {"check_in": "2026-12-21", "check_out": "2026-12-25", "rate_plan": "flex"}
    quoted = await quote(gateway, **asked)
    assert quoted["total"] == {"amount": "432.00", "currency": "EUR"}
    assert quoted["nights"][3]["adjustments"] == [{"rule": "season 2026-12-24/2026-12-27", "amount": "80.00"}]
    assert quoted["discounts"] == [{"rule": "length_of_stay from 3 nights", "amount": "-48.00"}]
    booked = await gateway.book(**asked)
    assert booked["price"] == quoted["total"]
    row = await get(gateway, booked["links"]["self"])
    assert (row["rate_plan"], row["price"]) == ("flex", quoted["total"])
    assert (await quote(gateway, check_in="2026-12-21", check_out="2026-12-25"))["total"]["amount"] == "400.00"


async def test_without_a_plan_the_base_price_holds(gateway: Gateway) -> None:
    await gateway.unit()
    await plan(gateway)
    booked = await gateway.book()
    assert booked["price"]["amount"] == "200.00"
    assert (await get(gateway, booked["links"]["self"]))["rate_plan"] is None


async def test_a_changed_booking_keeps_its_plan_though_it_was_withdrawn(gateway: Gateway) -> None:
    await gateway.unit(capacity=20)
    await plan(gateway)
    asked = {"check_in": "2026-12-24", "check_out": "2026-12-26", "rate_plan": "flex"}
    booked = await gateway.book(**asked)
    assert booked["price"]["amount"] == "396.00"  # 180.00 on Thursday, 216.00 on Friday
    ended = await gateway.call("DELETE", f"{PLANS}/flex")
    assert (ended.status, (await ended.json())["withdrawn"]) == (200, True)
    assert (await gateway.call("POST", "/api/reservations", stay(**asked))).status == 422
    assert (await get(gateway, PLANS))["rate_plans"] == []
    changed = await gateway.call("PATCH", booked["links"]["self"], {"check_out": "2026-12-25"})
    assert (changed.status, (await changed.json())["price"]["amount"]) == (200, "180.00")


async def test_a_booking_keeps_the_price_it_was_made_at(gateway: Gateway) -> None:
    await gateway.unit()
    await plan(gateway)
    booked = await gateway.book(rate_plan="flex")
    await plan(gateway, base="500.00")
    assert (await get(gateway, booked["links"]["self"]))["price"] == booked["price"]


@pytest.mark.proves("HTL-10", "HTL-25")
async def test_a_night_that_fills_up_becomes_dearer_and_the_gateways_know(gateway: Gateway) -> None:
    """Of 2 rooms one is booked: 50 percent, so 110.00 instead of 100.00. Cancelled, it is 100.00 again."""
    await gateway.unit()
    await plan(gateway)
    night = {"check_in": str(day(30)), "check_out": str(day(31)), "rate_plan": "flex"}
    assert day(30).strftime("%a") == "Mon"
    booked = await gateway.book(**night)
    await hear(gateway)
    (news,) = nights_told(gateway)
    assert (news.slot, news.rate_plan) == (str(day(30)), "flex")
    assert (str(news.previous_price), str(news.price_amount)) == ("100.00", "110.00")
    assert (await quote(gateway, **night))["total"]["amount"] == "110.00"
    path = f"/api/availability?property_id=PROP-001&unit_type=standard&from={day(30)}&to={day(32)}"
    first, second = (await get(gateway, path))["nights"]
    assert first["rates"] == [{"rate_plan": "flex", "price": {"amount": "110.00", "currency": "EUR"}}]
    assert (first["price"]["amount"], second["rates"][0]["price"]["amount"]) == ("100.00", "100.00")
    gateway.instance.published.clear()
    await gateway.call("POST", booked["links"]["cancel"])
    await hear(gateway)
    assert (await quote(gateway, **night))["total"]["amount"] == "100.00"


@pytest.mark.proves("C14")
async def test_a_rate_update_changes_nothing_that_is_available(gateway: Gateway) -> None:
    await gateway.unit()
    await plan(gateway)
    await gateway.book(rate_plan="flex")
    await hear(gateway)
    assert len(nights_told(gateway)) == 2
    await hear(gateway)
    assert not any(isinstance(each.data, NightUpdated) for each in gateway.instance.published)


@pytest.mark.proves("HTL-04")
async def test_the_history_of_a_night_says_from_when_and_why(gateway: Gateway) -> None:
    await gateway.unit()
    await plan(gateway)
    gateway.instance.now += timedelta(hours=1)
    await gateway.book(check_in=str(day(30)), check_out=str(day(31)), rate_plan="flex")
    await hear(gateway)
    gateway.instance.now += timedelta(hours=1)
    await gateway.unit(base_price={"amount": "90.00", "currency": "EUR"})
    path = f"/api/rates/history?property_id=PROP-001&unit_type=standard&night={day(30)}"
    prices = (await get(gateway, path))["prices"]
    assert [(each["rate_plan"], each["at"][11:13], each["price"]["amount"], each["why"]) for each in prices] == [
        (None, "12", "100.00", "base price"),
        (None, "14", "90.00", "base price"),
        ("flex", "12", "100.00", "rate plan"),
        ("flex", "13", "110.00", "occupancy 1 of 2: the step from 50%"),
        ("flex", "14", "99.00", "base price"),
    ]


@pytest.mark.proves("HTL-22")
async def test_usage_is_counted_by_plan(gateway: Gateway) -> None:
    await gateway.unit(capacity=20)
    await plan(gateway)
    gateway.instance.published.clear()
    await gateway.book(rate_plan="flex")
    await gateway.book()
    await gateway.book(quantity=2)
    await hear(gateway)
    usage = await get(gateway, "/api/rates/usage?property_id=PROP-001&unit_type=standard")
    assert (usage["bookings"], usage["units"], usage["revenue"][0]["amount"]) == (3, 8, "800.00")
    base, flex = usage["rate_plans"]
    assert (base["rate_plan"], base["bookings"], base["units"], base["revenue"][0]["amount"]) == (None, 2, 6, "600.00")
    assert (flex["rate_plan"], flex["bookings"], flex["revenue"][0]["amount"]) == ("flex", 1, "200.00")


BAD: dict[str, dict[str, object]] = {
    "weekend": {"weekend": {"days": ["fri"], "percent": 10, "amount": "5.00"}},
    "weekend.days.0": {"weekend": {"days": ["friday"], "percent": 10}},
    "weekend.percent": {"weekend": {"days": ["fri"], "percent": 1000}},
    "seasons": {
        "seasons": [
            {"from": "2026-12-01", "to": "2026-12-10", "percent": 5},
            {"from": "2026-12-09", "to": "2026-12-12", "percent": 5},
        ]
    },
    "seasons.0": {"seasons": [{"from": "2026-12-10", "to": "2026-12-10", "percent": 5}]},
    "seasons.0.price": {"seasons": [{"from": "2026-12-10", "to": "2026-12-11", "price": "1.005"}]},
    "length_of_stay.0.percent": {"length_of_stay": [{"min_nights": 7, "percent": 10}]},
    "length_of_stay": {
        "length_of_stay": [{"min_nights": 7, "percent": -5}, {"min_nights": 7, "percent": -10}],
    },
    "advance_purchase": {"advance_purchase": [{"min_days": 1, "percent": -5}, {"min_days": 1, "percent": -6}]},
    "occupancy.steps": {"occupancy": {"steps": []}},
    "occupancy.steps.0.from_percent": {"occupancy": {"steps": [{"from_percent": 0, "percent": 5}]}},
    "occupancy": {"occupancy": {"steps": [{"from_percent": 5, "percent": 5}], "floor": "9.00", "ceiling": "8.00"}},
    "base": {"base": "-1"},
    "colour": {"colour": "red"},
}


@pytest.mark.parametrize("field", BAD)
async def test_a_plan_that_cannot_be_names_its_field(gateway: Gateway, field: str) -> None:
    await gateway.unit()
    answer = await gateway.call("PUT", f"{PLANS}/bad", BAD[field])
    body = await answer.json()
    assert (answer.status, [each["field"] for each in body["errors"]]) == (422, [field]), body
    assert gateway.instance.appended == []


async def test_what_is_not_there_is_told(gateway: Gateway) -> None:
    assert (await gateway.call("PUT", f"{PLANS}/flex", FLEX)).status == 404
    await gateway.unit()
    assert (await gateway.call("GET", f"{PLANS}/none")).status == 404
    assert (await gateway.call("DELETE", f"{PLANS}/none")).status == 404
    unknown = await gateway.call("POST", "/api/reservations", stay(rate_plan="none"))
    assert (unknown.status, (await unknown.json())["errors"][0]["field"]) == (422, "rate_plan")
    await gateway.unit(slots=60)
    minutes = await gateway.call("PUT", f"{PLANS}/flex", FLEX)
    assert (await minutes.json())["errors"][0]["field"] == "unit_type"


async def test_a_plan_in_another_currency_than_its_unit_prices_nothing(gateway: Gateway) -> None:
    await gateway.unit()
    await plan(gateway)
    await gateway.unit(base_price={"amount": "100.00", "currency": "USD"})
    answer = await gateway.call("POST", "/api/reservations", stay(rate_plan="flex"))
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, "rate_plan")
    assert (await get(gateway, PLANS))["rate_plans"] == []


async def test_a_unit_has_a_bounded_number_of_plans(gateway: Gateway) -> None:
    await gateway.unit()
    for number in range(20):
        assert (await gateway.call("PUT", f"{PLANS}/p{number}", {})).status == 200
    assert (await gateway.call("PUT", f"{PLANS}/more", {})).status == 409
    await gateway.call("DELETE", f"{PLANS}/p0")
    assert (await gateway.call("PUT", f"{PLANS}/more", {})).status == 200


@pytest.mark.parametrize("layout", ["campsite"])
async def test_a_layout_without_a_rate_service_says_so(gateway: Gateway) -> None:
    await gateway.unit()
    await plan(gateway)
    assert (await quote(gateway, rate_plan="flex"))["total"]["amount"] == "200.00"
    for path in ("history", "usage"):
        answer = await gateway.call("GET", f"/api/rates/{path}?property_id=PROP-001&unit_type=standard")
        assert answer.status == 404


async def test_nothing_is_booked_at_another_price_than_was_quoted(gateway: Gateway) -> None:
    """A retry of what was booked at the price of then is answered as it was, whatever it costs by now."""
    await gateway.unit()
    expected = {"amount": "200.00", "currency": "EUR"}
    headers = {"Idempotency_Key": "quoted"}
    first = await gateway.call("POST", "/api/reservations", stay(expected_price=expected), **headers)
    await gateway.unit(base_price={"amount": "120.00", "currency": "EUR"})
    again = await gateway.call("POST", "/api/reservations", stay(expected_price=expected), **headers)
    assert (first.status, again.status) == (201, 201)
    assert (await first.json())["booking_id"] == (await again.json())["booking_id"]
    answer = await gateway.call("POST", "/api/reservations", stay(expected_price=expected))
    told = await answer.json()
    assert (answer.status, told["type"]) == (409, "urn:vacancy:problem:price-changed")
    assert (told["price"]["amount"], told["errors"][0]["field"]) == ("240.00", "expected_price")
