"""Key figures of a property, from bookings made through the API and their news."""

from __future__ import annotations

from typing import Any

import pytest

from domain.analytics import observation_of
from streams.events.analytics import AnalyticsTracked
from streams.events.records import PrescriptionCreated
from tests.web.conftest import TODAY, Gateway, day
from tests.web.instance import NOW

KPIS = "/api/analytics/kpis"


def path(first: int, last: int, where: str = KPIS, **more: str) -> str:
    names = {"property_id": "PROP-001", "from": str(day(first)), "to": str(day(last)), **more}
    return f"{where}?" + "&".join(f"{name}={value}" for name, value in names.items())


async def observe(gateway: Gateway) -> None:
    """Hands what was published to analytics, as its intake does."""
    news, gateway.instance.published = gateway.instance.published, []
    for envelope in news:
        for observation in observation_of(envelope):
            await gateway.instance.append(observation, source="analytics-intake")


async def read(gateway: Gateway, where: str) -> dict[str, Any]:
    answer = await gateway.call("GET", where)
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


@pytest.mark.proves("HTL-06", "HTL-23", "HTL-26")
async def test_bookings_show_in_the_figures_of_their_days(gateway: Gateway) -> None:
    await gateway.unit(capacity=4)
    await gateway.book()
    await gateway.book(quantity=2)
    await observe(gateway)
    found = await read(gateway, path(30, 33))
    assert (found["property_id"], found["from"], found["to"]) == ("PROP-001", str(day(30)), str(day(33)))
    assert (found["nights_sold"], found["nights_available"], found["occupancy"]) == (6, 16, 0.375)
    assert found["revenue"] == [{"amount": "600.00", "currency": "EUR"}]
    assert found["adr"] == [{"amount": "100.00", "currency": "EUR"}]
    assert found["revpar"] == [{"amount": "37.50", "currency": "EUR"}]
    assert (found["bookings"], found["cancellation_rate"]) == (0, None)
    made = await read(gateway, path(0, 0))
    assert (made["bookings"], made["confirmed"], made["nights_sold"], made["average_lead_time"]) == (2, 2, 0, 30.0)
    assert made["captured"] == [{"amount": "600.00", "currency": "EUR"}]
    assert made["pickup"] == [
        {"day": str(TODAY), "bookings": 2, "nights": 6, "value": [{"amount": "600.00", "currency": "EUR"}]}
    ]


@pytest.mark.proves("HTL-29")
async def test_a_cancellation_and_a_refusal_show_too(gateway: Gateway) -> None:
    await gateway.unit(capacity=1)
    booked = await gateway.book()
    await gateway.book()
    await gateway.call("POST", f"/api/reservations/{booked['booking_id']}/cancel", {"reason": "plans changed"})
    await observe(gateway)
    found = await read(gateway, path(0, 365))
    assert (found["bookings"], found["confirmed"], found["cancelled"], found["rejected"]) == (2, 1, 1, 1)
    assert (found["cancellation_rate"], found["no_show_rate"], found["nights_sold"]) == (1.0, 0.0, 0)
    assert (found["occupancy"], found["adr"], found["revpar"], found["revenue"]) == (0.0, None, None, [])
    assert found["refunded"] == found["captured"] == [{"amount": "200.00", "currency": "EUR"}]


@pytest.mark.proves("CAT-23")
async def test_news_that_comes_twice_counts_once(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.book()
    news = list(gateway.instance.published)
    await observe(gateway)
    once = await read(gateway, path(0, 31))
    tracked = [each for each in gateway.instance.published if isinstance(each.data, AnalyticsTracked)]
    gateway.instance.published = news
    await observe(gateway)
    assert await read(gateway, path(0, 31)) == once
    assert gateway.instance.published == []
    assert len(tracked) == len({each.event_id for each in tracked}) > 3


async def test_other_properties_have_their_own_figures(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.book()
    await observe(gateway)
    found = await read(gateway, path(0, 31, property_id="PROP-00"))
    assert (found["bookings"], found["nights_sold"], found["occupancy"], found["pickup"]) == (0, 0, None, [])


async def test_what_is_not_taken_by_the_night_adds_no_capacity(gateway: Gateway) -> None:
    await gateway.unit(slots=30)
    assert (await read(gateway, path(0, 1)))["nights_available"] is None
    await gateway.unit(slots="nights", capacity=3)
    assert (await read(gateway, path(0, 1)))["nights_available"] == 6


async def test_a_period_over_new_year_is_whole(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.book(check_in=str(day(39)), check_out=str(day(42)))
    await observe(gateway)
    assert day(39).year != day(41).year
    assert (await read(gateway, path(39, 41)))["nights_sold"] == 3
    assert (await read(gateway, path(40, 40)))["nights_sold"] == 1


@pytest.mark.proves("CAMP-11", "HTL-12")
async def test_how_much_was_told_of_what(gateway: Gateway) -> None:
    await gateway.unit()
    await gateway.book()
    await observe(gateway)
    record = PrescriptionCreated(
        record_id="rx1", user_id="u1", content="sealed", status="active", revision=1, changed_at=NOW
    )
    await gateway.instance.append(record, source="record-service")
    await observe(gateway)
    (found,) = (await read(gateway, path(-1, 1, "/api/analytics/events")))["days"]
    assert found["day"] == str(TODAY)
    counts = found["counts"]
    names = ("booking.booking.created", "booking.booking.confirmed", "record.prescription.created")
    assert [counts[name] for name in names] == [1, 1, 1]
    assert (await read(gateway, path(-9, -1, "/api/analytics/events")))["days"] == []


async def test_a_period_that_cannot_be_answered_names_its_field(gateway: Gateway) -> None:
    today = str(day(0))
    cases = {
        "to": [path(0, -1), path(0, 366), path(0, 0, to="tomorrow"), path(0, -1, "/api/analytics/events")],
        "from": [path(0, 0, **{"from": ""}), path(0, 0, **{"from": "2026-02-30"})],
        "property_id": [path(0, 0, property_id=""), f"{KPIS}?from={today}&to={today}"],
    }
    for field, paths in cases.items():
        for where in paths:
            answer = await gateway.call("GET", where)
            assert (answer.status, answer.content_type) == (422, "application/problem+json"), where
            assert (await answer.json())["errors"][0]["field"] == field
    assert (await gateway.call("GET", path(0, 365))).status == 200


async def test_an_owner_that_cannot_be_asked_is_told(gateway: Gateway) -> None:
    await gateway.claim("http://127.0.0.1:9")
    answer = await gateway.call("GET", path(0, 0))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


@pytest.mark.proves("HTL-23")
async def test_the_nights_to_come_are_forecast(gateway: Gateway) -> None:
    await gateway.unit(capacity=4)
    await gateway.book()
    await observe(gateway)
    found = await read(gateway, path(30, 31, "/api/analytics/forecast"))
    night = found["nights"][0]
    assert (night["night"], night["on_the_books"], night["expected"], night["occupancy"]) == (
        str(day(30)),
        1,
        1.0,
        0.25,
    )
    assert night["booked"] == night["revenue"] == [{"amount": "100.00", "currency": "EUR"}]
    assert (night["comparable"], found["error"]["units"]) == (0, None)


async def test_a_forecast_of_days_that_are_over_is_refused(gateway: Gateway) -> None:
    answer = await gateway.call("GET", path(-1, 3, "/api/analytics/forecast"))
    assert answer.status == 422
    assert (await answer.json())["errors"][0]["field"] == "from"
