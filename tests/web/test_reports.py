"""The daily report through the gateway: as JSON, CSV and a page; trends and pace beside it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.web.conftest import TODAY, Gateway, day
from tests.web.test_analytics import observe, path, read

REPORT = "/api/analytics/report"


def report(property_id: str = "PROP-001", **more: str) -> str:
    return f"{REPORT}?property_id={property_id}" + "".join(f"&{name}={value}" for name, value in more.items())


async def booked(gateway: Gateway) -> None:
    await gateway.unit(capacity=4)
    await gateway.book(check_in=str(day(3)), check_out=str(day(5)))
    await observe(gateway)


async def test_a_report_has_the_day_the_month_and_what_is_to_come(gateway: Gateway) -> None:
    await booked(gateway)
    alert = {"property_id": "PROP-001", "metric": "occupancy", "above": "0.01", "window_days": 30}
    await gateway.call("PUT", "/api/analytics/alerts/%3Cb%3E", alert)
    found = await read(gateway, report())
    assert (found["property_id"], found["date"], found["capacity"]) == ("PROP-001", str(TODAY), 4)
    assert (found["today"]["bookings"], found["today"]["nights_sold"], found["ahead"]["nights_sold"]) == (1, 0, 2)
    assert found["month"]["from"] == str(TODAY.replace(day=1))
    assert [each["nights"] for each in found["pickup"]] == [2]
    assert [night["on_the_books"] for night in found["nights"]] == [0, 0, 0, 1, 1, *[0] * 25]
    assert found["error"]["units"] is None
    assert [(each["alert_id"], each["state"]) for each in found["alerts"]] == [("<b>", "raised")]
    page = await gateway.call("GET", report(format="html"))
    text = await page.text()
    assert (page.content_type, "&lt;b&gt;" in text, "<b>" in text) == ("text/html", True, False)
    assert "http" not in text.replace("http-equiv", ""), "nothing is fetched from elsewhere"
    assert text.count("<rect") == 60


async def test_a_table_is_safe_in_spreadsheets(gateway: Gateway) -> None:
    answer = await gateway.call("GET", report("%3Dcmd()", format="csv"))
    rows = list(csv.reader(io.StringIO(await answer.text())))
    assert (answer.content_type, rows[0]) == ("text/csv", ["section", "figure", "currency", "value"])
    assert rows[1] == ["report", "property_id", "", "'=cmd()"]
    await booked(gateway)
    text = await (await gateway.call("GET", report(format="csv"))).text()
    assert "next_30_days,revenue,EUR,200.00\r\n" in text


async def test_the_form_is_the_one_that_is_accepted(gateway: Gateway) -> None:
    for accept, kind in (("text/html,*/*;q=0.8", "text/html"), ("text/csv", "text/csv"), ("*/*", "application/json")):
        answer = await gateway.call("GET", report(), Accept=accept)
        assert answer.content_type == kind


async def test_a_report_of_the_past_forecasts_nothing(gateway: Gateway) -> None:
    await booked(gateway)
    found = await read(gateway, report(date=str(day(-2))))
    assert (found["today"]["bookings"], found["ahead"]["nights_sold"]) == (0, 2)
    assert {night["comparable"] for night in found["nights"]} == {0}


async def test_trends_and_pace(gateway: Gateway) -> None:
    await booked(gateway)
    found = await read(gateway, path(3, 4, "/api/analytics/trends", metric="adr"))
    (series,) = found["series"]
    assert (series["currency"], [each["value"] for each in series["points"]]) == ("EUR", ["100.00", "100.00"])
    assert [each["change"] for each in series["points"]] == [None, 0.0]
    nights = await read(gateway, path(3, 4, "/api/analytics/trends", metric="occupancy", step="month"))
    assert nights["series"][0]["points"][0]["value"] == 0.25
    pace = await read(gateway, path(3, 4, "/api/analytics/pace"))
    assert (pace["nights"], pace["compared"], pace["change"], pace["as_of"]) == (2.0, 0.0, None, str(TODAY))


@pytest.mark.parametrize(
    ("where", "field"),
    [
        (report(format="pdf"), "format"),
        (report(date=str(day(1))), "date"),
        (report(""), "property_id"),
        (path(0, 1, "/api/analytics/trends"), "metric"),
        (path(0, 1, "/api/analytics/trends", metric="adr", step="hour"), "step"),
        (path(0, 1, "/api/analytics/pace", as_of=str(day(1))), "as_of"),
        (path(0, 1, "/api/analytics/pace", weeks="0"), "weeks"),
    ],
)
async def test_what_cannot_be_answered_names_its_field(gateway: Gateway, where: str, field: str) -> None:
    answer = await gateway.call("GET", where)
    body: dict[str, Any] = await answer.json()
    assert (answer.status, body["errors"][0]["field"]) == (422, field)
