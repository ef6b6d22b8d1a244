"""What every decision returns: the next state, and what is to be said because of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from streams.events import Event

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Decision(Generic[S]):
    """The outcome of `decide(state, message, now)`: same arguments, same decision, for ever."""

    state: S
    events: tuple[Event, ...] = ()
