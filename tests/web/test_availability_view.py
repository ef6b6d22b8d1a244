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


async def _calendar(gateway: Gateway, start: int, end: int, **rules: object) -> None:
    body = {"from": str(day(start)), "to": str(day(end)), **rules}
    assert (await gateway.call("PUT", "/api/properties/PROP-001/units/standard/calendar", body)).status == 200


async def test_every_reason_of_a_night_is_told_and_the_first_is_why_it_is_not_bookable(gateway: Gateway) -> None:
    await gateway.unit(min_stay=2)
    await gateway.book(quantity=2)
    await _calendar(gateway, 30, 31, stop_sell=True, closed_to_arrival=True, closed_to_departure=True, max_stay=7)
    full, last, open_ = await _nights(gateway, 30, 33)
    assert full["reasons"] == [
        *("sold_out", "stop_sell", "closed_to_arrival", "closed_to_departure"),
        *("min_stay 2", "max_stay 7"),
    ]
    assert (full["bookable"], full["why_not"]) == (False, "sold_out")
    assert (last["reasons"], open_["reasons"]) == (["sold_out", "min_stay 2"], ["min_stay 2"])


async def test_a_night_closed_to_arrival_is_sold_to_stays_through_it(gateway: Gateway) -> None:
    await gateway.unit()
    await _calendar(gateway, 1, 2, closed_to_arrival=True, min_stay=3)
    await _calendar(gateway, 2, 3, closed_to_departure=True)
    await _calendar(gateway, 3, 4, min_advance_days=4)
    await _calendar(gateway, 4, 5, max_advance_days=3)
    nights = await _nights(gateway, 1, 5)
    assert all(night["bookable"] and night["why_not"] is None for night in nights)
    assert [night["arrival"] for night in nights] == [False, True, False, False]
    assert [night["departure"] for night in nights] == [True, False, True, True]
    assert [night["reasons"] for night in nights] == [
        ["closed_to_arrival", "min_stay 3"],
        ["closed_to_departure"],
        ["too_short_notice"],
        ["too_far_ahead"],
    ]
    assert (nights[0]["min_stay"], nights[0]["max_stay"], nights[1]["min_stay"]) == (3, None, 1)


async def test_a_night_with_its_own_overbooking_limit_is_bookable_up_to_it(gateway: Gateway) -> None:
    await gateway.unit(overbooking_limit=1)
    await gateway.book(quantity=2)
    await _calendar(gateway, 30, 31, overbooking_limit=0)
    assert [night["bookable"] for night in await _nights(gateway, 30, 32)] == [False, True]
