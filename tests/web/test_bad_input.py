"""What cannot be taken is refused with a problem that names the field, and nothing is appended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import KEY, Gateway, booking, day, stay

GUEST = stay()["guest"]


def guest(**more: object) -> dict[str, Any]:
    return stay(guest={**GUEST, **more})


def without(body: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != field}


RESERVATIONS = [
    ("check_out", stay(check_out=stay()["check_in"])),
    ("check_out", stay(check_out=str(day(29)))),
    ("check_out", stay(check_out=str(day(30 + 367)))),
    ("check_in", stay(check_in="2001-01-01")),
    ("check_in", stay(check_in=str(day(-1)))),
    ("check_in", stay(check_in=5)),
    ("check_in", stay(check_in="2026-02-30")),
    ("check_in", stay(check_in="9999-12-30", check_out="9999-12-31")),
    ("check_in", stay(check_in="2190-01-01", check_out="2190-01-02")),
    ("check_in", stay(check_in="2026-12-24T00:00:00Z")),
    ("check_in", without(stay(), "check_in")),
    ("quantity", stay(quantity=0)),
    ("quantity", stay(quantity=-3)),
    ("quantity", stay(quantity=10**9)),
    ("quantity", stay(quantity=10**30)),
    ("quantity", stay(quantity="1")),
    ("quantity", stay(quantity=1.0)),
    ("quantity", stay(quantity=True)),
    ("property_id", stay(property_id="NOPE")),
    ("property_id", stay(property_id="")),
    ("property_id", stay(property_id="x" * 101)),
    ("property_id", stay(property_id="a\x00b")),
    ("property_id", stay(property_id=["PROP-001"])),
    ("unit_type", stay(unit_type="penthouse")),
    ("surprise", stay(surprise=1)),
    ("guest.is_admin", guest(is_admin=True)),
    ("guest", without(stay(), "guest")),
    ("guest.first_name", stay(guest={"email": "no"})),
    ("guest.email", guest(email="no")),
    ("guest.email", guest(email="a@b.co\r\nBcc: x@y.z")),
    ("guest.email", guest(email="a@b.co\n")),
    ("guest.email", guest(email="a@b")),
    ("guest.first_name", guest(first_name="Ada\nBcc: x@y.z")),
    ("guest.first_name", guest(first_name="  ")),
    ("guest.last_name", guest(last_name="x" * 201)),
    ("guest.phone", guest(phone="+31 6\n")),
    ("guest.locale", guest(locale="Deutsch")),
    ("payment_method", without(stay(), "payment_method")),
    ("payment_method.token", stay(payment_method={"token": ""})),
    ("payment_method.token", stay(payment_method={"token": "4242 4242 4242 4242"})),
    ("payment_method.token", stay(payment_method={"token": "4242424242424242"})),
    ("body", []),
    ("body", "x"),
    ("body", 7),
]


@pytest.mark.parametrize(("field", "body"), RESERVATIONS)
async def test_a_bad_reservation_names_its_field_and_appends_nothing(
    gateway: Gateway, field: str, body: object
) -> None:
    await gateway.unit()
    await _refused(gateway, "/api/reservations", body, field)


BOOKINGS = [
    ("start_time", booking(start_time="2001-01-01T00:00:00Z")),
    ("start_time", booking(start_time="2026-12-24T14:00:00")),
    ("start_time", booking(start_time=1_800_000_000)),
    ("end_time", booking(end_time=booking()["start_time"])),
    ("end_time", booking(end_time="2029-01-01T00:00:00Z")),
    ("price_amount", booking(price_amount=-1)),
    ("price_amount", booking(price_amount="-0.01")),
    ("price_amount", booking(price_amount="1e400")),
    ("price_amount", booking(price_amount="1_00")),
    ("price_amount", booking(price_amount=10**20)),
    ("price_amount", booking(price_amount="100.001")),
    ("price_amount", booking(price_amount=None)),
    ("price_amount", booking(price_amount=True)),
    ("price_currency", booking(price_currency="eur")),
    ("price_currency", booking(price_currency="XYZW")),
    ("price_currency", booking(price_currency="QQQ")),
    ("provider_id", booking(provider_id="NOPE")),
    ("location.lat", booking(location={"lat": 91, "lon": 0})),
    ("location.lon", booking(location={"lat": 0, "lon": 10**400})),
    ("metadata", booking(metadata={"x": "y" * 5000})),
    ("metadata", booking(metadata=[])),
    ("metadata", booking(metadata={"x": 10**30})),
]


@pytest.mark.parametrize(("field", "body"), BOOKINGS)
async def test_a_bad_booking_names_its_field_and_appends_nothing(gateway: Gateway, field: str, body: object) -> None:
    await gateway.unit()
    await _refused(gateway, "/api/bookings", body, field)


RAW = [
    (b"{", 400),
    (b"", 400),
    (b'{"check_in": NaN}', 400),
    (b'{"quantity": 1, "quantity": 2}', 400),
    (b'"\xff"', 400),
    (rb'{"guest": "\ud800"}', 400),
    (b"[" * 30_000, 400),
    (b"[" * 21 + b"]" * 21, 400),
    (b"{" + b" " * 200_000, 413),
    (b"1" * 5000, 400),
    (b'{"price": 1.' + b"1" * 100 + b"}", 400),
]


@pytest.mark.parametrize(("body", "status"), RAW)
async def test_what_is_not_json_is_refused(gateway: Gateway, body: bytes, status: int) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    answer = await gateway.client.post("/api/reservations", data=body, headers=headers)
    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    assert gateway.instance.appended == []


async def test_a_body_that_does_not_say_its_length_is_bounded_too(gateway: Gateway) -> None:
    async def endless() -> Any:
        for _ in range(20):
            yield b" " * 10_000

    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    answer = await gateway.client.post("/api/reservations", data=endless(), headers=headers)
    assert answer.status == 413


async def test_a_form_is_not_taken_for_json(gateway: Gateway) -> None:
    answer = await gateway.client.post("/api/reservations", data={"a": "b"}, headers={"X-API-Key": KEY})
    assert answer.status == 415


UNITS = [
    ("capacity", {"capacity": -1}),
    ("capacity", {"capacity": 10_001}),
    ("capacity", {"capacity": 1.5}),
    ("overbooking_limit", {"overbooking_limit": 1001}),
    ("base_price.amount", {"base_price": {"amount": "-1", "currency": "EUR"}}),
    ("base_price.amount", {"base_price": {"amount": "1.005", "currency": "EUR"}}),
    ("base_price.amount", {"base_price": {"amount": "0.5", "currency": "JPY"}}),
    ("base_price.amount", {"base_price": {"amount": "999999999999", "currency": "EUR"}}),
    ("base_price.currency", {"base_price": {"amount": "1", "currency": "euro"}}),
    ("min_stay", {"min_stay": 0}),
    ("min_stay", {"min_stay": 91}),
    ("time_zone", {"time_zone": "Mars/Olympus"}),
    ("time_zone", {"time_zone": "../../etc/passwd"}),
    ("slots", {"slots": 7}),
    ("slots", {"slots": 0}),
    ("slots", {"slots": True}),
    ("slots", {"slots": "none"}),
    ("price", {"price": 1}),
]


@pytest.mark.parametrize(("field", "more"), UNITS)
async def test_a_bad_unit_names_its_field_and_appends_nothing(
    gateway: Gateway, field: str, more: dict[str, object]
) -> None:
    body = {"capacity": 2, "base_price": {"amount": "100.00", "currency": "EUR"}, **more}
    answer = await gateway.call("PUT", "/api/properties/PROP-001/units/standard", body)
    assert answer.status == 422
    assert field in {error["field"] for error in (await answer.json())["errors"]}
    assert gateway.instance.appended == []


async def test_no_value_of_a_refused_request_is_repeated(gateway: Gateway) -> None:
    await gateway.unit()
    answer = await gateway.call("POST", "/api/reservations", guest(email="ada.private@"))
    assert "ada.private" not in await answer.text()


async def _refused(gateway: Gateway, path: str, body: object, field: str) -> None:
    answer = await gateway.call("POST", path, body, Idempotency_Key="k")
    problem = await answer.json()
    assert answer.status == 422, problem
    assert answer.content_type == "application/problem+json"
    assert field in {error["field"] for error in problem["errors"]}, problem
    assert gateway.instance.appended == []
