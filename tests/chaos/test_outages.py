"""The short form of the run with outages: each server outside is away for a few seconds while bookings come in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.outages import SERVERS, as_markdown, run


@pytest.mark.broker
@pytest.mark.proves("CAMP-16", "ORD-09")
@pytest.mark.timeout(300)
async def test_what_a_booking_is_followed_by_outlives_every_outage(tmp_path: Path) -> None:
    report = await run(rate=5, seconds=3, directory=tmp_path)

    assert [finding for verdict in report.run.verdicts for finding in verdict.findings] == []
    assert report.run.rest is not None, [verdict.as_json() for verdict in report.run.verdicts if verdict.open]
    assert report.run.demo["unresolved"] == 0, report.run.demo
    assert (report.missing, report.forged) == (0, 0)
    assert report.received > report.run.acknowledged
    checked = {verdict.promise: verdict.checked for verdict in report.run.verdicts}
    assert all(checked[promise] for promise in ("P6", "P9", "notices", "P9 webhooks"))
    assert {outage.server for outage in report.outages} == set(SERVERS)
    assert "PostgreSQL" in as_markdown(report)
