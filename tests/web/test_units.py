"""Declaring units: readable as soon as answered."""

from __future__ import annotations

from tests.web.conftest import Gateway, stay

UNIT = {"capacity": 3, "base_price": {"amount": "80.50", "currency": "EUR"}, "time_zone": "Europe/Amsterdam"}


async def test_a_unit_is_readable_and_bookable_as_soon_as_it_is_answered(gateway: Gateway) -> None:
    answer = await gateway.call("PUT", "/api/properties/PROP-001/units/standard", UNIT)
    assert answer.status == 200
    body = await answer.json()
    assert body["base_price"] == UNIT["base_price"]
    assert (body["min_stay"], body["slots"], body["overbooking_limit"]) == (1, "nights", 0)
    read = await gateway.call("GET", "/api/properties/PROP-001/units/standard")
    assert await read.json() == body
    assert (await gateway.call("POST", "/api/reservations", stay())).status == 201


async def test_the_same_declaration_again_is_answered_the_same(gateway: Gateway) -> None:
    one = await gateway.call("PUT", "/api/properties/PROP-001/units/standard", UNIT)
    other = await gateway.call("PUT", "/api/properties/PROP-001/units/standard", UNIT)
    assert await one.json() == await other.json()


async def test_ids_with_slashes_and_other_scripts_name_units_of_their_own(gateway: Gateway) -> None:
    for path in ("/api/properties/a%2Fb/units/c", "/api/properties/a/units/b%2Fc", "/api/properties/城/units/d"):
        assert (await gateway.call("PUT", path, UNIT)).status == 200, path
    ids = {(unit.provider_id, unit.product_id) for unit in gateway.instance.rates.values.values()}
    assert ids == {("a/b", "c"), ("a", "b/c"), ("城", "d")}


async def test_an_unknown_unit_is_404_and_an_impossible_name_422(gateway: Gateway) -> None:
    assert (await gateway.call("GET", "/api/properties/PROP-001/units/none")).status == 404
    answer = await gateway.call("PUT", f"/api/properties/{'x' * 101}/units/u", UNIT)
    assert (await answer.json())["errors"][0]["field"] == "property_id"
    assert (await gateway.call("PUT", "/api/properties/a%0Ab/units/u", UNIT)).status == 422


async def test_time_is_not_cut_anew_while_something_is_held(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.book()
    answer = await gateway.call("PUT", "/api/properties/PROP-001/units/standard", {**UNIT, "slots": 60})
    body = await answer.json()
    assert answer.status == 409
    assert body["errors"][0]["field"] == "slots"
    assert (body["unit"]["slots"], body["unit"]["capacity"]) == ("nights", 3)


async def test_a_declaration_that_nobody_decides_is_503(gateway: Gateway) -> None:
    gateway.instance.paused.add("availability")
    answer = await gateway.call("PUT", "/api/properties/PROP-001/units/standard", UNIT)
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "1"
