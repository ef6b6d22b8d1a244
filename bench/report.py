"""docs/performance.md: every figure of docs/performance.json as a page to read, and nothing that is not in it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.parts import PARTS
from bench.report_journey import journey
from bench.report_markdown import generic, heading, number, table, text
from bench.report_targets import targets

STEPS = Path(__file__).parent / "steps.toml"
_PLOTS = "performance"

#: The parts of the JSON by name: {machine, measured, took_s, short, repeats, seed, load_before, result}.
Parts = Mapping[str, Mapping[str, Any]]
Steps = Sequence[Mapping[str, Any]]


def steps() -> Steps:
    """What was changed for speed, with before and after, as bench/steps.toml has it."""
    found: Steps = tomllib.loads(STEPS.read_text("utf-8")).get("steps", [])
    return found


def page(parts: Parts, changed: Steps, plots: Collection[str] = ()) -> str:
    """The whole page. `plots` are the names of those that were drawn."""
    results = {name: part["result"] for name, part in parts.items()}
    blocks = [
        "# Performance\n",
        "Written by `vacancy bench --write docs` (or `make bench`) from [performance.json](performance.json) and "
        "`bench/steps.toml`; nothing here is typed by hand.\n",
        *_machines(parts),
        "## Targets\n",
        "Of two cores with everything on them, broker and load generator included.\n",
        table(
            ["what", "floor", "goal", "measured", "met"],
            [[each.what, each.floor, each.goal, each.measured, each.verdict] for each in targets(results)],
        ),
        *(block for name, section in _SECTIONS.items() if name in parts for block in section(results[name], plots)),
        *_steps(changed),
    ]
    if parts and not plots:
        blocks.append("There are no plots: they are drawn where matplotlib is (`pip install 'vacancy[bench]'`).\n")
    return "\n".join(blocks)


def _machines(parts: Parts) -> Iterator[str]:
    yield "## Machine\n"
    if not parts:
        yield "Nothing was measured yet.\n"
        return
    machines = list(dict.fromkeys(_machine(part["machine"]) for part in parts.values()))
    for count, machine in enumerate(machines, 1):
        yield f"{'Machine' if len(machines) == 1 else f'Machine {count}'}: {machine}.\n"
    rows = [
        [
            name,
            PARTS[name][1] if name in PARTS else "",
            part["measured"],
            machines.index(_machine(part["machine"])) + 1,
            f"{number(part['took_s'])} s{' (short)' if part['short'] else ''}",
            part["repeats"],
            part["seed"],
            part["load_before"],
        ]
        for name, part in parts.items()
    ]
    head = ["part", "what", "measured on", "machine", "took", "repeats", "seed", "load average before"]
    yield table(head, rows)


def _machine(found: Mapping[str, Any]) -> str:
    return (
        f"{found['processor']}, {found['cores']} cores, {found['memory_gib']} GiB, {found['system']}, "
        f"Python {found['python']}"
    )


def _micro(found: Mapping[str, Any], plots: Collection[str]) -> Iterator[str]:
    yield "## The same pipeline on every system\n"
    yield (
        "Bookings, re-keyed by resource, decided against a row with a changelog, answered: two hops over the same "
        "events, one system after the other and again; a slow one gets as many as a minute allows. How: wall time from "
        "the first input read to the last output committed; CPU seconds of the system's own processes and, beside "
        "them, of the broker; medians, and between which values the runs lay.\n"
    )
    yield f"What was sent: {text(found['events'])}.\n"
    keys = {
        "events": "events",
        "events/s": "events_per_second",
        "CPU s per million": "cpu_seconds_per_million",
        "broker's": "broker_cpu_seconds_per_million",
        "CPU s to start": "start_up_cpu_seconds",
        "resident MiB": "resident_mib",
        "seconds": "seconds",
        "answers correct": "correct",
    }
    rows = [
        [name, system["guarantee"], *(system.get(key) for key in keys.values()), system.get("does_more", "")]
        for name, system in found["systems"].items()
    ]
    yield table(["system", "guarantee", *keys, "does more"], rows)
    for name, why in found.get("skipped", {}).items():
        yield f"{name} was not measured: {why}\n"
    if found.get("latency"):
        yield "Latency of the two hops, from an input's append to its answer read, at a steady rate:\n"
        yield generic(found["latency"])
    yield from _plot("systems", "The systems side by side", plots)


def _journey(found: Mapping[str, Any], plots: Collection[str]) -> Iterator[str]:
    yield "## The journey through HTTP\n"
    yield from journey(found)
    yield from _plot("waterfall", "Where the time of one booking goes", plots)
    yield from _plot("latency", "Latency over the rate", plots)


#: What the parts with results of their own shape are called, and how they were measured.
_OTHERS = {
    "profile": (
        "Where a worker's processor time goes",
        "How: py-spy looked at the worker's stacks while bookings were made through HTTP; only looks that found Python "
        "code running count. This is what stands between the journey and its goals.",
    ),
    "log": (
        "The journey from the log",
        "How: bookings stand on the log before the worker runs; seconds count from the first message that one of them "
        "caused to the last outcome, and to rest, when nothing is written any more.",
    ),
    "growth": (
        "Growth",
        "How: tables are restored from their changelog by the product's own restorer, cold without a local store and "
        "warm with one, and decided on by its processor; workers, hot resources and larger rows are drains of the log, "
        "as above.",
    ),
    "synchronous": (
        "Synchronous calls instead",
        "How: the same journey as HTTP calls between services, one after the other, each committing to its own "
        "database, under the same traffic as ours. The answer is the outcome there, and the acceptance here.",
    ),
}


_TITLES = {
    "by_place": "By what is done",
    "by_agent": "By whose agents do it",
    "functions": "By the function that was running",
    "pilot": "The pilot, by which the number of bookings was chosen",
    "drain": "The drain",
    "tables": "Larger tables",
    "row_sizes": "Tables of larger rows",
    "workers": "More workers",
    "hot": "A hot resource",
    "bookings": "Bookings with larger rows",
    "commit_ms": "One commit to a database on this disk (ms)",
    "rates": "The same traffic",
    "held": "The highest rate held",
    "slow": "Some payments are slow",
}


def _other(name: str) -> Callable[[Mapping[str, Any], Collection[str]], Iterator[str]]:
    def section(found: Mapping[str, Any], plots: Collection[str]) -> Iterator[str]:
        title, how = _OTHERS[name]
        yield f"## {title}\n"
        yield f"{how}\n"
        single = {key: each for key, each in found.items() if not isinstance(each, list | Mapping)}
        if single:
            yield generic(single)
        for key, each in found.items():
            if each and key not in single:
                yield f"### {_TITLES.get(key, heading(key))}\n"
                yield generic(each)
        yield from _plot(name, title, plots)

    return section


_SECTIONS = {"micro": _micro, "journey": _journey, **{name: _other(name) for name in _OTHERS}}


def _plot(name: str, title: str, plots: Collection[str]) -> Iterator[str]:
    if name in plots:
        yield f"![{title}]({_PLOTS}/{name}.svg)\n"


def _steps(changed: Steps) -> Iterator[str]:
    yield "## Steps\n"
    if not changed:
        yield "None is written down yet.\n"
        return
    yield "What a profile showed and what was changed then, those that did not help too; how, each row says itself.\n"
    rows = [
        [
            step["change"],
            step["why"],
            step["measure"],
            f"{_figure(step['before'])} {step['unit']}",
            f"{_figure(step['after'])} {step['unit']}",
            step["kept"],
            step.get("note", ""),
        ]
        for step in changed
    ]
    yield table(["change", "why", "measured", "before", "after", "kept", "note"], rows)


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else number(value)
