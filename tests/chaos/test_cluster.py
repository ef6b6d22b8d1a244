"""A fault run on three brokers: one of them is killed under load, and nobody has to wait for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.chaos.faults import Fault
from bench.chaos.runner import Plan, run
from config.settings import PREFIX

PLAN = Plan(
    seed=8,
    rate=10,
    duration=25,
    faults=(Fault("broker"),),
    every=4,
    workers=1,
    settings={f"{PREFIX}BROKER_NODES": "3"},
)


@pytest.mark.soak
@pytest.mark.broker
@pytest.mark.timeout(400)
async def test_one_broker_of_three_is_killed_under_load(tmp_path: Path) -> None:
    report = await run(PLAN, tmp_path)

    assert [finding for verdict in report.verdicts for finding in verdict.findings] == []
    assert report.rest is not None, [verdict.as_json() for verdict in report.verdicts if verdict.open]
    assert report.acknowledged >= 0.9 * PLAN.rate * PLAN.duration
    assert report.demo["unresolved"] == 0, report.demo
    (struck,) = report.faults
    assert struck.target in ("broker-1", "broker-2", "broker-3")
    assert struck.flow is not None, report.faults
