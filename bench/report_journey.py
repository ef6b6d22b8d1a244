"""The section of the journey through HTTP: the rates, the processors, the waterfall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.report_markdown import number, table

_SHARES = ("p50", "p95", "p99", "max")

Load = Mapping[str, Any]


def journey(found: Mapping[str, Any]) -> Iterator[str]:
    """The paragraphs and tables of the part's result."""
    loads = whole(found)
    yield from _held(found)
    yield _latencies(loads)
    yield _machine(loads)
    if found["probes"]:
        tried = sorted(found["probes"], key=lambda load: float(load["rate"]))
        yield f"The search tried {', '.join(_tried(load) for load in tried)}.\n"
    yield from _processes(loads)
    yield from _services(found["services"])
    yield from _waterfall(loads)


def whole(found: Mapping[str, Any]) -> list[Load]:
    """The loads that ran for the whole time, slowest first; the highest rate held once, if it is one of the others."""
    loads = {load["rate"]: load for load in (*found["rates"], *([found["highest"]] if found["highest"] else []))}
    return [loads[rate] for rate in sorted(loads)]


def _held(found: Mapping[str, Any]) -> Iterator[str]:
    bounds, highest = found["bounds"], found["highest"]
    best = f"**{number(highest['rate'])} bookings/s**" if highest else "**none of the rates that were tried**"
    audit = "found nothing" if found["audit_exit"] == 0 else f"ended with **{found['audit_exit']}**"
    yield (
        f"The highest rate that was held: {best}. A rate is held when every booking that was offered is accepted and "
        f"has its outcome, accept p95 stays below {number(bounds['accept_p95_ms'])} ms, confirm p95 below "
        f"{number(bounds['confirm_p95_ms'])} ms, and the lag of the partition furthest behind below "
        f"{number(bounds['lag_worst_p95'])} records (p95 of looks). `vacancy audit` afterwards {audit}.\n"
    )
    yield (
        "How: `vacancy demo` against a fresh `vacancy up`, after a warm-up; the search doubles and halves on short "
        "runs, what it finds is run for the whole time. Latency counts from the moment a booking was due, so waiting "
        "in a queue counts too; some payments are slow on purpose (3 s at the provider) and make the maximum. Lag: "
        "every second while the load runs, each group's records on its topics beyond what it has committed.\n"
    )


def _latencies(loads: Sequence[Load]) -> str:
    head = [
        "bookings/s",
        "for",
        "accepted",
        *(f"{what} {share}" for what in ("accept", "confirm") for share in _SHARES),
    ]
    rows = [
        [
            _rate(load),
            f"{number(load['seconds'])} s",
            f"{number(load['accepted'])} of {number(load['offered'])}",
            *_quantiles(load["accept_ms"]),
            *_quantiles(load["confirm_ms"]),
        ]
        for load in loads
    ]
    return "Milliseconds from due to 201 (accept), and to the outcome seen by the client (confirm):\n\n" + table(
        head, rows
    )


def _quantiles(latency: Mapping[str, float] | None) -> list[float | None]:
    return [latency[share] if latency else None for share in _SHARES]


def _machine(loads: Sequence[Load]) -> str:
    head = [
        "bookings/s",
        "held",
        "lag of the partition furthest behind, p50",
        "p95",
        "max",
        "lag of all groups, p95",
        "max",
    ]
    head += ["its group", "CPU", "load generator's CPU", "CPU of all programs", "no outcome", "errors"]
    rows = [
        [
            _rate(load),
            load["held"],
            *_lag(load["lag"]),
            _percent(load["cpu_share"]),
            _percent(load["generator_cpu_share"]),
            _percent(load["machine_busy"]),
            load["unresolved"],
            load["errors"],
        ]
        for load in loads
    ]
    said = "Lag in records, and who used the processors: the instance, the load generator, everything on the machine"
    return f"{said} (100 % is all cores):\n\n" + table(head, rows)


def _lag(lag: Mapping[str, Any] | None) -> list[Any]:
    keys = ("worst_p50", "worst_p95", "worst_max", "total_p95", "total_max", "worst_group")
    return [lag[key] if lag else None for key in keys]


def _tried(load: Load) -> str:
    return f"{_rate(load)}/s for {number(load['seconds'])} s ({'held' if load['held'] else 'not held'})"


def _rate(load: Load) -> str:
    return number(load["rate"])


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share * 100:.0f} %"


def _processes(loads: Sequence[Load]) -> Iterator[str]:
    yield "### Processor time by process\n"
    yield "How: the processes' own CPU time before and after the load, user and system, over the bookings accepted.\n"
    names = list(dict.fromkeys(name for load in loads for name in load["cpu_us_per_booking"]))
    rates = [f"µs per booking at {_rate(load)}/s" for load in loads]
    rows: list[list[Any]] = [
        [name, *(load["cpu_us_per_booking"].get(name) for load in loads), loads[-1]["resident_mib"].get(name)]
        for name in names
    ]
    rows.append(["**together**", *(sum(load["cpu_us_per_booking"].values()) for load in loads), None])
    yield table(["process", *rates, "resident MiB at last"], rows)


def _services(found: Mapping[str, Any]) -> Iterator[str]:
    spent, rest = found["cpu_us_per_booking"], found["at_rest_us"]
    yield "### Processor time by service\n"
    yield (
        f"How: a second instance, started without `vacancy up`: one `vacancy worker` for every service, so that each "
        f"is a process with its own clock, at {_rate(found)} bookings/s for {number(found['seconds'])} s "
        f"({number(found['bookings'])} bookings). What a process uses while nobody books (polling, heartbeats) is "
        "counted at that rate too and shown beside it; in one worker the services share much of that.\n"
    )
    rows: list[list[Any]] = [[name, spent[name], rest[name], found["resident_mib"].get(name)] for name in spent]
    rows.append(["**together**", sum(spent.values()), sum(rest.values()), None])
    yield table(["service", "µs per booking", "of it at rest", "resident MiB"], rows)


def _waterfall(loads: Sequence[Load]) -> Iterator[str]:
    found = [(load, load["waterfall"]) for load in loads if load.get("waterfall")]
    if not found:
        return
    counts = ", ".join(f"{number(each['bookings'])} at {_rate(load)}/s" for load, each in found)
    yield "### Where the time of one booking goes\n"
    yield (
        f"How: from the stamps of the records that a booking leaves on the log, for every booking that was confirmed "
        f"({counts}). Inboxes are stamped by the broker when it appends, effects and documented topics by the worker "
        "when it writes the record into a batch; all to the millisecond. Nights and payment go side by side. `begins` "
        "is the median since the gateway took the request.\n"
    )
    head = ["hop", "by"]
    for load, _ in found:
        head += [f"{_rate(load)}/s: begins", "p50 ms", "p95 ms"]
    by_hop = [{line["hop"]: line for line in _lines(each)} for _, each in found]
    hops = dict.fromkeys((line["hop"], line["by"]) for _, each in found for line in _lines(each))
    keys = ("begins_ms", "p50_ms", "p95_ms")
    yield table(head, [[hop, by, *(each.get(hop, {}).get(key) for each in by_hop for key in keys)] for hop, by in hops])


def _lines(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*found["hops"], {**found["whole"], "hop": "**request to confirmed**"}, *found["afterwards"]]
