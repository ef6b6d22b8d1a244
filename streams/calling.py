"""One call to the outside, made until it is over: answered, parked, or refused for good (C11).

What is not answered is tried again after the layout's delays, then parked, or tried for as long as it takes where it
cannot be. While the breaker of its dependency is open it waits, which is no attempt. Content that is refused is tried
as often as the layout says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from streams.breakers import Breaker, StillOpen
from streams.events import Envelope

logger = logging.getLogger(__name__)
#: The pause between attempts once the ladder is used up, in seconds.
LAST_PAUSE_S = 5.0
#: What a provider may ask us to wait at most: it is input, and everything behind the call waits too.
LONGEST_PAUSE_S = 60.0
#: For so long a call that can be parked waits for its breaker: an outage may bring more than the window is wide.
LONGEST_WAIT_S = 60.0


class Unreachable(Exception):
    """The outside did not answer, or asked to come back later: never a reason to give up."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class NotAsked(Unreachable):
    """The call was not made: something of our own is not at hand, such as a key. It says nothing of the outside."""


class Refused(Exception):
    """The other side will not take this content; `final` if it was not even asked. Says why, and names nobody."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


@dataclass(slots=True)
class Attempts:
    """What an effect has been through: calls without an answer, and calls that refused its content."""

    first: datetime = field(default_factory=lambda: datetime.now(UTC))
    last: datetime = field(default_factory=lambda: datetime.now(UTC))
    unanswered: int = 0
    refused: int = 0

    @property
    def made(self) -> int:
        return max(1, self.unanswered + self.refused)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: what is to be appended for it, and why it is a dead letter if it is one."""

    result: Envelope | None
    attempts: Attempts
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Calling:
    """How the effects of one agent are called; the fields are those of `EffectRunner`."""

    call: Callable[[Envelope], Awaitable[Envelope | None]]
    delays: tuple[float, ...]
    park: Callable[[Envelope, Unreachable], Envelope] | None = None
    refused: Callable[[Envelope, Refused], Envelope] | None = None
    refusals: int = 1
    breaker: Callable[[Envelope], Breaker] | None = None
    asked: Callable[[Envelope], bool] = lambda result: True

    async def until_over(self, effect: Envelope, ended: Callable[[], object] = lambda: None) -> Outcome:
        """Calls as often as it takes. `ended` is told of each attempt that is over, whatever came of it."""
        attempts = Attempts()
        while True:
            try:
                return Outcome(await self._attempt(effect), attempts)
            except Refused as refusal:
                if self.refused is None:
                    raise
                attempts.refused += 1
                logger.warning("%s %s: refused: %s", effect.event_type, effect.event_id, refusal)
                if refusal.final or attempts.refused >= self.refusals:
                    attempts.last = datetime.now(UTC)
                    return Outcome(self.refused(effect, refusal), attempts, str(refusal))
                pause = self._pause(attempts.refused)
            except (Unreachable, StillOpen) as error:
                failure = error if isinstance(error, Unreachable) else Unreachable(str(error))
                attempts.unanswered += failure is error
                logger.warning("%s %s: attempt %s: %s", effect.event_type, effect.event_id, attempts.unanswered, error)
                later = failure.retry_after or 0.0
                spent = attempts.unanswered > len(self.delays) or failure is not error
                if self.park is not None and (spent or later > LAST_PAUSE_S):
                    return Outcome(self.park(effect, failure), attempts)
                pause = max(self._pause(attempts.unanswered), min(later, LONGEST_PAUSE_S))
            finally:
                ended()
            await asyncio.sleep(pause)

    async def _attempt(self, effect: Envelope) -> Envelope | None:
        """One call, once the breaker of its dependency lets it through. Raises Unreachable, Refused, StillOpen."""
        if self.breaker is None:
            return await self.call(effect)
        # What cannot be parked has nowhere else to wait.
        async with self.breaker(effect).turn(LONGEST_WAIT_S if self.park is not None else None) as turn:
            try:
                result = await self.call(effect)
            except NotAsked:
                raise
            except Unreachable as failure:
                turn.failed(failure)
                raise
            except Refused as refusal:
                if not refusal.final:
                    turn.answered()
                raise
            if result is None or self.asked(result):
                turn.answered()
            return result

    def _pause(self, attempt: int) -> float:
        """How long to wait after so many attempts."""
        return self.delays[attempt - 1] if attempt <= len(self.delays) else LAST_PAUSE_S
