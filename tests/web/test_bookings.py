"""Bookings in the catalogue's words: the client says what it expects to pay."""

from __future__ import annotations

import pytest

from streams.events.booking import RequestBooking
from tests.web.conftest import Gateway, booking


@pytest.mark.parametrize("amount", [100, 100.0, "100", "100.00"])
async def test_the_expected_price_may_be_a_number_or_a_decimal_string(gateway: Gateway, amount: object) -> None:
    await gateway.unit()
    answer = await gateway.call("POST", "/api/bookings", booking(price_amount=amount))
    assert answer.status == 201
    assert (await answer.json())["price"] == {"amount": "100.00", "currency": "EUR"}


@pytest.mark.parametrize("expected", [{"price_amount": "99.99"}, {"price_currency": "USD"}, {"quantity": 2}])
async def test_another_price_than_expected_is_told_and_nothing_is_appended(
    gateway: Gateway, expected: dict[str, object]
) -> None:
    await gateway.unit()
    answer = await gateway.call("POST", "/api/bookings", booking(**expected))
    body = await answer.json()
    assert answer.status == 409
    assert body["price"]["currency"] == "EUR"
    assert body["errors"][0]["field"] == "price_amount"
    assert gateway.instance.appended == []


async def test_a_booking_is_read_back_with_its_times_location_and_metadata(gateway: Gateway) -> None:
    await gateway.unit()
    place = {"lat": 37.7749, "lon": -122.4194, "address": "123 Main St"}
    asked = booking(location=place, metadata={"channel": "web", "score": 1.5})
    opened = await (await gateway.call("POST", "/api/bookings", asked)).json()
    assert opened["links"]["self"].startswith("/api/bookings/")
    body = await (await gateway.call("GET", opened["links"]["self"])).json()
    assert (body["kind"], body["status"]) == ("booking", "CONFIRMED")
    assert (body["start_time"], body["end_time"]) == (asked["start_time"], asked["end_time"])
    assert (body["check_in"], body["property_id"], body["guest"]) == (None, None, None)
    assert body["location"] == place
    assert body["metadata"] == {"channel": "web", "score": 1.5}


async def test_a_booking_takes_every_slot_it_touches(gateway: Gateway) -> None:
    await gateway.unit(slots=30, base_price={"amount": "10.50", "currency": "EUR"})
    asked = booking(start_time="2026-12-24T09:20:00Z", end_time="2026-12-24T10:10:00Z", price_amount="31.50")
    answer = await gateway.call("POST", "/api/bookings", asked)
    assert answer.status == 201, await answer.text()


async def test_tonight_may_still_be_booked_a_slot_that_began_not(gateway: Gateway) -> None:
    await gateway.unit()
    tonight = booking(start_time="2026-11-21T09:00:00Z", end_time="2026-11-22T09:00:00Z")
    assert (await gateway.call("POST", "/api/bookings", tonight)).status == 201
    await gateway.call(
        "PUT", "/api/properties/P/units/u", {"capacity": 1, "slots": 60, "base_price": {"amount": 1, "currency": "EUR"}}
    )
    begun = booking(
        provider_id="P",
        product_id="u",
        start_time="2026-11-21T11:30:00Z",
        end_time="2026-11-21T12:30:00Z",
        price_amount=2,
    )
    answer = await gateway.call("POST", "/api/bookings", begun)
    assert (await answer.json())["errors"][0]["field"] == "start_time"


async def test_the_deadline_and_the_free_cancellation_are_on_the_log(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.call("POST", "/api/bookings", booking())
    (event,) = gateway.instance.appended
    assert isinstance(event, RequestBooking)
    assert (event.deadline - gateway.instance.now).total_seconds() == 600
    assert event.free_until == event.lines[0].start
    assert event.guest is None
