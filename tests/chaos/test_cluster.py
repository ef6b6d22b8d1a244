"""A fault run on three brokers: one of them is killed under load, and nobody has to wait for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.chaos.plans import Plan
from bench.chaos.runner import run
from bench.chaos.signals import Kill

PLAN = Plan(
    seed=8,
    rate=10,
    duration=25,
    faults=(Kill("broker"),),
    workers=1,
    brokers=3,
)


@pytest.mark.soak
@pytest.mark.broker
@pytest.mark.timeout(400)
async def test_one_broker_of_three_is_killed_under_load(tmp_path: Path) -> None:
    report = await run(PLAN, tmp_path)

    assert report.findings == []
    assert report.rest is not None, [verdict.as_json() for verdict in report.verdicts if verdict.open]
    assert report.acknowledged >= 0.9 * PLAN.rate * PLAN.duration
    assert report.demo["unresolved"] == 0, report.demo
    (struck,) = report.faults
    assert struck.target in ("broker-1", "broker-2", "broker-3")
    assert struck.flow is not None, report.faults
