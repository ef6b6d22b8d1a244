"""The short form of the fault run: a minute of what `make soak` does for half an hour.

A worker killed, the broker killed, a worker paused beyond its session so that the other one takes over; meanwhile each
server outside away for some seconds, answers of the payment provider lost, and poison on the log.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.chaos.figures import as_markdown
from bench.chaos.plans import plan
from bench.chaos.runner import run

PLAN = plan(60, seed=1, rate=20)


@pytest.mark.broker
@pytest.mark.proves("CAMP-16", "ORD-09")
@pytest.mark.timeout(PLAN.limit)
async def test_nothing_is_lost_whatever_breaks(tmp_path: Path) -> None:
    report = await run(PLAN, tmp_path)

    assert report.findings == []
    # Nothing is open: every booking has its outcome, those too for which the demo did not wait while payments did.
    assert report.rest is not None, [verdict.as_json() for verdict in report.verdicts if verdict.open]
    assert report.acknowledged >= 0.9 * PLAN.rate * PLAN.duration
    assert report.demo["races"]["sold_twice"] == 0
    dealt = {struck.fault for struck in report.faults}
    assert dealt >= {"kill -9 worker", "SIGSTOP worker", "kill -9 broker", "receiver: down"}
    assert report.webhooks is not None
    assert (report.webhooks.missing, report.webhooks.forged) == ([], 0)
    assert report.webhooks.received > report.acknowledged
    checked = {verdict.promise: verdict.checked for verdict in report.verdicts}
    assert all(checked[promise] for promise in ("P6", "P8", "P9", "notices", "P9 webhooks"))
    assert "| kill -9 broker | 1 | 0 |" in as_markdown(report)
