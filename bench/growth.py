"""Growth: more rows in the tables, more workers, one resource that everybody wants, larger rows.

Bookings are drained as in the journey from the log, but by an instance that runs already, so that neither its start nor
its rebalances are counted. Tables are filled on their changelogs and restored by the product's own code.
"""

from __future__ import annotations

import asyncio
from typing import Any

from rich.progress import Progress

from bench.growth_tables import measure, row_sizes, tables
from bench.instance import running
from bench.log import declared, made, standing
from bench.log_drain import drain_appended, mean_row_size
from bench.log_traffic import Traffic
from bench.parts import Options
from config.settings import Settings
from streams.services import BOOKING

_WORKERS, _SHORT_WORKERS = (1, 2, 3, 4), (1, 2)
_PADDINGS, _SHORT_PADDINGS = (0, 1_024, 3_072, 7_168), (0, 4_096)
_BOOKINGS, _SHORT_BOOKINGS = 3_000, 300
_UNIT_TYPES = 1_000
_SHORT_UNIT_TYPES = 100


def run(options: Options, progress: Progress) -> dict[str, Any]:
    unit_types = _SHORT_UNIT_TYPES if options.short else _UNIT_TYPES
    drains = Drains(options, unit_types, progress)
    with standing(options.scratch / "growth") as settings:
        declared(settings, unit_types, progress)
        result = {
            "workers": drains.with_workers(settings, _SHORT_WORKERS if options.short else _WORKERS),
            **drains.with_one_worker(settings, _SHORT_PADDINGS if options.short else _PADDINGS),
        }
        # Last, and with no instance running: what is decided on these tables is nobody's booking.
        for name, of in (("tables", tables(options)), ("row_sizes", row_sizes(options))):
            result[name] = [measure(settings.bootstrap, table, options, progress) for table in of]
    return result


class Drains:
    """Drains of the same number of bookings, which differ in one thing at a time."""

    def __init__(self, options: Options, unit_types: int, progress: Progress) -> None:
        self._bookings = _SHORT_BOOKINGS if options.short else _BOOKINGS
        self._unit_types = unit_types
        self._progress = progress
        self._seed = options.seed

    def with_workers(self, settings: Settings, counts: tuple[int, ...]) -> list[dict[str, Any]]:
        """The same traffic with so many workers each time."""
        found = []
        # Upwards: a worker that does not come back stays a member of its groups until its session is over.
        for count in sorted(counts):
            with running(settings.data, "--workers", str(count)):
                found.append(self._drain(settings, self._spread(), f"{count} workers", count))
        return found

    def with_one_worker(self, settings: Settings, paddings: tuple[int, ...]) -> dict[str, Any]:
        """What a hot resource costs, and what larger rows do."""
        with running(settings.data, "--workers", "1"):
            return {"hot": self._hot(settings), "bookings": [self._padded(settings, size) for size in paddings]}

    def _hot(self, settings: Settings) -> list[dict[str, Any]]:
        cases = {
            f"{self._unit_types:,} unit types": self._spread(),
            "one unit type": self._spread(unit_types=1),
            "one night of one unit type": self._spread(unit_types=1, nights=1, longest=1),
        }
        return [{"case": case, **self._drain(settings, traffic, case)} for case, traffic in cases.items()]

    def _padded(self, settings: Settings, padding: int) -> dict[str, Any]:
        drain = self._drain(settings, self._spread(padding=padding), f"{padding} bytes more")
        size = asyncio.run(mean_row_size(settings, BOOKING, "b|", self._bookings))
        return {"padding_bytes": padding, "row_bytes": size, **drain}

    def _spread(self, **otherwise: int) -> Traffic:
        # Another seed each time: a stay that was asked for before would be another booking of the same nights.
        self._seed += 1
        return Traffic(bookings=self._bookings, seed=self._seed, **{"unit_types": self._unit_types, **otherwise})

    def _drain(self, settings: Settings, traffic: Traffic, what: str, workers: int = 1) -> dict[str, Any]:
        records = made(settings, traffic, self._progress)
        task = self._progress.add_task(f"draining: {what}", total=len(records))
        drain = drain_appended(settings, records, workers, lambda more: self._progress.advance(task, more))
        self._progress.remove_task(task)
        return drain
