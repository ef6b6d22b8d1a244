"""A fault run's figures as a page to read, as a table for the terminal, and as files."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from bench.chaos.runner import ChaosReport
from bench.machine import describe

_COLUMNS = ("fault", "times", "violations", "least", "median", "most")


def as_markdown(report: ChaosReport) -> str:
    """The page: what was done, what the auditor says, how long recoveries took."""
    plan, on = report.plan, describe()
    brokers = f"{plan.brokers} brokers, " if plan.brokers > 1 else ""
    lines = [
        "# Fault run",
        "",
        f"{plan.rate:g} bookings/s for {plan.duration:.0f} s, layout {plan.layout}, {brokers}{plan.workers} workers, "
        f"seed {plan.seed}; {plan.again:.0%} of the bookings requested two to five times. "
        "Broker, gateway, provider, workers and load on one machine: "
        f"{on['processor']}, {on['cores']} cores, {on['memory_gib']} GiB, {on['system']}, Python {on['python']}. "
        "Written by `vacancy chaos --write DIR`; the whole is in `chaos.json`.",
        "",
        f"**{conclusion(report)}**",
        "",
        "Seconds until every partition that every booking passes moved again; of a kill and of a pause from its "
        "beginning, of everything else from its end.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows(report)),
        "",
        *(f"- Not dealt: {each.fault}: {each.why}" for each in report.skipped),
        "",
        *webhooks(report),
        *_verdicts(report),
        "",
        *_load(report),
        "",
    ]
    return "\n".join(lines)


def as_table(report: ChaosReport) -> Table:
    table = Table(*_COLUMNS, caption=conclusion(report))
    for row in rows(report):
        table.add_row(*row)
    return table


def rows(report: ChaosReport) -> list[tuple[str, ...]]:
    """Fault, times, violations, time to recover; the last row is that of the whole run."""
    found: list[tuple[str, ...]] = []
    for name in sorted({struck.fault for struck in report.faults}):
        times = sum(struck.fault == name for struck in report.faults)
        found.append((name, str(times), str(report.blamed.get(name, 0)), *_figures(report.flows(name))))
    flows = sorted(struck.flow for struck in report.faults if struck.flow is not None)
    return [*found, ("all", str(len(report.faults)), str(len(report.findings)), *_figures(flows))]


def conclusion(report: ChaosReport) -> str:
    """The run in one sentence."""
    said = "Nothing was found" if report.clean else "Promises are broken"
    if report.rest is None:
        end = f"something was still open {report.plan.rest:.0f} s after the load had ended"
    else:
        end = f"nothing was open {report.rest:.1f} s after the load had ended"
    return f"{said}: {report.acknowledged:,} bookings were acknowledged, and {end}."


def write(report: ChaosReport, directory: Path) -> None:
    """The figures for readers and for programs; those of another layout under its name."""
    directory.mkdir(parents=True, exist_ok=True)
    name = "chaos" if report.plan.layout == "catalogue" else f"chaos-{report.plan.layout}"
    figures = {"machine": describe(), **report.as_json()}
    (directory / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    (directory / f"{name}.md").write_text(as_markdown(report), "utf-8")


def _figures(flows: Sequence[float]) -> tuple[str, str, str]:
    if not flows:
        return "", "", ""
    return f"{min(flows):.1f}", f"{statistics.median(flows):.1f}", f"{max(flows):.1f}"


def webhooks(report: ChaosReport) -> list[str]:
    """What came of the webhooks, where there were any."""
    if (came := report.webhooks) is None:
        return []
    return [
        f"Webhooks: {came.told:,} events told, {came.received:,} received, {len(came.missing)} known to one side only, "
        f"{came.repeated} received more than once, {came.untimely} refused for their "
        f"sender's wrong clock, {came.forged} with a signature that does not hold.",
        "",
    ]


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
