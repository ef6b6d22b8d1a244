"""How long a worker may believe that it still owns its partitions: until its last heartbeat is too old.

A process that was paused for longer than the session timeout is no longer a member of its group, and another one owns
its partitions; it must not write another row (design 5.7).
"""

from __future__ import annotations

import asyncio
import time

#: The fraction of the session timeout after which a heartbeat counts as too old.
_FRESH = 0.6


class LeaseLost(Exception):
    """The group may have given our partitions to somebody else."""


class Lease:
    """Renewed by every heartbeat the coordinator accepts and by every join."""

    def __init__(self, session_timeout: float) -> None:
        self._session_timeout = session_timeout
        self._renewed = self._trusted = time.monotonic()
        self._rejoining = False

    def renew(self, sent: float) -> None:
        """The group accepted a heartbeat sent at `sent` (monotonic clock).

        When it was sent counts, not when the answer was read: a process that was paused in between reads an answer
        that was true once.
        """
        if sent >= self._trusted:
            self._renewed = max(self._renewed, sent)

    def doubt(self) -> None:
        """This process was paused, or its machine was: only a heartbeat sent from now on counts.

        Called from the watchdog's thread: single stores, no lock needed.
        """
        self._trusted = time.monotonic()
        self._renewed = float("-inf")

    def joined(self) -> None:
        self._rejoining = False
        self.renew(time.monotonic())

    def left(self) -> None:
        """A rebalance begins: what is not durable now will be decided by the next owner."""
        self._rejoining = True

    def fresh(self) -> bool:
        return time.monotonic() - self._renewed < _FRESH * self._session_timeout

    async def hold(self) -> None:
        """Returns while the lease is fresh, or as soon as it is renewed (the broker may just be restarting).

        Raises:
            LeaseLost: the group moved on without us, or nothing was heard for too long.
        """
        if self.fresh():
            return
        patience = time.monotonic() + 5 * self._session_timeout
        while not self.fresh():
            if self._rejoining or time.monotonic() > patience:
                raise LeaseLost(self._reason())
            await asyncio.sleep(0.02)

    def _reason(self) -> str:
        doubted = self._renewed == float("-inf")
        since = "this process was paused" if doubted else "the last heartbeat that was accepted"
        seconds = time.monotonic() - (self._trusted if doubted else self._renewed)
        what = "the group gives its partitions out anew" if self._rejoining else "no heartbeat is accepted"
        return f"{what}, {seconds:.1f} s after {since}"
