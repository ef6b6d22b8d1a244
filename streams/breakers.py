"""Circuit breakers: a dependency that does not answer is left alone for a while, and what it is needed for waits (C11).

The states are purgatory's: closed, open after so many failures in a row, half-open after a pause, closed by a success.
Ours is what is around them: waiting instead of an error, one probe at a time in the order of arrival, more and more at
once after it, and the pause by the monotonic clock, so that a clock that is set does not lengthen it
(docs/decisions/0039-breakers-wait-and-refusals-are-letters.md).
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final, Literal

from prometheus_client import Gauge
from purgatory.domain.model import Context, HalfOpenedState

from streams.envelope import originate
from streams.events import Envelope
from streams.events.platform import BreakerChanged, BreakerState

logger = logging.getLogger(__name__)

#: What effects call.
Dependency = Literal["payment-provider", "mail", "sms"]
#: Calls of one process that may be under way at once. A thousand mails that are written in the same moment would hold
#: up the loop, and with it the heartbeats, for seconds; a payment that takes three seconds is not to slow down others.
_MOST: Final[dict[Dependency, int]] = {"payment-provider": 500, "mail": 8, "sms": 32}
#: HTL-39: after so many failures in a row it is open, and so many seconds later half-open.
THRESHOLD: Final = 10
PAUSE_S: Final = 30.0

_STATES: dict[str, BreakerState] = {"closed": "closed", "half-opened": "half_open", "opened": "open"}
_NUMBERS: dict[BreakerState, int] = {"closed": 0, "half_open": 1, "open": 2}
_GAUGE = Gauge("vacancy_breaker_state", "Breaker of a dependency: 0 closed, 1 half-open, 2 open.", ["dependency"])


class StillOpen(Exception):
    """A breaker let nobody through for as long as a call may wait."""


class Turn:
    """One call that was let through. Neither answered nor failed, it says nothing of the dependency."""

    __slots__ = ("_breaker", "probe")

    def __init__(self, breaker: Breaker, probe: bool) -> None:
        self._breaker = breaker
        self.probe = probe

    def answered(self) -> None:
        """The dependency answered, whatever it said."""
        self._breaker.judge(self, None)

    def failed(self, failure: Exception) -> None:
        """It did not answer."""
        self._breaker.judge(self, failure)


class Breaker:
    """The breaker of one dependency. `changed` is called after each change of its state."""

    def __init__(
        self,
        name: str,
        changed: Callable[[Breaker], object],
        *,
        threshold: int = THRESHOLD,
        pause: float = PAUSE_S,
        most: float = math.inf,
    ) -> None:
        self.name = name
        self.failures = 0
        self._changed = changed
        self._pause = pause
        self._context = Context(name, threshold, pause)
        self._told = self.state
        self._probing = False
        self._most = most
        #: How many calls may be under way at once. Whoever was away may be slow still: since it was closed again, one
        #: and one more for each answer, which doubles them with every round.
        self._room = most
        self._underway: set[Turn] = set()
        #: Who waits, in the order of arrival.
        self._queue: dict[asyncio.Future[Turn], None] = {}

    @property
    def state(self) -> BreakerState:
        return _STATES[self._context.state]

    @property
    def waiting(self) -> bool:
        """Whether a call waits to be made; the probe, which is being made, does not."""
        return self.state != "closed" and bool(self._queue)

    @asynccontextmanager
    async def turn(self, patience: float | None = None) -> AsyncIterator[Turn]:
        """Waits until a call may be made, which is then made inside.

        Raises:
            StillOpen: the dependency is still left alone after `patience` seconds; None is to wait for as long as it
                takes. Whoever only waits for others, while it is closed, does so for as long as it takes.
        """
        turn = await self._admitted(patience)
        try:
            yield turn
        finally:
            self._over(turn)

    def judge(self, turn: Turn, failure: Exception | None) -> None:
        """What came of a call. Once it is not closed only the probe's counts: others began before."""
        if self.state != "closed" and not turn.probe:
            return
        self.failures = self.failures + 1 if failure is not None else 0
        self._room = min(self._most, self._room + (failure is None))
        if failure is not None:
            self._context.handle_exception(failure)
        else:
            self._context.handle_end_request()
        self._follow()

    def _follow(self) -> None:
        """Tells of a change, and sets in motion what comes with it."""
        self._context.messages.clear()  # purgatory keeps them for a bus that is not ours
        if self.state == self._told:
            return
        self._told = self.state
        if self.state == "open":
            asyncio.get_running_loop().call_later(self._pause, self._half_open)
        elif self.state == "closed":
            self._room = 1
            self._underway.clear()  # what began before it opened has its own timeout, and nobody waits for that
        self._changed(self)
        self._let_in()

    def _half_open(self) -> None:
        self._context.set_state(HalfOpenedState())
        self._follow()

    async def _admitted(self, patience: float | None) -> Turn:
        """Its turn, once the call may be made. Raises StillOpen."""
        waiting: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._queue[waiting] = None
        self._let_in()
        try:
            while not waiting.done():
                await asyncio.wait([waiting], timeout=patience)
                if not waiting.done() and self.state != "closed":
                    raise StillOpen(f"{self.name} is left alone")
            return waiting.result()
        except BaseException:
            self._queue.pop(waiting, None)
            if waiting.done():
                self._over(waiting.result())  # let in and cancelled in the same moment: it makes way for the next
            raise

    def _over(self, turn: Turn) -> None:
        self._underway.discard(turn)
        if turn.probe:
            self._probing = False
        self._let_in()

    def _let_in(self) -> None:
        """As many as there is room for once it is closed, one if it is half-open and there is no probe."""
        while self._queue and self._has_room():
            waiting = next(iter(self._queue))
            del self._queue[waiting]
            turn = Turn(self, probe=self.state == "half_open")
            self._probing = turn.probe
            self._underway.add(turn)
            waiting.set_result(turn)

    def _has_room(self) -> bool:
        if self.state == "closed":
            return len(self._underway) < self._room
        return self.state == "half_open" and not self._probing


