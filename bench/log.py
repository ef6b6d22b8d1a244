"""The journey from the log: bookings that stand on it before a worker runs, drained through every service.

Each is held, paid at the sandbox provider, confirmed and captured, told by mail, receipted and counted. Requests are
made as the gateway makes them; the instance that drains them is a real `vacancy up`.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import Progress

from bench.instance import Measured, running, vacancy
from bench.log_drain import drain_waiting
from bench.log_traffic import Made, Traffic, declare, desk
from bench.parts import CannotMeasure, Options
from cli import instance
from config.layers import load
from config.settings import Settings

_UNIT_TYPES, _SHORT_UNIT_TYPES = 1_000, 100
_SHORT, _PILOT, _MOST = 2_000, 2_000, 100_000
#: What a drain may take; on a machine that is too slow for all the bookings it is as many as that allows.
_LONGEST_S = 540.0


def run(options: Options, progress: Progress) -> dict[str, Any]:
    unit_types = _SHORT_UNIT_TYPES if options.short else _UNIT_TYPES
    with standing(options.scratch / "log") as settings:
        declared(settings, unit_types, progress)
        pilot = None
        bookings = _SHORT
        if not options.short:
            pilot = _drained(settings, Traffic(bookings=_PILOT, unit_types=unit_types, seed=options.seed), progress)
            bookings = as_many_as(pilot["bookings_per_s_to_rest"], _LONGEST_S, _MOST)
        drain = _drained(settings, Traffic(bookings=bookings, unit_types=unit_types, seed=options.seed + 1), progress)
        return {"resources": unit_types, "pilot": pilot, "drain": drain, "audit_exit": Measured(settings.data).audit()}


@contextmanager
def standing(data: Path) -> Iterator[Settings]:
    """An instance's directory with its broker running by itself, which `up` uses and leaves as it is."""
    _do("broker", "start", "--data", str(data))
    try:
        yield instance.joined(load({"data": data}).settings)
    finally:
        _do("broker", "stop", "--data", str(data))


def declared(settings: Settings, unit_types: int, progress: Progress) -> None:
    """Declares so many unit types through the API of the instance, which runs only for that."""
    task = progress.add_task("declaring unit types", total=unit_types)
    with running(settings.data) as measured:
        found = measured.written
        asyncio.run(declare(found["url"], found["api_key"], unit_types, lambda: progress.advance(task)))
    progress.remove_task(task)


def made(settings: Settings, traffic: Traffic, progress: Progress) -> list[Made]:
    """The requests of that traffic, ready to be appended."""

    async def make() -> list[Made]:
        async with desk(settings) as open_desk:
            return await open_desk.make(traffic, lambda: progress.advance(task))

    task = progress.add_task("making bookings", total=traffic.bookings)
    records = asyncio.run(make())
    progress.remove_task(task)
    return records


def as_many_as(per_second: float, seconds: float, most: int) -> int:
    """How many bookings fit so many seconds at that pace, in whole thousands, `most` at most."""
    return min(most, max(1, int(per_second * seconds / 1_000)) * 1_000)


def _drained(settings: Settings, traffic: Traffic, progress: Progress) -> dict[str, Any]:
    records = made(settings, traffic, progress)
    task = progress.add_task(f"draining {len(records):,} bookings", total=len(records))
    drain = drain_waiting(settings, records, 1, lambda more: progress.advance(task, more))
    progress.remove_task(task)
    return drain


def _do(*arguments: str) -> None:
    done = subprocess.run(vacancy(*arguments), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotMeasure(f"`vacancy {' '.join(arguments[:2])}`: {done.stderr.strip()}")
