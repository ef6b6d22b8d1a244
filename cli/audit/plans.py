"""What the auditor remembers of a reminder: the news that plans one, and what it was planned as."""

from __future__ import annotations

from typing import NamedTuple

from cli.audit.facts import Place


class Plan(NamedTuple):
    """What news made of a booking's reminder: when it is due and what begins then, if anything; times in ms."""

    cause: str
    place: Place
    at: int
    told_at: int
    over: bool
    due: int | None
    start: int | None
    #: What a notice of it names as its cause, and on which channels there are to be some.
    reminder: str
    channels: frozenset[str]


class Foretold(NamedTuple):
    """News that plans a reminder of what begins at a time, or of what is over (None); times in milliseconds."""

    booking_id: str
    event_id: str
    event_type: str
    place: Place
    at: int
    begins: int | None
