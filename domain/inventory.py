"""The shapes inventory is kept in, and their arithmetic: resources, nights and the holdings on them. No decisions.

"Night" stands for any slot. All of it is stored as JSON by `tables.availability`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from domain.night_rules import NO_RULES, Block, NightRules
from streams.events.availability import Slots
from streams.events.policy import CancellationPolicy, Deposit
from streams.events.stay import StayRules

HoldState = Literal["held", "confirmed", "refused", "released"]


def hold_id_of(booking_id: str, line: int) -> str:
    """The key of what one line of a booking holds, over all its revisions."""
    return f"{booking_id}/{line}"


class Resource(msgspec.Struct, frozen=True, omit_defaults=True):
    """What can be taken: how much of it there is in every slot, how its time is cut, and what a slot costs."""

    provider_id: str
    product_id: str
    capacity: int
    price_amount: Decimal
    price_currency: str
    overbooking_limit: int = 0
    slots: Slots = "nights"
    time_zone: str = "UTC"
    min_stay: int = 1
    cancellation: CancellationPolicy | None = None
    #: How many of its nights have rules of their own: where none has, nothing looks for them.
    calendar: int = 0
    #: Entries of its waitlist that wait for an offer: ours, not part of what is declared.
    waiting: int = 0
    stay: StayRules | None = None
    deposit: Deposit | None = None

    def overbooking(self, rules: NightRules = NO_RULES) -> int:
        """How many units more than are for sale may be held of a slot with these rules."""
        return self.overbooking_limit if rules.overbooking_limit is None else rules.overbooking_limit

    def for_sale(self, blocked: int) -> int:
        """Units there are of a slot of which so many are blocked."""
        return max(self.capacity - blocked, 0)

    def limit(self, rules: NightRules, now: datetime) -> int:
        """What may be held of one slot at most; below nothing where more is blocked than there is."""
        return self.capacity - rules.blocked(now) + self.overbooking(rules)


class Night(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who holds one slot. A row that is read and written with every hold on it, so it carries nothing else."""

    #: hold id -> {revision: quantity}, live ones only.
    holds: dict[str, dict[int, int]] = {}
    #: Which of them still wait to be confirmed, as "hold id/revision": few at any time, unlike the confirmed ones.
    pending: tuple[str, ...] = ()
    #: Of stock: units sold since it was last counted; below nothing when more came back than was sold.
    sold: int = 0

    @property
    def held(self) -> int:
        """Units taken. Of several revisions of a hold the greatest counts: the switch between them frees nothing."""
        total = self.sold
        for revisions in self.holds.values():
            total += max(revisions.values())
        return total

    @property
    def confirmed(self) -> int:
        """Units taken by holds that were confirmed."""
        return sum(
            max((units for revision, units in revisions.items() if f"{hold}/{revision}" not in self.pending), default=0)
            for hold, revisions in self.holds.items()
        ) + max(self.sold, 0)

    def taking(self, hold: str, revision: int, quantity: int) -> Night:
        """The night with one more hold, not confirmed yet."""
        revisions = self.holds.get(hold, {}) | {revision: quantity}
        return Night(self.holds | {hold: revisions}, (*self.pending, f"{hold}/{revision}"), self.sold)

    def confirming(self, hold: str, revision: int) -> Night:
        return Night(self.holds, self._waiting_without(hold, revision), self.sold)

    def selling(self, hold: str, revision: int) -> Night:
        """Stock that is confirmed is gone: it becomes part of a sum, or the row would grow with every sale."""
        units = self.holds.get(hold, {}).get(revision, 0)
        return msgspec.structs.replace(self.freeing(hold, revision), sold=self.sold + units)

    def taking_back(self, units: int) -> Night:
        """The stock with units that were sold and came back."""
        return msgspec.structs.replace(self, sold=self.sold - units)

    def counted(self) -> Night:
        """The stock as it was counted anew: what was sold is not on hand any more, what is held still is."""
        return msgspec.structs.replace(self, sold=0)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to keep a row for."""
        return not self.holds and not self.sold

    def freeing(self, hold: str, revision: int) -> Night:
        """The night without this revision."""
        left = {number: units for number, units in self.holds.get(hold, {}).items() if number != revision}
        others = {name: revisions for name, revisions in self.holds.items() if name != hold}
        return Night(others | {hold: left} if left else others, self._waiting_without(hold, revision), self.sold)

    def _waiting_without(self, hold: str, revision: int) -> tuple[str, ...]:
        return tuple(waiting for waiting in self.pending if waiting != f"{hold}/{revision}")


class HoldRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one revision of a hold. Kept after its end, so that it cannot begin again."""

    state: HoldState
    #: Recorded when it was taken: it frees exactly what it took, whatever becomes of the resource in between.
    slots: tuple[str, ...] = ()
    #: 0 when it was released before it was seen.
    quantity: int = 0
    reason: str | None = None

    @property
    def live(self) -> bool:
        return self.state in ("held", "confirmed")


class Holding(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every revision of one line's hold on this resource."""

    revisions: dict[int, HoldRecord] = {}

    def with_record(self, revision: int, record: HoldRecord) -> Holding:
        return Holding(self.revisions | {revision: record})

    def supersedes(self, revision: int) -> bool:
        """Whether a higher revision was seen, in whatever state it is."""
        return any(seen > revision for seen in self.revisions)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What one decision looks at: the resource, the nights concerned and their rules (those without a row may be left
    out), and what the line or the block in question holds. In a decision's outcome an untouched part is the very same
    object; a night or rules with nothing in them have no row any more.
    """

    resource: Resource | None = None
    nights: Mapping[str, Night] = field(default_factory=dict)
    holding: Holding | None = None
    rules: Mapping[str, NightRules] = field(default_factory=dict)
    block: Block | None = None

    def rules_of(self, slot: str) -> NightRules:
        return self.rules.get(slot, NO_RULES)
