"""Alerts through the gateway: set, raised by bookings, listed, back, removed."""

from __future__ import annotations

from typing import Any

import pytest

from streams.events.analytics import AlertCleared, AlertRaised, FiguresMoved, WatchFigures
from tests.web.conftest import Gateway, day
from tests.web.test_analytics import observe, read

ALERTS = "/api/analytics/alerts"
FULL = {"property_id": "PROP-001", "metric": "occupancy", "above": "0.4", "window_days": 32}


async def put(gateway: Gateway, name: str = "full", **more: object) -> dict[str, Any]:
    answer = await gateway.call("PUT", f"{ALERTS}/{name}", {**FULL, **more})
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


def told(gateway: Gateway) -> list[AlertRaised | AlertCleared]:
    news = (each.data for each in gateway.instance.published)
    return [each for each in news if isinstance(each, AlertRaised | AlertCleared)]


@pytest.mark.proves("HTL-10")
async def test_an_alert_is_raised_once_and_cleared_once(gateway: Gateway) -> None:
    await gateway.unit(capacity=1)
    quiet = await put(gateway, window_days=32, above="0.05")
    assert (quiet["state"], quiet["value"], quiet["from"], quiet["to"]) == (
        "quiet",
        "0.0000",
        str(day(0)),
        str(day(31)),
    )
    first = await gateway.book()
    await observe(gateway)
    (raised,) = told(gateway)
    assert isinstance(raised, AlertRaised)
    # Two of 32 nights.
    assert (raised.value, raised.threshold, raised.first, raised.last) == ("0.0625", "0.05", day(0), day(31))
    await gateway.book(check_in=str(day(10)), check_out=str(day(11)))
    await observe(gateway)
    assert told(gateway) == [], "it is told once"
    (found,) = (await read(gateway, f"{ALERTS}?property_id=PROP-001"))["alerts"]
    assert (found["state"], found["value"], found["raised_at"] is None) == ("raised", "0.0938", False)
    await gateway.call("POST", f"/api/reservations/{first['booking_id']}/cancel", {"reason": "plans changed"})
    await observe(gateway)
    (cleared,) = told(gateway)
    assert isinstance(cleared, AlertCleared)
    assert cleared.value == "0.0313"


async def test_what_was_counted_before_counts(gateway: Gateway) -> None:
    await gateway.unit(capacity=1)
    for number in range(6):  # so that both partitions have some
        await gateway.book(check_in=str(day(number + 1)), check_out=str(day(number + 2)))
    await observe(gateway)
    await put(gateway, metric="nights_sold", above="5")
    (raised,) = told(gateway)
    assert raised.value == "6"
    revenue = await put(gateway, "money", metric="revenue", above=None, below="700", currency="EUR")
    assert (revenue["state"], revenue["value"]) == ("raised", "600.00")


async def test_alerts_are_removed(gateway: Gateway) -> None:
    await gateway.unit(capacity=1)
    await put(gateway, metric="bookings", above=None, below="1")
    assert len(told(gateway)) == 1
    answer = await gateway.call("DELETE", f"{ALERTS}/full?property_id=PROP-001")
    assert answer.status == 200
    cleared = told(gateway)[-1]
    assert isinstance(cleared, AlertCleared)
    assert cleared.removed, "its figure did not come back"
    assert (await read(gateway, ALERTS))["alerts"] == []
    assert (await gateway.call("DELETE", f"{ALERTS}/full?property_id=PROP-001")).status == 404


async def test_a_property_has_so_many(gateway: Gateway) -> None:
    for number in range(20):
        await put(gateway, f"a{number}")
    answer = await gateway.call("PUT", f"{ALERTS}/one-more", FULL)
    assert (answer.status, (await answer.json())["type"]) == (409, "urn:vacancy:problem:alert-refused")
    assert len((await read(gateway, ALERTS))["alerts"]) == 20


async def test_the_first_alert_waits_for_the_figures_and_says_so(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gateway.unit(capacity=1)
    await gateway.book(check_in=str(day(0)), check_out=str(day(2)))
    await observe(gateway)
    # No partition is asked, as if the messages were still on their way.
    monkeypatch.setattr("tables.alerts._a_key_for_each", lambda partitions: [])
    empty = {"above": None, "below": "0.5", "window_days": 2}
    waiting = await put(gateway, "empty", **empty)
    assert (waiting["state"], waiting["value"], waiting["from"], waiting["to"]) == ("waiting", None, None, None)
    await put(gateway, "full", above="0.9", window_days=2)
    report = await read(gateway, f"/api/analytics/report?property_id=PROP-001&date={day(0)}")
    assert [each["state"] for each in report["alerts"]] == ["waiting", "waiting"]
    for key in ("watch-0", "watch-1", "watch-2", "watch-3"):  # of which some lead to each of the two partitions
        await gateway.instance.append(WatchFigures(entity_id=key, property_id="PROP-001"), source="analytics")
    (raised,) = told(gateway)
    assert isinstance(raised, AlertRaised)
    assert (raised.alert_id, raised.value) == ("full", "1.0000")
    again = await put(gateway, "empty", **empty)
    assert (again["state"], again["value"]) == ("quiet", "1.0000")
    later = await put(gateway, "later", **{**empty, "below": "0.4"})
    assert (later["state"], later["value"]) == ("quiet", "1.0000")


@pytest.mark.parametrize(
    "wrong",
    [
        {"metric": "happiness"},
        {"below": "0.1"},
        {"above": None},
        {"metric": "adr"},
        {"currency": "EUR"},
        {"window_days": 0},
        {"window_days": 93},
        {"hysteresis": "-1"},
        {"property_id": ""},
    ],
)
async def test_an_alert_that_cannot_be_is_refused(gateway: Gateway, wrong: dict[str, object]) -> None:
    answer = await gateway.call("PUT", f"{ALERTS}/full", {**FULL, **wrong})
    assert (answer.status, answer.content_type) == (422, "application/problem+json")


async def test_what_a_partition_told_before_does_not_undo_what_it_told_since(gateway: Gateway) -> None:
    await gateway.unit(capacity=1)
    await put(gateway, metric="nights_sold", above="5")
    sold = {"nights": {"EUR": 6}}
    moved: dict[str, Any] = {"entity_id": "PROP-001", "partition": 0}
    for offset, figures in ((9, sold), (8, {}), (9, {})):
        message = FiguresMoved(**moved, offset=offset, figures={str(day(1)): figures})
        await gateway.instance.append(message, source="analytics")
    (found,) = (await read(gateway, ALERTS))["alerts"]
    assert (found["state"], found["value"]) == ("raised", "6")
    assert len(told(gateway)) == 1
