"""What a property said of single nights, by the auditor's own reading: whether, and how many, units may be taken.

A calendar's rules hold for the nights from its place on the inbox on. A block takes its units out of every night of its
period, until it is removed or the record's time has reached its release.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cli.audit.operations import Block, BlockDue, Calendar, Declare, Unblock

RULES = (
    *("stop_sell", "closed_to_arrival", "closed_to_departure", "min_stay", "max_stay"),
    *("min_advance_days", "max_advance_days", "overbooking_limit"),
)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST = 366
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Nights:
    """The nights of one resource that differ from the others."""

    rules: defaultdict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    blocks: dict[str, Block] = field(default_factory=dict)

    def say(self, said: Calendar | Block | Unblock | BlockDue) -> None:
        match said:
            case Calendar():
                for night in said.nights:
                    kept = self.rules[night] | said.rules
                    self.rules[night] = {name: value for name, value in kept.items() if name not in said.clears}
            case Block():
                self.blocks[said.block_id] = said
            case Unblock():
                self.blocks.pop(said.block_id, None)
            case BlockDue():
                block = self.blocks.get(said.block_id)
                if block is not None and block.release is not None and said.at >= block.release:
                    del self.blocks[said.block_id]

    def closed(self, night: str) -> bool:
        return bool(self.rules[night].get("stop_sell")) if night in self.rules else False

    def limit(self, declared: Declare, night: str, at: int) -> int:
        """What may be held of a night at most, at that time (in milliseconds)."""
        standing = (block for block in self.blocks.values() if block.release is None or at < block.release)
        blocked = sum(block.units for block in standing if night in block.nights)
        own = self.rules[night].get("overbooking_limit") if night in self.rules else None
        return declared.capacity - blocked + (declared.overbooking if own is None else int(own))

    def special(self) -> Iterator[str]:
        """The nights that have anything of their own."""
        yield from (night for night, rules in self.rules.items() if any(value is not False for value in rules.values()))
        for block in self.blocks.values():
            yield from block.nights


def nights_between(first: str, after: str, weekdays: list[str] | None = None) -> tuple[str, ...]:
    """The nights of `[first, after)` on these weekdays, or on all; none where there are too many. Raises ValueError."""
    day, end = date.fromisoformat(first), date.fromisoformat(after)
    if (end - day).days > _MOST:
        return ()
    days = [day + timedelta(days=number) for number in range((end - day).days)]
    return tuple(each.isoformat() for each in days if not weekdays or _WEEKDAYS[each.weekday()] in weekdays)


def release_of(instant: str | None) -> int | None:
    """The first whole millisecond at which a block takes nothing any more. Raises ValueError."""
    if instant is None:
        return None
    return -((_EPOCH - datetime.fromisoformat(instant)) // timedelta(milliseconds=1))
