"""Confirmation numbers: unique across gateways, from blocks of 1,000 leased by appending to a one-partition topic."""

from __future__ import annotations

import asyncio
from typing import Protocol

from streams.events import Event
from streams.events.control import NumbersLeased
from streams.log import Appended

#: Numbers in a block. Not a setting: gateways that disagreed would hand out the same number twice.
BLOCK = 1_000


class Appends(Protocol):
    async def append(self, event: Event, *, source: str) -> Appended: ...


class Numbers:
    """The next number of this gateway's block; the block is the offset of its lease, so no two gateways share one.

    A gateway that ends leaves the rest of its block unused: numbers are unique, not gapless.
    """

    def __init__(self, log: Appends, gateway: str) -> None:
        self._log = log
        self._gateway = gateway
        self._next = 0
        self._end = 0
        self._leasing = asyncio.Lock()

    async def next(self) -> int:
        """A number nobody else has, from 1 on.

        Raises:
            LogUnavailable: the block is used up and no new one could be leased.
        """
        async with self._leasing:
            if self._next == self._end:
                leased = await self._log.append(NumbersLeased(gateway=self._gateway), source="gateway")
                self._next, self._end = leased.offset * BLOCK + 1, (leased.offset + 1) * BLOCK + 1
            number = self._next
            self._next += 1
            return number
