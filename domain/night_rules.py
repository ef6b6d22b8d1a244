"""What holds for single nights beside their resource: restrictions and blocks. No decisions.

All of it is stored as JSON by `tables.availability`.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from streams.events.night_rules import BlockReason


class Blocked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one block takes of one night."""

    units: int
    release_at: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Whether the units are out of sale: from `release_at` on they are not."""
        return self.release_at is None or now < self.release_at


class NightRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """A night's own rules. One that has none has no row, and a resource without such rows reads none."""

    stop_sell: bool = False
    closed_to_arrival: bool = False
    closed_to_departure: bool = False
    min_stay: int | None = None
    max_stay: int | None = None
    min_advance_days: int | None = None
    max_advance_days: int | None = None
    overbooking_limit: int | None = None
    #: By the block's id.
    blocks: dict[str, Blocked] = {}

    def blocked(self, now: datetime) -> int:
        """Units that are out of sale."""
        return sum(block.units for block in self.blocks.values() if block.stands(now))


class Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """Units of every night of `[from_date, to_date)` that are out of sale."""

    block_id: str
    from_date: date
    to_date: date
    units: int
    reason: BlockReason
    release_at: datetime | None = None
    #: Its time has come, and the world was told.
    released: bool = False

    @property
    def waits_for(self) -> datetime | None:
        """When its nights are to be told to be free."""
        return None if self.released else self.release_at


NO_RULES = NightRules()
