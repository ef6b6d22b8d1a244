"""Finds the highest rate something is held at, by trying: doubling until it is not, then halving on a log scale."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

#: Below it nothing is tried, above it nothing more: bookings a second.
LOWEST, HIGHEST = 1.0, 10_000.0

Probe = Callable[[float], Awaitable[bool]]


async def search(probe: Probe, held: float | None, failed: float | None, precision: float = 1.1) -> float | None:
    """The highest rate whose probe succeeds, to a factor of `precision`; None when not even the lowest does.

    `held` and `failed` are what is known already: a rate that was held, a higher one that was not.
    """
    low, high = held, failed
    while low is None:
        if high is not None and high <= LOWEST:
            return None
        rate = rounded(max(LOWEST, (high or LOWEST) / 2))
        low, high = (rate, high) if await probe(rate) else (None, rate)
    while high is None and low < HIGHEST:
        rate = rounded(min(low * 2, HIGHEST))
        low, high = (rate, None) if await probe(rate) else (low, rate)
    while high is not None and high / low > precision:
        rate = rounded(math.sqrt(low * high))
        low, high = (rate, high) if await probe(rate) else (low, rate)
    return low


def rounded(rate: float) -> float:
    """To three digits: more would say more than a probe does."""
    return float(f"{rate:.3g}")
