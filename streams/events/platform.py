"""What the platform tells of itself, on `vacancy.events`: for who operates it, nobody's booking hangs on it."""

from __future__ import annotations

from typing import Literal

from streams.events.base import Event, Instant, NonNegative

#: A dependency is asked; not asked; or asked by one call, to see whether it answers again.
BreakerState = Literal["closed", "half_open", "open"]


class BreakerChanged(Event, type="platform.breaker.changed"):
    """A process asks a dependency no more, tries it again, or asks it as before (`streams.breakers`)."""

    dependency: str
    state: BreakerState
    #: Calls in a row that had no answer.
    failures: NonNegative
    #: The process whose breaker it is.
    part: str
    changed_at: Instant
