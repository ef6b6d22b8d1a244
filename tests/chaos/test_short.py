"""The short form of the fault runs: a worker killed, a projector and a worker paused
beyond their session, so that the others take over, the broker killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.chaos.faults import Fault
from bench.chaos.runner import Plan, run

PLAN = Plan(
    seed=1,
    rate=30,
    duration=55,
    faults=(Fault("worker"), Fault("projector", paused=9), Fault("worker", paused=9), Fault("broker")),
    every=8,
)


@pytest.mark.broker
@pytest.mark.timeout(300)
async def test_kills_and_a_pause_lose_nothing(tmp_path: Path) -> None:
    report = await run(PLAN, tmp_path)

    findings = [finding for verdict in report.verdicts for finding in verdict.findings]
    assert findings == []
    assert report.rest is not None, [verdict.as_json() for verdict in report.verdicts if verdict.open]
    assert report.acknowledged >= 0.9 * PLAN.rate * PLAN.duration
    assert report.demo["unresolved"] == 0, report.demo
    assert report.demo["races"]["sold_twice"] == 0
    assert all(struck.flow is not None for struck in report.faults), report.faults
