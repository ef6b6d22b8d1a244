"""Confirmation numbers: unique across gateways, from blocks of 1,000 leased by appending to a one-partition topic."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol

from streams.events import Event
from streams.events.control import NumbersLeased
from streams.log import Appended

#: Numbers in a block. Not a setting: gateways that disagreed would hand out the same number twice.
BLOCK = 1_000


def confirmation_number(number: int, asked_at: datetime) -> str:
    """A number as guests read it, e.g. "RSV-2026-000123": six digits or more, and the year in UTC it was asked for in.

    The count goes on from year to year: the digits alone are nobody else's.
    """
    return f"RSV-{asked_at.astimezone(UTC).year}-{number:06d}"


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
                block = await self._lease()
                self._next, self._end = block * BLOCK + 1, (block + 1) * BLOCK + 1
            number = self._next
            self._next += 1
            return number

    async def _lease(self) -> int:
        while True:
            leased = await self._log.append(NumbersLeased(gateway=self._gateway), source="gateway")
            # A broker that knows a retry and not its place any more answers -1: a block that all would share.
            if leased.offset >= 0:
                return leased.offset
