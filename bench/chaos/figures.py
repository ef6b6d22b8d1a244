"""A fault run's figures as a page to read, and the machine they were taken on."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from bench.chaos.runner import ChaosReport
from bench.machine import describe


def as_markdown(report: ChaosReport) -> str:
    """The page: what was done, what the auditor says, how long recoveries took."""
    plan, on = report.plan, describe()
    lines = [
        "# Fault run",
        "",
        f"{plan.rate:g} bookings/s for {plan.duration:.0f} s, layout {plan.layout}, {plan.workers} workers, "
        f"seed {plan.seed}; "
        "broker, gateway, provider, workers and load on one machine: "
        f"{on['processor']}, {on['cores']} cores, {on['memory_gib']} GiB, {on['system']}, Python {on['python']}. "
        "Written by `make soak`; the whole is in `soak.json`.",
        "",
        f"**{'Nothing was found' if report.clean else 'Promises are broken'}**: {report.acknowledged:,} bookings were "
        f"acknowledged, and {_rest(report)}.",
        "",
        *_recoveries(report),
        "",
        *_verdicts(report),
        "",
        *_load(report),
        "",
    ]
    return "\n".join(lines)


def _rest(report: ChaosReport) -> str:
    if report.rest is None:
        return "something was still open two minutes after the load had ended"
    return f"nothing was open {report.rest:.1f} s after the load had ended"


def _recoveries(report: ChaosReport) -> list[str]:
    """Until events flow again: until every partition of every changelog has moved after the fault."""
    lines = [
        "Seconds from a fault until every partition of every service moved again (for a pause: from its start):",
        "",
        "| fault | times | least | median | most | never seen |",
        "|---|---|---|---|---|---|",
    ]
    for name in sorted({struck.fault for struck in report.faults}):
        flows, times = report.flows(name), sum(struck.fault == name for struck in report.faults)
        lines.append(f"| {name} | {times} | {_figures(flows)} | {times - len(flows)} |")
    return lines


def _figures(flows: Sequence[float]) -> str:
    if not flows:
        return " | | "
    return f"{min(flows):.1f} | {statistics.median(flows):.1f} | {max(flows):.1f}"


def _verdicts(report: ChaosReport) -> list[str]:
    lines = ["| | promise | checked | open | verdict |", "|---|---|---|---|---|"]
    for verdict in report.verdicts:
        counts = f"{verdict.checked:,} | {verdict.open:,}" if verdict.applicable else " | "
        lines.append(f"| {verdict.promise} | {verdict.title} | {counts} | {verdict.state} |")
    return lines


def _load(report: ChaosReport) -> list[str]:
    demo = report.demo
    outcomes = ", ".join(f"{count:,} {status}" for status, count in demo.get("outcomes", {}).items())
    lines = [f"Outcomes as the clients saw them: {outcomes}; {demo.get('unresolved', 0)} without one."]
    for name, what in (("accept_ms", "accept"), ("confirm_ms", "confirm")):
        if times := demo.get(name):
            said = ", ".join(f"{share} {times[share] / 1000:.2f} s" for share in ("p50", "p95", "p99", "max"))
            lines.append(f"Time to {what}, faults included: {said}.")
    return lines
