"""The targets of the bench: what was wanted at least and at best, what was measured, and whether that is met.

A target that compares with a peer has no bound until that peer was measured, and is then neither met nor missed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.instance import WORKER
from bench.report_markdown import number

_MB_PER_MIB = 2**20 / 1e6
_TARGET_RATE, _GOAL_RATE, _CPU_SHARE = 167, 1_000, 0.7
_PACED = 5_000
_ROWS = 1_000_000
_BOOKINGS = 100_000
_SHARE_OF_PEERS = 1 / 3

#: The results of the parts that were measured, by the name of the part.
Results = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """One row of the table; `floor_met` and `goal_met` are None where that cannot be said."""

    what: str
    floor: str
    goal: str
    measured: str = "not measured"
    floor_met: bool | None = None
    goal_met: bool | None = None

    @property
    def verdict(self) -> str:
        if self.floor_met is None and self.goal_met is None:
            return "not measured"
        return "goal" if self.goal_met else "floor" if self.floor_met else "**no**"


def targets(results: Results) -> list[Target]:
    """Every target, those whose part was not measured too."""
    return list(_targets(results))


def _targets(results: Results) -> Iterator[Target]:
    journey, log, growth = (results.get(name, {}) for name in ("journey", "log", "growth"))
    micro = results.get("micro", {})
    loaded = at_rate(journey, _TARGET_RATE)
    yield _against_peers(micro)
    yield _sustained(journey)
    drained = log.get("drain") or {}
    yield _most("journey from the log", "bookings/s", drained.get("bookings_per_s"), 2_000, 10_000)
    confirm = (loaded.get("confirm_ms") or {}).get("p95")
    yield _least(f"confirm latency p95 at {_TARGET_RATE}/s", "ms", confirm, 100, 25)
    lag = (loaded.get("lag") or {}).get("worst_p95")
    yield _least(
        f"consumer lag at {_TARGET_RATE}/s (the partition furthest behind, p95 of looks)", "records", lag, 100, 20
    )
    paced = micro.get("latency", {}).get("vacancy") or {}
    two_hops = (paced.get("ms") or {}).get("p95") if paced.get("events_per_second") == _PACED else None
    yield _least(f"two hops p95 at {_PACED:,} events/s", "ms", two_hops, 100, 13)
    table: dict[str, Any] = next((each for each in growth.get("tables", []) if each["rows"] == _ROWS), {})
    cold = (table.get("cold_s") or {}).get("median")
    yield _least(f"recovery of a {_ROWS:,}-row table, cold", "s", cold, 60, 10)
    yield _memory(drained)


def at_rate(journey: Mapping[str, Any], rate: float) -> dict[str, Any]:
    """The load of a whole run at that rate; empty where there was none."""
    return next((load for load in journey.get("rates", []) if load["rate"] == rate), {})


def _bounded(
    holds: Callable[[float, float], bool], what: str, unit: str, value: float | None, floor: float, goal: float
) -> Target:
    if value is None:
        return Target(what, f"{floor:,} {unit}", f"{goal:,} {unit}")
    met = (holds(value, bound) for bound in (floor, goal))
    return Target(what, f"{floor:,} {unit}", f"{goal:,} {unit}", f"{number(value)} {unit}", *met)


def _least(what: str, unit: str, value: float | None, floor: float, goal: float) -> Target:
    return _bounded(operator.le, what, unit, value, floor, goal)


def _most(what: str, unit: str, value: float | None, floor: float, goal: float) -> Target:
    return _bounded(operator.ge, what, unit, value, floor, goal)


def _against_peers(micro: Mapping[str, Any]) -> Target:
    what = "micro pipeline, CPU seconds per million events, two hops"
    ours = _cpu_of(micro, "vacancy")
    quix, streams = (_cpu_of(micro, f"{peer}-exactly-once") for peer in ("quix", "kafka-streams"))
    floor = "Quix Streams exactly once" + (f": {number(quix)} s" if quix else "")
    bound = None if quix is None or streams is None else min(quix, streams) * _SHARE_OF_PEERS
    goal = "a third of it, and of Kafka Streams" + (f": {number(bound)} s" if bound else "")
    if ours is None:
        return Target(what, floor, goal)
    met = (None if limit is None else ours <= limit for limit in (quix, bound))
    return Target(what, floor, goal, f"{number(ours)} s", *met)


def _cpu_of(micro: Mapping[str, Any], system: str) -> float | None:
    found = micro.get("systems", {}).get(system)
    return None if found is None else float(found["cpu_seconds_per_million"]["median"])


def _sustained(journey: Mapping[str, Any]) -> Target:
    what = "journey through HTTP, sustained"
    floor = f"{_TARGET_RATE}/s (10,000/min) at < {_CPU_SHARE * 100:.0f} % of the machine's CPU"
    goal = f"{_GOAL_RATE:,}/s ({_GOAL_RATE * 60:,}/min)"
    if not journey:
        return Target(what, floor, goal)
    load, highest = at_rate(journey, _TARGET_RATE), journey["highest"]
    best = highest["rate"] if highest else 0
    measured = f"{number(best)}/s held" if best else "no rate held"
    share = load.get("cpu_share")
    if share is not None:
        measured += f"; {share * 100:.0f} % of the CPU at {_TARGET_RATE}/s"
    held = bool(load.get("held")) and share is not None and share < _CPU_SHARE
    return Target(what, floor, goal, measured, held, best >= _GOAL_RATE)


def _memory(drained: Mapping[str, Any]) -> Target:
    what = f"resident memory, one worker with all services, {_BOOKINGS:,} bookings"
    resident = sum(mib for name, mib in (drained.get("resident_mib") or {}).items() if name in WORKER)
    target = _least(what, "MB", round(resident * _MB_PER_MIB) if resident else None, 600, 250)
    if not resident or drained["bookings"] >= _BOOKINGS:
        return target
    # With fewer bookings too much is too much already, and little says nothing.
    missed = target.floor_met is False
    measured = f"{target.measured} after {number(drained['bookings'])} bookings"
    return Target(what, target.floor, target.goal, measured, False if missed else None, False if missed else None)
