"""The newest answer to a question that may take long, for who must not wait: it is asked again behind their backs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
#: What a caller waits at most for an answer under way: where nothing is wrong it comes sooner.
_PATIENCE_S = 1.0
#: Then asking is given up, and begun anew by the next caller.
_GIVE_UP_S = 60.0

logger = logging.getLogger("vacancy.gateway")


class Looking(Generic[T]):
    """Asks for `what` at most every so many seconds, and only while somebody wants to know."""

    def __init__(
        self, what: str, ask: Callable[[], Awaitable[T]], every: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._what = what
        self._ask = ask
        self._every = every
        self._clock = clock
        self._asking: asyncio.Task[None] | None = None
        self._at = clock()
        self._failing = False
        #: None before the first answer.
        self.answer: T | None = None

    @property
    def age(self) -> float:
        """How old the answer is, in seconds; before the first, how long there has been none."""
        return self._clock() - self._at

    async def refresh(self, patience: float = _PATIENCE_S) -> None:
        """Has the answer renewed if it is old; returns after `patience` at the latest, whatever came of it."""
        if self.answer is not None and self.age < self._every:
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._renew())
        await asyncio.wait([self._asking], timeout=patience)

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._asking

    async def _renew(self) -> None:
        asked = self._clock()
        try:
            async with asyncio.timeout(_GIVE_UP_S):
                self.answer = await self._ask()
        except Exception as error:  # whatever it is, the answer before it stands, and its age says so
            if not self._failing:
                logger.warning("%s is not known: %s: %s", self._what, type(error).__name__, error)
            self._failing = True
            return
        self._at, self._failing = asked, False
