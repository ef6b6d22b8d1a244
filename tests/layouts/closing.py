"""How every layout's run ends: traffic while worker and projector are killed, everything rebuilt, an audit."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.chaos.instance import Instance, environment
from bench.chaos.plans import Plan
from bench.chaos.runner import strike
from bench.chaos.signals import Kill
from bench.chaos.stage import Stage
from cli.parts import command

ROOT = Path(__file__).parents[2]
RATE, DURATION = 10.0, 8.0
_FAULTS = (Kill("worker", rests=2), Kill("projector", rests=2))
_PLAN = Plan(1, RATE, DURATION, _FAULTS, workers=1, first=DURATION / 4)
#: For the tests that kill a worker: what stays open is told by the report, which has to come first.
in_time = pytest.mark.timeout(_PLAN.limit)


async def killed_under_load(instance: Instance, directory: Path) -> None:
    """`vacancy demo` with worker and projector killed in its middle: nothing is lost, sold twice or left open."""
    plan = replace(_PLAN, layout=instance.layout)
    report = await strike(plan, Stage(instance), directory / "journal.jsonl")
    assert [finding for verdict in report.verdicts for finding in verdict.findings] == []
    assert report.rest is not None, [verdict.as_json() for verdict in report.verdicts if verdict.open]
    assert len(report.faults) == len(_FAULTS)
    assert report.demo["clean"], report.demo
    assert report.demo["races"]["sold_twice"] == 0
    assert report.acknowledged >= 0.9 * RATE * DURATION


async def rebuilt(instance: Instance, directory: Path, *services: str) -> None:
    """`vacancy replay --from 0 --diff` of these services: what the log says is what their rows hold."""
    asked = [sys.executable, "-m", "tests.layouts.replays", str(instance.data), str(directory), *services]
    code, out = await _output_of(*asked)
    assert code == 0, out
    reports = [json.loads(line) for line in out.splitlines()]
    assert [report["service"] for report in reports] == list(services)
    for report in reports:
        assert report["records"] > 0, report
        assert report["comparison"]["differences"] == [], report


async def audited(instance: Instance) -> None:
    """`vacancy audit` finds nothing."""
    code, out = await vacancy(instance, "audit")
    assert code == 0, out


async def vacancy(instance: Instance, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a command about the instance."""
    return await _output_of(*command(*arguments, "--data", str(instance.data)))


async def _output_of(*command_line: str) -> tuple[int, str]:
    child = await asyncio.create_subprocess_exec(
        *command_line,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment({}),
        cwd=ROOT,
    )
    out, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, out.decode()
