"""Part (a) of the bench: one pipeline on Vacancy's processor and on its peers, side by side.

Every system reads the same bookings from one broker on this machine, one system at a time, all of them once a round.
Answers are checked against a reference after every run: a system that does less work has no figures here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.progress import Progress

from bench.figures import spread
from bench.micro import kafka
from bench.micro.decision import CAPACITY
from bench.micro.load import PARTITIONS, REPEATED, RESOURCES, Load, value_of
from bench.micro.measure import Spent
from bench.micro.rounds import Rounds
from bench.micro.systems import SYSTEMS, System
from bench.parts import CannotMeasure, Options
from cli.loop import run as run_in_loop

EVENTS, SHORT_EVENTS = 1_000_000, 20_000
PACED_S, SHORT_PACED_S = 20.0, 4.0


def run(options: Options, progress: Progress) -> dict[str, Any]:
    """The comparison, for `bench.parts`. Raises CannotMeasure: there is no broker."""
    return run_in_loop(_run(options, progress))


async def _run(options: Options, progress: Progress) -> dict[str, Any]:
    skipped: dict[str, str] = {}
    systems = [system for system in SYSTEMS if _is_there(system, skipped)]
    bar = progress.add_task("the same pipeline", total=len(systems) * (options.repeats + 1))
    seen: dict[str, list[Spent]] = {system.name: [] for system in systems}
    latency: dict[str, Any] = {}
    async with kafka.running(options.scratch / "kafka") as broker:
        rounds = Rounds(broker, options.scratch, Load(SHORT_EVENTS if options.short else EVENTS, options.seed))
        for number in range(options.repeats):
            for system in [system for system in systems if system.name not in skipped]:
                progress.update(bar, description=f"{system.name}, {number + 1} of {options.repeats}")
                try:
                    seen[system.name].append(await rounds.drained(system))
                except CannotMeasure as why:
                    skipped[system.name] = str(why)
                progress.advance(bar)
        for system in [system for system in systems if system.paced and system.name not in skipped]:
            progress.update(bar, description=f"{system.name}, latency at {system.paced}/s")
            latency[system.name] = await _latency(rounds, system, SHORT_PACED_S if options.short else PACED_S)
            progress.advance(bar)
    return {
        "events": described(rounds.whole),
        "systems": {
            system.name: figures(system, seen[system.name]) for system in systems if system.name not in skipped
        },
        "skipped": skipped,
        "latency": latency,
    }


def _is_there(system: System, skipped: dict[str, str]) -> bool:
    try:
        system.command()
    except CannotMeasure as why:
        skipped[system.name] = str(why)
    return system.name not in skipped


async def _latency(rounds: Rounds, system: System, seconds: float) -> dict[str, Any]:
    """What was seen, or one sentence why it was not."""
    try:
        return await rounds.paced(system, seconds)
    except CannotMeasure as why:
        return {"events_per_second": system.paced, "skipped": str(why)}


def described(load: Load) -> dict[str, Any]:
    """What was sent."""
    return {
        "events": load.events,
        "seed": load.seed,
        "repeated_share": REPEATED,
        "resources": RESOURCES,
        "slots": load.slots,
        "capacity": CAPACITY,
        "partitions": PARTITIONS,
        "bytes": len(value_of(next(load.bookings()))),
    }


def figures(system: System, runs: Sequence[Spent]) -> dict[str, Any]:
    """What a system's runs took. All of them passed the check, or there would be none."""
    found = {
        "guarantee": system.guarantee,
        "events": runs[0].events,
        "seconds": spread([each.seconds for each in runs]),
        "events_per_second": spread([each.events_per_second for each in runs], 0),
        "cpu_seconds_per_million": spread([each.cpu_per_million for each in runs]),
        "broker_cpu_seconds_per_million": spread([each.broker_cpu_per_million for each in runs]),
        "resident_mib": spread([each.resident_mib for each in runs], 1),
        "start_up_cpu_seconds": spread([each.start_up_cpu for each in runs]),
        "cores_busy_with_others": spread([each.others for each in runs], 2),
        "correct": True,
    }
    return {**found, "does_more": system.does_more} if system.does_more else found
