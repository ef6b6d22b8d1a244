"""The long fault run: `python -m bench.chaos.soak`, or `make soak`. Its figures go to docs/soak.md and docs/soak.json.

100 bookings a second, two workers and two projectors; ten of them killed at random moments, one paused beyond its
session five times, the broker killed twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import tempfile
from pathlib import Path

from bench.chaos.faults import Fault
from bench.chaos.figures import as_markdown
from bench.chaos.runner import ChaosReport, Plan, run
from bench.machine import describe
from config.settings import layouts

DOCS = Path(__file__).parents[2] / "docs"
FAULTS = (
    *(Fault("worker") for _ in range(6)),
    *(Fault("projector") for _ in range(4)),
    *(Fault("worker", paused=seconds) for seconds in (9, 12, 15)),
    *(Fault("projector", paused=seconds) for seconds in (10.5, 13.5)),
    *(Fault("broker") for _ in range(2)),
)
#: Seconds from one fault to the next, so that each one's recovery can be told from the next one's.
_EVERY = 24.0


def plan(seed: int = 1, rate: float = 100.0, layout: str = "catalogue") -> Plan:
    """The load lasts until the last fault has had its time."""
    paused = sum(fault.paused for fault in FAULTS)
    duration = len(FAULTS) * _EVERY + paused + 30
    return Plan(seed=seed, rate=rate, duration=duration, faults=FAULTS, every=_EVERY, layout=layout)


async def soak(seed: int = 1, rate: float = 100.0, layout: str = "catalogue") -> ChaosReport:
    """One run in a directory of its own, which stays only when something was found."""
    directory = Path(tempfile.mkdtemp(prefix="vacancy-soak-"))
    report = await run(plan(seed, rate, layout), directory)
    if report.clean:
        await asyncio.to_thread(shutil.rmtree, directory)
    return report


def write(report: ChaosReport, docs: Path = DOCS) -> None:
    """The figures for readers and for programs; those of another layout under its name."""
    docs.mkdir(parents=True, exist_ok=True)
    figures = {"machine": describe(), **report.as_json()}
    name = "soak" if report.plan.layout == "catalogue" else f"soak-{report.plan.layout}"
    (docs / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    (docs / f"{name}.md").write_text(as_markdown(report), "utf-8")


def main() -> int:
    """Exit code 0 when the audit found nothing and every acknowledged booking has its outcome."""
    asked = argparse.ArgumentParser(description="The long fault run; writes docs/soak.md and docs/soak.json.")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--rate", type=float, default=100.0)
    asked.add_argument("--layout", choices=layouts(), default="catalogue")
    asked.add_argument("--docs", type=Path, default=DOCS)
    options = asked.parse_args()
    report = asyncio.run(soak(options.seed, options.rate, options.layout))
    write(report, options.docs)
    print(as_markdown(report))
    return 0 if report.clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
