"""What the availability inbox asks of inventory, as the audit replays it: declarations, rules of nights, and holds."""

from __future__ import annotations

from typing import Any, NamedTuple


class Declare(NamedTuple):
    offset: int
    at: int
    resource: str
    capacity: int
    overbooking: int
    slots: str | int
    time_zone: str
    #: Short id of the message, here and below: what caused an offer to somebody on a waitlist.
    event_id: bytes = b""


class Calendar(NamedTuple):
    """Rules of nights. What is left out of `rules` stays."""

    offset: int
    resource: str
    nights: tuple[str, ...]
    rules: dict[str, Any]
    clears: tuple[str, ...]
    event_id: bytes = b""


class Block(NamedTuple):
    """Units of nights that are out of sale, until `release` (in milliseconds) if there is any."""

    offset: int
    resource: str
    block_id: str
    nights: tuple[str, ...]
    units: int
    release: int | None
    event_id: bytes = b""


class Unblock(NamedTuple):
    offset: int
    resource: str
    block_id: str
    event_id: bytes = b""


class BlockDue(NamedTuple):
    """A block's release may have come."""

    offset: int
    at: int
    resource: str
    block_id: str
    event_id: bytes = b""


class Hold(NamedTuple):
    offset: int
    event_id: str
    resource: str
    booking_id: str
    revision: int
    line: int
    start: str
    end: str
    quantity: int
    #: Short id of what caused it.
    cause: bytes = b""
    #: The record's time, in milliseconds.
    at: int = 0


class Sale(NamedTuple):
    """A hold is confirmed."""

    offset: int
    resource: str
    booking_id: str
    revision: int
    line: int


class Release(NamedTuple):
    offset: int
    resource: str
    booking_id: str
    revision: int
    line: int
    event_id: bytes = b""


class Waited(NamedTuple):
    """Something is asked of a waitlist: what came of it the news says."""

    offset: int
    event_id: bytes


class Shorten(NamedTuple):
    """Nights from `first` on are not held any more."""

    offset: int
    resource: str
    booking_id: str
    revision: int
    line: int
    first: str
    event_id: bytes = b""


Operation = Declare | Calendar | Block | Unblock | BlockDue | Hold | Sale | Release | Shorten | Waited
