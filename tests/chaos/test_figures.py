"""The figures of a fault run, as they are shown and written."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.chaos.faults import Struck
from bench.chaos.figures import as_table, write
from bench.chaos.outside import Webhooks
from bench.chaos.plans import Plan
from bench.chaos.runner import ChaosReport
from bench.chaos.signals import Kill
from bench.chaos.track import Skipped
from cli.audit.findings import Verdict

_FLOWS = (2.0, 2.5, 4.0, None)


def _report(rest: float | None = 1.2, missing: Sequence[str] = ()) -> ChaosReport:
    faults = [Struck("kill -9 worker", "worker-1", 10.0 * n, flow) for n, flow in enumerate(_FLOWS)]
    demo = {"outcomes": {"CONFIRMED": 900}, "unresolved": 0, "accept_ms": {"p50": 9, "p95": 20, "p99": 30, "max": 40}}
    verdicts = [Verdict("P1", "exactly one outcome", checked=1000)]
    return ChaosReport(
        Plan(1, 100, 60, (Kill("worker"),)),
        faults,
        demo,
        verdicts,
        1000,
        rest,
        [Skipped("full disk", "only root mounts")],
        webhooks=Webhooks(10, 10, list(missing), 0, 0),
    )


def test_a_page_and_a_file_are_written(tmp_path: Path) -> None:
    write(_report(), tmp_path)

    page = (tmp_path / "chaos.md").read_text()
    assert "**Nothing was found: 1,000 bookings were acknowledged" in page
    assert "| kill -9 worker | 4 | 0 | 2.0 | 2.5 | 4.0 |" in page
    assert "| P1 | exactly one outcome | 1,000 | 0 | ok |" in page
    assert "- Not dealt: full disk: only root mounts" in page
    figures = json.loads((tmp_path / "chaos.json").read_text())
    assert figures["clean"]
    assert figures["faults"][3]["flow"] is None
    assert figures["machine"]["cores"] > 0


def test_what_stays_open_is_not_clean() -> None:
    assert not _report(rest=None).clean


def test_a_webhook_that_never_came_is_not_clean() -> None:
    assert not _report(missing=["e1"]).clean


def test_a_finding_is_not_clean_and_counted_in_the_table() -> None:
    report = _report()
    report.verdicts[0].find("b1", "has 2 outcomes")
    report.blamed["kill -9 worker"] = 1

    assert not report.clean
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(as_table(report))
    assert "Promises are broken" in console.export_text()
