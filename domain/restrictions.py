"""Whether the rules of its nights let a hold be taken: what a property closed, how long and how early a stay is booked.

A rule counts for what a hold takes anew. What its line held before, under an earlier revision, it may keep: a change
that takes no more of any night is refused by no rule, one that takes more by the rules of those nights, by those of its
arrival only where it arrives anew, and by those of its departure only where it leaves anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.calendar import current_slot, date_after, days_until
from domain.inventory import Holding, HoldRecord, Inventory, Night, Resource
from domain.night_rules import NO_RULES, NightRules
from streams.events.availability import Hold

_EMPTY = Night()


@dataclass(frozen=True, slots=True)
class _Stay:
    """A hold beside what its line holds already."""

    nights: tuple[str, ...]
    #: The nights it takes more units of than before.
    more: tuple[str, ...]
    #: Whether any unit of it arrives, or leaves, on another date than before.
    arrives: bool
    leaves: bool


def rules_needed(resource: Resource | None, message: object, slots: tuple[str, ...]) -> tuple[str, ...]:
    """The nights whose rules a decision on these slots looks at: of a stay also the date it ends on."""
    if resource is None or not resource.calendar or resource.slots != "nights" or not slots:
        return ()
    leaves = date_after(slots[-1]) if isinstance(message, Hold) else None
    return (*slots, leaves) if leaves is not None else slots


def objection(
    inventory: Inventory, resource: Resource, hold: Hold, taken: Mapping[str, Night], now: datetime
) -> str | None:
    """Why the hold cannot be taken, None if it can. `taken` are its nights in order, as they would be with it."""
    if not resource.calendar or resource.slots != "nights":
        if len(taken) < resource.min_stay:
            return "below_min_stay"
        most = resource.limit(NO_RULES, now)
        return "sold_out" if any(night.held > most for night in taken.values()) else None
    return next(_objections(inventory, resource, hold, taken, now), None)


def unbookable(
    resource: Resource, rules: NightRules, slot: str, held: int, now: datetime
) -> Iterator[Literal["past", "sold_out", "stop_sell"]]:
    """Why no unit of a night or slot is sold any more, to whatever stay."""
    if slot < current_slot(resource.slots, resource.time_zone, now):
        yield "past"
    if held >= resource.limit(rules, now):
        yield "sold_out"
    if rules.stop_sell:
        yield "stop_sell"


def no_arrival(resource: Resource, rules: NightRules, slot: str, now: datetime) -> Iterator[str]:
    """Why no stay that is booked now begins with a night."""
    if rules.closed_to_arrival:
        yield "closed_to_arrival"
    if rules.min_advance_days is not None or rules.max_advance_days is not None:
        yield from _of_notice(rules, days_until(slot, resource.time_zone, now))


def _objections(
    inventory: Inventory, resource: Resource, hold: Hold, taken: Mapping[str, Night], now: datetime
) -> Iterator[str]:
    stay = _compared(inventory, hold, taken)
    first = inventory.rules_of(stay.nights[0])
    if any(inventory.rules_of(night).stop_sell for night in stay.more):
        yield "stop_sell"
    if stay.arrives and first.closed_to_arrival:
        yield "closed_to_arrival"
    if stay.leaves and inventory.rules_of(date_after(stay.nights[-1]) or "").closed_to_departure:
        yield "closed_to_departure"
    yield from _of_length(resource, first, stay)
    if stay.arrives:
        yield from _of_notice(first, days_until(stay.nights[0], resource.time_zone, now))
    if any(taken[night].held > resource.limit(inventory.rules_of(night), now) for night in stay.more):
        yield "sold_out"


def _of_length(resource: Resource, first: NightRules, stay: _Stay) -> Iterator[str]:
    least = resource.min_stay if first.min_stay is None else first.min_stay
    if not stay.arrives:
        least = min(least, resource.min_stay)
    if len(stay.nights) < least:
        yield "below_min_stay"
    if stay.more and first.max_stay is not None and len(stay.nights) > first.max_stay:
        yield "above_max_stay"


def _of_notice(first: NightRules, days: int) -> Iterator[str]:
    if first.min_advance_days is not None and days < first.min_advance_days:
        yield "too_short_notice"
    if first.max_advance_days is not None and days > first.max_advance_days:
        yield "too_far_ahead"


def _compared(inventory: Inventory, hold: Hold, taken: Mapping[str, Night]) -> _Stay:
    nights = tuple(taken)
    more = tuple(night for night in nights if taken[night].held > inventory.nights.get(night, _EMPTY).held)
    kept = _kept(inventory.holding)
    if not more:
        return _Stay(nights, more, arrives=False, leaves=False)
    if kept is None or hold.quantity > kept.quantity:
        return _Stay(nights, more, arrives=True, leaves=True)
    return _Stay(nights, more, arrives=kept.slots[0] != nights[0], leaves=kept.slots[-1] != nights[-1])


def _kept(holding: Holding | None) -> HoldRecord | None:
    """What the line holds: of several revisions the newest."""
    live = {number: record for number, record in holding.revisions.items() if record.live} if holding else {}
    return live[max(live)] if live else None