class Breakers:
    """The breakers of one process. `say` puts an event on the log; whether it comes there is nobody's worry here."""

    def __init__(
        self, part: str, say: Callable[[Envelope], object], *, threshold: int = THRESHOLD, pause: float = PAUSE_S
    ) -> None:
        self._part = part
        self._say = say
        self._threshold = threshold
        self._pause = pause
        self._all: dict[str, Breaker] = {}

    def of(self, name: Dependency) -> Breaker:
        """The breaker of a dependency, the same each time."""
        if name not in self._all:
            most = _MOST[name]
            self._all[name] = Breaker(name, self._tell, threshold=self._threshold, pause=self._pause, most=most)
            _GAUGE.labels(name).set(_NUMBERS["closed"])
        return self._all[name]

    @property
    def waiting(self) -> bool:
        """Whether calls wait because a dependency is left alone: without any, it holds up nothing."""
        return any(breaker.waiting for breaker in list(self._all.values()))

    def _tell(self, breaker: Breaker) -> None:
        _GAUGE.labels(breaker.name).set(_NUMBERS[breaker.state])
        level = logging.WARNING if breaker.state == "open" else logging.INFO
        logger.log(level, "breaker %s is %s (%s failures in a row)", breaker.name, breaker.state, breaker.failures)
        now = datetime.now(UTC)
        changed = BreakerChanged(
            dependency=breaker.name,
            state=breaker.state,
            failures=breaker.failures,
            part=self._part,
            changed_at=now,
        )
        try:
            self._say(originate(changed, source=self._part, now=now))
        except Exception as error:  # the log may be what is down, and nobody's work waits for this
            logger.warning("breaker %s: its change could not be said: %s", breaker.name, type(error).__name__)
