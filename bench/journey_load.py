"""One load on a running instance: what `vacancy demo` saw, and meanwhile the lag and who used the processors.

Latencies count from the moment a booking was due, so waiting in a queue counts too (HTL-41, HTL-44, C19).
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from bench.figures import quantile
from bench.instance import Measured
from bench.lag import Lag, Look

#: What a rate has to keep to be held: milliseconds at the 95th percentile, records, a share of the machine's time.
ACCEPT_MS, CONFIRM_MS, LAG, CPU = 100.0, 500.0, 100, 0.7
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One look while a load ran: when (monotonic), the lag, and the CPU seconds spent until then."""

    at: float
    lag: Lag
    #: By the instance's processes.
    ours: float
    #: By everything on the machine.
    all: float


async def loaded(instance: Measured, look: Look, rate: float, duration: float, seed: int) -> dict[str, Any]:
    """Books at `rate` for `duration` seconds and waits for the last outcome; raises CannotMeasure."""
    before, own = instance.cpu_seconds(), _of_children()
    samples: list[Sample] = []
    watch = asyncio.create_task(_watch(instance, look, samples))
    try:
        report = await asyncio.to_thread(instance.demo, rate, duration, seed)
        ended = time.monotonic()
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    spent = {name: spent - before.get(name, 0.0) for name, spent in instance.cpu_seconds().items()}
    # The demo starts and waits for its last outcomes outside of this window.
    began = ended - report["seconds"]
    during = [sample for sample in samples if began <= sample.at <= began + duration]
    found = {
        **_seen(report, duration),
        "lag": _lag(during),
        "cpu_share": _share(during, lambda sample: sample.ours),
        "machine_busy": _share(during, lambda sample: sample.all),
        "generator_cpu_share": round((_of_children() - own) / (os.cpu_count() or 1) / report["seconds"], 3),
        "cpu_us_per_booking": per_booking(spent, report["accepted"]),
        "resident_mib": instance.resident_mib(),
    }
    return {**found, "held": held(found)}


def held(load: Mapping[str, Any]) -> bool:
    """Everything that was offered was accepted and has its outcome, within the three bounds."""
    lag = load["lag"]
    return (
        load["accepted"] == load["offered"]
        and not load["unresolved"]
        and not load["errors"]
        and _within(load["accept_ms"], ACCEPT_MS)
        and _within(load["confirm_ms"], CONFIRM_MS)
        and lag is not None
        and lag["worst_p95"] < LAG
    )


def per_booking(spent: Mapping[str, float], bookings: int) -> dict[str, int]:
    """CPU seconds by process as microseconds a booking."""
    return {name: round(seconds / max(bookings, 1) * 1e6) for name, seconds in spent.items()}


def _within(latency: Mapping[str, float] | None, bound: float) -> bool:
    return latency is not None and latency["p95"] < bound


def _seen(report: Mapping[str, Any], duration: float) -> dict[str, Any]:
    return {
        "rate": report["rate"],
        "seconds": duration,
        "took_s": report["seconds"],
        "offered": report["bookings"],
        "accepted": report["accepted"],
        "unresolved": report["unresolved"],
        "errors": report["error_count"],
        "outcomes": {name: count for name, count in report["outcomes"].items() if count},
        "accept_ms": report["accept_ms"],
        "confirm_ms": report["confirm_ms"],
    }


async def _watch(instance: Measured, look: Look, samples: list[Sample]) -> None:
    while True:
        lag = await look()
        samples.append(Sample(time.monotonic(), lag, sum(instance.cpu_seconds().values()), _of_all()))
        await asyncio.sleep(_LOOK_EVERY_S)


def _lag(samples: Sequence[Sample]) -> dict[str, Any] | None:
    """Of all groups together, and of whichever partition was furthest behind at the time."""
    if not samples:
        return None
    totals = [sample.lag.total for sample in samples]
    worst = [sample.lag.worst for sample in samples]
    return {
        "samples": len(samples),
        "total_p50": quantile(totals, 0.5),
        "total_p95": quantile(totals, 0.95),
        "total_max": max(totals),
        "worst_p50": quantile(worst, 0.5),
        "worst_p95": quantile(worst, 0.95),
        "worst_max": max(worst),
        "worst_group": max(samples, key=lambda sample: sample.lag.worst).lag.furthest,
    }


def _share(samples: Sequence[Sample], spent: Callable[[Sample], float]) -> float | None:
    """The share of the machine's processor time that was used between the first look and the last."""
    if len(samples) < 2:
        return None
    first, last = samples[0], samples[-1]
    return round((spent(last) - spent(first)) / (os.cpu_count() or 1) / (last.at - first.at), 3)


def _of_all() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def _of_children() -> float:
    """CPU seconds of ended child processes, which during a load is the load generator alone."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
