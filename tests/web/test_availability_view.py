"""What is free, night by night."""

from __future__ import annotations

from typing import Any

from tests.web.conftest import Gateway, day


def _path(start: str, end: str, **more: str) -> str:
    names = {"property_id": "PROP-001", "unit_type": "standard", "from": start, "to": end, **more}
    return "/api/availability?" + "&".join(f"{name}={value}" for name, value in names.items())


async def _nights(gateway: Gateway, start: int, end: int) -> list[dict[str, Any]]:
    answer = await gateway.call("GET", _path(str(day(start)), str(day(end))))
    assert answer.status == 200, await answer.text()
    nights: list[dict[str, Any]] = (await answer.json())["nights"]
    return nights


async def test_each_night_says_what_is_sold_held_and_free(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.book()
    gateway.instance.paused.add("payment")
    await gateway.book(check_in=str(day(31)))
    before, sold, both, after = await _nights(gateway, 29, 33)
    assert (before["held"], before["confirmed"], before["free"], before["bookable"]) == (0, 0, 2, True)
    assert (sold["held"], sold["confirmed"], sold["free"], sold["why_not"]) == (0, 1, 1, None)
    assert (both["held"], both["confirmed"], both["free"]) == (1, 1, 0)
    assert (both["bookable"], both["why_not"]) == (False, "sold_out")
    assert after["price"] == {"amount": "100.00", "currency": "EUR"}


async def test_units_within_the_overbooking_limit_are_bookable_and_not_free(gateway: Gateway) -> None:
    await gateway.unit(overbooking_limit=1)
    await gateway.book(quantity=2)
    (night,) = await _nights(gateway, 30, 31)
    assert (night["free"], night["bookable"]) == (0, True)


async def test_a_night_that_is_over_cannot_be_booked(gateway: Gateway) -> None:
    await gateway.unit()
    yesterday, today = await _nights(gateway, -1, 1)
    assert (yesterday["bookable"], yesterday["why_not"]) == (False, "past")
    assert today["bookable"] is True


async def test_a_day_of_short_slots_is_answered_whole(gateway: Gateway) -> None:
    await gateway.unit(slots=5)
    slots = await _nights(gateway, 1, 2)
    assert len(slots) == 288
    assert slots[0]["slot"] == f"{day(1)}T00:00Z"


async def test_a_period_that_cannot_be_answered_names_its_field(gateway: Gateway) -> None:
    await gateway.unit()
    today = str(day(0))
    cases = {
        "to": [_path(today, today), _path(today, str(day(400))), _path(today, "tomorrow")],
        "from": [_path("", today), _path("1-1-1", today)],
        "property_id": [_path(today, str(day(1)), property_id="NOPE"), _path(today, str(day(1)), property_id="")],
    }
    for field, paths in cases.items():
        for path in paths:
            answer = await gateway.call("GET", path)
            assert answer.status == 422, path
            assert (await answer.json())["errors"][0]["field"] == field
