"""The figures of a fault run, as they are written to docs/."""

from __future__ import annotations

import json
from pathlib import Path

from bench.chaos.faults import Fault, Struck
from bench.chaos.runner import ChaosReport, Plan
from bench.chaos.soak import FAULTS, plan, write
from cli.audit.findings import Verdict

_FLOWS = (2.0, 2.5, 4.0, None)


def _report(rest: float | None = 1.2) -> ChaosReport:
    faults = [Struck("kill -9 worker", "worker-1", 10.0 * n, flow) for n, flow in enumerate(_FLOWS)]
    demo = {"outcomes": {"CONFIRMED": 900}, "unresolved": 0, "accept_ms": {"p50": 9, "p95": 20, "p99": 30, "max": 40}}
    verdicts = [Verdict("P1", "exactly one outcome", checked=1000)]
    return ChaosReport(Plan(1, 100, 60, (Fault("worker"),), 10), faults, demo, verdicts, 1000, rest)


def test_a_page_and_a_file_are_written(tmp_path: Path) -> None:
    write(_report(), tmp_path)

    page = (tmp_path / "soak.md").read_text()
    assert "**Nothing was found**: 1,000 bookings were acknowledged" in page
    assert "| kill -9 worker | 4 | 2.0 | 2.5 | 4.0 | 1 |" in page
    assert "| P1 | exactly one outcome | 1,000 | 0 | ok |" in page
    figures = json.loads((tmp_path / "soak.json").read_text())
    assert figures["clean"]
    assert figures["faults"][3]["flow"] is None
    assert figures["machine"]["cores"] > 0


def test_what_stays_open_is_not_clean() -> None:
    assert not _report(rest=None).clean


def test_a_finding_is_not_clean() -> None:
    report = _report()
    report.verdicts[0].find("b1", "has 2 outcomes")

    assert not report.clean


def test_the_soak_does_what_is_asked_of_it() -> None:
    kinds = [fault.name.split()[0] + " " + fault.part for fault in FAULTS]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "kill worker": 6,
        "kill projector": 4,
        "SIGSTOP worker": 3,
        "SIGSTOP projector": 2,
        "kill broker": 2,
    }
    assert all(fault.paused > 6 for fault in FAULTS if fault.paused)
    asked = plan()
    assert asked.due[-1].at + asked.due[-1].fault.paused < asked.duration - 10
