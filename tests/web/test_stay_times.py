"""The hours of a unit type, and front desks that are early."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from streams.events.booking import StayDue
from tests.web.conftest import Gateway, booking, day

AMSTERDAM = "Europe/Amsterdam"
HOURS = {"check_in_from": "15:00", "check_out_until": "11:00", "no_show_from": "00:00"}
MANUAL = {"no_show": "manual", "check_out": "manual"}


async def stayed(gateway: Gateway, **rules: str) -> str:
    """The path of a confirmed stay in Amsterdam: 21 to 23 December 2026, thirty days from now."""
    await gateway.unit(time_zone=AMSTERDAM, **{"check_in_from": "15:00", **rules})
    return str((await gateway.book())["links"]["self"])


async def step(gateway: Gateway, path: str, word: str) -> tuple[int, dict[str, Any]]:
    answer = await gateway.call("POST", f"{path}/{word}")
    return answer.status, await answer.json()


async def show(gateway: Gateway, path: str) -> dict[str, Any]:
    found: dict[str, Any] = await (await gateway.call("GET", path)).json()
    return found


def utc(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, second, tzinfo=UTC)


async def test_a_unit_type_has_hours(gateway: Gateway) -> None:
    path = "/api/properties/PROP-001/units/standard"
    await gateway.unit()
    assert (await show(gateway, path)).items() >= dict.fromkeys(HOURS | MANUAL).items()
    await gateway.unit(check_in_from="15:00")
    assert (await show(gateway, path)).items() >= (HOURS | MANUAL).items()
    rules = {"check_in_from": "14:30", "check_out_until": "10:00", "no_show_from": "02:00", "no_show": "auto"}
    await gateway.unit(**rules, check_out="auto")
    assert (await show(gateway, path)).items() >= {**rules, "check_out": "auto"}.items()


@pytest.mark.parametrize(
    ("field", "value"),
    [("check_in_from", "3 pm"), ("check_out_until", "24:00"), ("no_show_from", 2), ("no_show", "never")],
)
async def test_an_hour_that_is_none_is_refused_by_name(gateway: Gateway, field: str, value: object) -> None:
    body = {"capacity": 2, "base_price": {"amount": "100.00", "currency": "EUR"}, field: value}
    answer = await gateway.call("PUT", "/api/properties/PROP-001/units/standard", body)
    assert (answer.status, (await answer.json())["errors"][0]["field"]) == (422, field)


async def test_a_unit_type_without_hours_leaves_the_days_to_its_front_desk(gateway: Gateway) -> None:
    await gateway.unit(time_zone=AMSTERDAM)
    path = (await gateway.book())["links"]["self"]
    assert (await show(gateway, path))["times"] is None
    assert (await step(gateway, path, "check-in"))[0] == 200


@pytest.mark.proves("HTL-02", "HTL-08")
async def test_a_front_desk_that_is_a_day_early_is_told_the_day(gateway: Gateway) -> None:
    path = await stayed(gateway)
    gateway.instance.now = utc(20, 22, 59, 59)
    status, body = await step(gateway, path, "check-in")
    assert (status, body["type"], body["booking_status"]) == (409, "urn:vacancy:problem:too-early", "CONFIRMED")
    said = "A check-in of this stay is possible from Monday, 21 December 2026, 00:00 (Europe/Amsterdam) on."
    assert (body["detail"], body["possible_from"]) == (said, "2026-12-20T23:00:00Z")
    gateway.instance.now = utc(20, 23)
    assert (await step(gateway, path, "check-in"))[0] == 200  # eight in the morning or one at night: the unit is ready


async def test_a_no_show_waits_for_the_night(gateway: Gateway) -> None:
    path = await stayed(gateway, no_show_from="02:00")
    gateway.instance.now = utc(22, 0, 59, 59)
    status, body = await step(gateway, path, "no-show")
    assert (status, body["type"]) == (409, "urn:vacancy:problem:too-early")
    assert "Tuesday, 22 December 2026, 02:00" in body["detail"]
    gateway.instance.now = utc(22, 1)
    assert (await step(gateway, path, "no-show"))[1]["status"] == "NO_SHOW"


async def test_a_stay_says_when_it_may_begin_and_end(gateway: Gateway) -> None:
    path = await stayed(gateway, no_show="auto")
    assert (await show(gateway, path))["times"] == {
        "arrival": "2026-12-20T23:00:00Z",
        "check_in_from": "2026-12-21T14:00:00Z",
        "no_show_from": "2026-12-21T23:00:00Z",
        "check_out_until": "2026-12-23T10:00:00Z",
        "departed": "2026-12-23T23:00:00Z",
        "no_show": "auto",
        "check_out": "manual",
    }


async def test_a_change_of_dates_takes_the_hours_along(gateway: Gateway) -> None:
    path = await stayed(gateway)
    await gateway.call("PATCH", path, {"check_in": str(day(31))})
    times = (await show(gateway, path))["times"]
    assert (times["arrival"], times["departed"]) == ("2026-12-21T23:00:00Z", "2026-12-23T23:00:00Z")
    gateway.instance.now = utc(21, 12)
    assert (await step(gateway, path, "check-in"))[1]["type"].endswith("too-early")


async def test_rules_that_change_leave_booked_stays_alone(gateway: Gateway) -> None:
    path = await stayed(gateway)
    before = (await show(gateway, path))["times"]
    await gateway.unit(time_zone="UTC", no_show="auto", check_in_from="18:00")
    assert (await show(gateway, path))["times"] == before


async def test_what_is_taken_by_the_minute_has_no_day_of_arrival(gateway: Gateway) -> None:
    await gateway.unit(slots=60, base_price={"amount": "10.00", "currency": "EUR"})
    hours = {"start_time": f"{day(30)}T14:00:00Z", "end_time": f"{day(30)}T16:00:00Z"}
    answer = await gateway.call("POST", "/api/bookings", booking(**hours, price_amount=20))
    path = (await answer.json())["links"]["self"]
    assert (await show(gateway, path))["times"] is None
    assert (await step(gateway, path, "check-in"))[0] == 200


async def test_a_tick_makes_a_no_show_that_the_timeline_shows(gateway: Gateway) -> None:
    path = await stayed(gateway, no_show="auto")
    booking_id = path.rsplit("/", 1)[1]
    gateway.instance.now = utc(21, 23)
    due = gateway.instance.now
    await gateway.instance.append(StayDue(booking_id=booking_id, due=due), source="ticker")
    assert (await show(gateway, path))["status"] == "NO_SHOW"
    said = [entry["event_type"] for entry in (await show(gateway, f"{path}/timeline"))["events"]]
    assert said[-2:] == ["booking.stay.due", "booking.booking.no_show"]
