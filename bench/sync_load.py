"""The same stays offered to either kind of platform, on time whatever it does with those before, and what came of them.

A latency counts from the moment a booking was due, so that waiting in a queue counts too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp

from cli.client import NoOutcome, Refused, Stay, Unreachable
from cli.report import Latency

#: Books a stay under a key of its own. Returns by the loop's clock when it was answered and when its outcome was known.
Book = Callable[[Stay, str], Awaitable[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Seen:
    """One booking as its guest saw it, in seconds from when it was due; None where it failed."""

    token: str
    answer_s: float | None = None
    confirm_s: float | None = None


def due_times(bookings: int, rate: float) -> Iterator[float]:
    """When each of so many bookings is due, in seconds from the start: evenly, `rate` a second."""
    return (number / rate for number in range(bookings))


async def offer(book: Book, stays: Sequence[Stay], rate: float, run: str) -> list[Seen]:
    """Books the stays at that rate and returns once each has its outcome; `run` tells their keys from other runs'."""
    loop = asyncio.get_running_loop()
    start = loop.time()

    async def travel(number: int, stay: Stay, due: float) -> Seen:
        try:
            answered, confirmed = await book(stay, f"bench-{run}-{number}")
        except (Refused, Unreachable, NoOutcome, aiohttp.ClientError, TimeoutError, OSError):
            return Seen(stay.token)
        return Seen(stay.token, answered - due, confirmed - due)

    under_way = []
    for number, (stay, at) in enumerate(zip(stays, due_times(len(stays), rate), strict=True)):
        if (left := start + at - loop.time()) > 0:
            await asyncio.sleep(left)
        under_way.append(asyncio.create_task(travel(number, stay, start + at)))
    return list(await asyncio.gather(*under_way))


def summed(seen: Sequence[Seen]) -> dict[str, Any]:
    """How many there were, how many failed, and the latencies of the others."""
    answers = [each.answer_s for each in seen if each.answer_s is not None]
    outcomes = [each.confirm_s for each in seen if each.confirm_s is not None]
    return {
        "bookings": len(seen),
        "errors": len(seen) - len(outcomes),
        "answer_ms": _milliseconds(answers),
        "confirm_ms": _milliseconds(outcomes),
    }


def _milliseconds(seconds: Sequence[float]) -> dict[str, float] | None:
    latency = Latency.of(seconds)
    return asdict(latency) if latency is not None else None
