"""The same journey as calls between services, one after the other (HTL-27), beside ours.

The hotel document says 2,000 ms for calls in a row and 500 ms for events. What is compared here is a fair and simple
implementation: six aiohttp services and the same payment provider, each with its own process and database, on this one
machine; what it leaves out stands in `bench.sync_steps`. Ours does all of that besides. A commit of SQLite waits for
the disk, a record of Kafka's only for its process: `commit_ms` says what that is worth here.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from typing import Any

from rich.progress import Progress

from bench.journey_search import search
from bench.log_traffic import Traffic, stays
from bench.parts import Options
from bench.sync_load import Seen, offer, summed
from bench.sync_store import commits
from bench.sync_systems import System, calls, events
from cli.report import Latency

_RATES, _SHORT_RATES = (1.0, 20.0, 50.0, 100.0, 167.0), (1.0, 20.0)
_SECONDS, _SHORT_SECONDS = 20.0, 4.0
#: (bookings a second, how many of a thousand pay slowly)
_SLOW, _SHORT_SLOW = ((50.0, 100), (50.0, 800)), ((20.0, 300),)
_WARM_UP_RATE = 10.0
_UNIT_TYPES = 100
_COMMITS = 200
#: A rate is held while 95 of 100 guests know their outcome within the document's half second, and nobody is refused.
_CONFIRM_MS = 500.0


def run(options: Options, progress: Progress) -> dict[str, Any]:
    scratch = options.scratch / "synchronous"
    scratch.mkdir(parents=True, exist_ok=True)
    comparison = Comparison(options, progress)
    found: dict[str, Any] = {"commit_ms": _milliseconds(commits(scratch, _COMMITS))}
    # One after the other: two platforms at the same time would measure each other.
    with calls(scratch / "calls") as system:
        synchronous = asyncio.run(comparison.measure(system, "synchronous"))
    with events(scratch / "events", _UNIT_TYPES) as system:
        vacancy = asyncio.run(comparison.measure(system, "vacancy"))
    return {**found, **beside(synchronous, vacancy)}


class Comparison:
    """What is asked of either platform."""

    def __init__(self, options: Options, progress: Progress) -> None:
        self._rates = _SHORT_RATES if options.short else _RATES
        self._slow = _SHORT_SLOW if options.short else _SLOW
        self._seconds = _SHORT_SECONDS if options.short else _SECONDS
        self._precision = 2.0 if options.short else 1.15
        self._seed = options.seed
        self._progress = progress

    async def measure(self, system: System, name: str) -> dict[str, Any]:
        """Latency and cost at each rate, what slow payments do to others, and the highest rate that is held."""
        task = self._progress.add_task(name, total=len(self._rates) + len(self._slow) + 2)
        await self._offered(system, _WARM_UP_RATE)
        self._progress.advance(task)
        rates, slow = [], []
        for rate in self._rates:
            rates.append(await self._at(system, rate))
            self._progress.advance(task)
        for rate, share in self._slow:
            slow.append(await self._with_slow(system, rate, share))
            self._progress.advance(task)
        held = await self._highest(system, {each["rate"]: each["side"] for each in rates})
        self._progress.remove_task(task)
        return {"rates": rates, "slow": slow, "held": held}

    async def _at(self, system: System, rate: float) -> dict[str, Any]:
        before = system.cpu_seconds()
        seen = await self._offered(system, rate)
        spent = {name: (after - before[name]) / len(seen) * 1000 for name, after in system.cpu_seconds().items()}
        side = {
            **summed(seen),
            "cpu_ms_per_booking": round(sum(spent.values()), 2),
            "cpu_ms_by_process": {name: round(each, 2) for name, each in spent.items()},
        }
        return {"rate": rate, "seconds": self._seconds, "side": side}

    async def _with_slow(self, system: System, rate: float, share: int) -> dict[str, Any]:
        seen = await self._offered(system, rate, share)
        side = {
            "others": summed([each for each in seen if each.token != "tok_slow"]),
            "slow": summed([each for each in seen if each.token == "tok_slow"]),
        }
        return {"rate": rate, "share": share / 1000, "seconds": self._seconds, "side": side}

    async def _highest(self, system: System, tried: dict[float, dict[str, Any]]) -> dict[str, Any]:
        async def probe(rate: float) -> bool:
            tried[rate] = summed(await self._offered(system, rate))
            return holds(tried[rate])

        failed = min((rate for rate, seen in tried.items() if not holds(seen)), default=None)
        held = max((rate for rate in tried if holds(tried[rate]) and (failed is None or rate < failed)), default=None)
        rate = await search(probe, held, failed, self._precision)
        return {
            "rate": rate,
            "p95_ms": tried[rate]["confirm_ms"]["p95"] if rate is not None else None,
            "tried": [
                [each, (seen["confirm_ms"] or {}).get("p95"), holds(seen)] for each, seen in sorted(tried.items())
            ],
        }

    async def _offered(self, system: System, rate: float, slow: int = 0) -> list[Seen]:
        """Stays at that rate for as long as each is measured, never the same twice, and then rest."""
        self._seed += 1
        traffic = Traffic(
            bookings=max(1, round(rate * self._seconds)),
            unit_types=_UNIT_TYPES,
            slow=slow,
            declined=0,
            seed=self._seed,
        )
        async with system.booking() as book:
            seen = await offer(book, list(stays(traffic, datetime.now(UTC).date())), rate, secrets.token_hex(6))
        await system.rest()
        return seen


def holds(seen: dict[str, Any]) -> bool:
    """Whether a rate was held, by what its guests saw."""
    return not seen["errors"] and seen["confirm_ms"] is not None and seen["confirm_ms"]["p95"] < _CONFIRM_MS


def beside(synchronous: dict[str, Any], vacancy: dict[str, Any]) -> dict[str, Any]:
    """Both platforms' figures, rate by rate."""
    sides = {"synchronous": synchronous, "vacancy": vacancy}
    together: dict[str, Any] = {"held": {name: found["held"] for name, found in sides.items()}}
    for what in ("rates", "slow"):
        pairs = zip(synchronous[what], vacancy[what], strict=True)
        together[what] = [_pair(left, right) for left, right in pairs]
    return together


def _pair(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Two measurements of the same load as one."""
    load = {name: value for name, value in left.items() if name != "side"}
    return {**load, "synchronous": left["side"], "vacancy": right["side"]}


def _milliseconds(seconds: list[float]) -> dict[str, float] | None:
    latency = Latency.of(seconds)
    return None if latency is None else {"p50": latency.p50, "p95": latency.p95, "p99": latency.p99, "max": latency.max}
