"""What every decision returns: the next state, and what is to be said because of it."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from streams.events import Event

S = TypeVar("S")


class Decision(msgspec.Struct, Generic[S], frozen=True):
    """The outcome of `decide(state, message, now)`: same arguments, same decision, for ever."""

    state: S
    events: tuple[Event, ...] = ()
