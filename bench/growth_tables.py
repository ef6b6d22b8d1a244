"""Tables that grow: how long their recovery takes, cold and warm, and how fast decisions are on them."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress

from bench.figures import spread
from bench.growth_rows import Filled, Keyed, append_holds, booking_rows, create, fill, resource_rows
from bench.parts import CannotMeasure, Options
from bench.recovery import grown
from streams.layout import load_layout
from streams.services import Service

_LAYOUT = load_layout("catalogue")
_SIZES, _SHORT_SIZES = (1_000, 10_000, 100_000, 1_000_000), (1_000, 10_000)
_ROW_BYTES = (1_024, 4_096, 8_192)
_SIZED_ROWS, _SHORT_SIZED_ROWS = 100_000, 2_000
_HOLDS, _SHORT_HOLDS = 5_000, 1_000
_MIB = 2**20
#: This package is found from here, installed or not.
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Table:
    """A service's table of so many rows. With holds, so many are decided on it at a time."""

    service: Service
    rows: int
    holds: int = 0
    #: Of each row; 0 leaves them as small as resources are.
    row_bytes: int = 0

    def contents(self, seed: int) -> Iterator[Keyed]:
        if self.row_bytes:
            return booking_rows(self.rows, self.row_bytes, _LAYOUT.partitions, seed)
        return resource_rows(self.rows, _LAYOUT.partitions)


def tables(options: Options) -> list[Table]:
    """Tables of resources from 1,000 to 1,000,000 rows, on which stays are held."""
    holds = _SHORT_HOLDS if options.short else _HOLDS
    sizes = _SHORT_SIZES if options.short else _SIZES
    return [Table(grown("availability", f"{rows}"), rows, holds) for rows in sizes]


def row_sizes(options: Options) -> list[Table]:
    """Tables of the same number of bookings, of 1, 4 and 8 KB each."""
    rows = _SHORT_SIZED_ROWS if options.short else _SIZED_ROWS
    return [Table(grown("booking", f"of{size}"), rows, row_bytes=size) for size in _ROW_BYTES]


def measure(bootstrap: str, table: Table, options: Options, progress: Progress) -> dict[str, Any]:
    """Fills the table's changelog, restores it cold and warm, and decides on it, as often as was asked for."""
    task = progress.add_task(f"writing {table.rows:,} rows", total=table.rows)
    filled = asyncio.run(_filled(bootstrap, table, options.seed, lambda more: progress.advance(task, more)))
    progress.remove_task(task)
    directory = options.scratch / "tables" / table.service.name
    task = progress.add_task(f"restoring {table.rows:,} rows", total=3 * options.repeats)
    cold, warm, decided = [], [], []
    for _ in range(options.repeats):
        shutil.rmtree(directory, ignore_errors=True)
        cold.append(_restored(bootstrap, table, directory))
        progress.advance(task)
        warm.append(_restored(bootstrap, table, directory))
        progress.advance(task)
    for number in range(options.repeats if table.holds else 0):
        seed = options.seed + number
        asyncio.run(append_holds(bootstrap, table.service, _LAYOUT.partitions, table.rows, table.holds, seed))
        decided.append(_restored(bootstrap, table, directory, "--decide"))
        progress.advance(task)
    progress.remove_task(task)
    shutil.rmtree(directory)
    return figures(table, filled.size, cold, warm, decided)


def figures(
    table: Table,
    size: int,
    cold: list[dict[str, Any]],
    warm: list[dict[str, Any]],
    decided: list[dict[str, Any]],
) -> dict[str, Any]:
    """What the runs say together."""
    cold_s = spread([each["restore_s"] for each in cold])
    speeds = [each["decisions"] / each["decide_s"] for each in decided]
    costs = [each["decide_cpu_s"] / each["decisions"] * 1e6 for each in decided]
    return {
        "rows": table.rows,
        "row_bytes": round(size / table.rows),
        "changelog_mib": round(size / _MIB, 1),
        "cold_s": cold_s,
        "cold_rows_per_s": round(table.rows / cold_s["median"]),
        "cold_cpu_s": spread([each["restore_cpu_s"] for each in cold]),
        "warm_s": spread([each["restore_s"] for each in warm]),
        "resident_mib": max(each["resident_mib"] for each in cold),
        "decisions": table.holds,
        "decisions_per_s": spread(speeds, 0) if decided else None,
        "decision_cpu_us": spread(costs, 1) if decided else None,
    }


async def _filled(bootstrap: str, table: Table, seed: int, progress: Callable[[int], object]) -> Filled:
    await create(bootstrap, table.service, _LAYOUT.partitions)
    return await fill(bootstrap, table.service, _LAYOUT.partitions, table.contents(seed), progress)


def _restored(bootstrap: str, table: Table, directory: Path, *more: str) -> dict[str, Any]:
    """One run of `bench.recovery`, so that its memory is that of a process that did nothing else."""
    asked = [sys.executable, "-m", "bench.recovery", bootstrap, table.service.name, str(directory.resolve()), *more]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=_ROOT)
    if done.returncode != 0:
        raise CannotMeasure(f"the rows of {table.service.name} were not restored: {done.stderr.strip()[-500:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told
