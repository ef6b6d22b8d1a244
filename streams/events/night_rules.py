"""What a property says of single nights: restrictions on selling them, and units that are not for sale.

All of it is asked of the availability service (its inbox, keyed by resource).
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from streams.events.base import Count, Event, Id, Instant, NonNegative

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
RuleName = Literal[
    "stop_sell",
    "closed_to_arrival",
    "closed_to_departure",
    "min_stay",
    "max_stay",
    "min_advance_days",
    "max_advance_days",
    "overbooking_limit",
]
BlockReason = Literal["maintenance", "group"]


class SetCalendar(Event, type="availability.calendar.set"):
    """The rules of every night of `[from_date, to_date)`, or of those on some weekdays. What is None stays as it is."""

    provider_id: Id
    product_id: Id
    from_date: date
    to_date: date
    #: None named: all of them.
    weekdays: tuple[Weekday, ...] = ()
    #: No unit is sold for this night any more.
    stop_sell: bool | None = None
    #: No stay begins with this night, or ends on this date.
    closed_to_arrival: bool | None = None
    closed_to_departure: bool | None = None
    #: Nights of a stay that begins with this one, in place of the resource's own.
    min_stay: Count | None = None
    max_stay: Count | None = None
    #: How many days before this night a stay that begins with it is booked, at least and at most.
    min_advance_days: NonNegative | None = None
    max_advance_days: NonNegative | None = None
    #: In place of the resource's own.
    overbooking_limit: NonNegative | None = None
    #: What does not hold any more.
    clears: tuple[RuleName, ...] = ()


class SetBlock(Event, type="availability.block.set"):
    """Takes units of every night of `[from_date, to_date)` out of sale, in place of what the block took before."""

    provider_id: Id
    product_id: Id
    block_id: Id
    from_date: date
    to_date: date
    units: Count
    reason: BlockReason
    #: From then on it takes nothing, whether or not anybody has said so yet.
    release_at: Instant | None = None


class RemoveBlock(Event, type="availability.block.remove"):
    """Ends a block, for all of its nights."""

    provider_id: Id
    product_id: Id
    block_id: Id


class BlockDue(Event, type="availability.block.due"):
    """A block's `release_at` may have come. The row decides by the record's own time whether it has."""

    provider_id: Id
    product_id: Id
    block_id: Id
    release_at: Instant
