"""What a property's calendar and blocks decide: the rules of single nights, from their place in the inbox on.

They apply to holds that come after; what is held stays. Only what is sold by the night has them: a message for anything
else, or for no nights, changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, get_args

import msgspec

from domain.calendar import Unbookable, nights_between
from domain.decision import Decision
from domain.declaration import declaration_of, not_over
from domain.inventory import Inventory, Night, Resource
from domain.night_news import night_updates, nights_overbooked
from domain.night_rules import NO_RULES, Block, Blocked, NightRules
from streams.events import Event
from streams.events.night_rules import BlockDue, RemoveBlock, RuleName, SetBlock, SetCalendar, Weekday

CalendarMessage = SetCalendar | SetBlock | RemoveBlock | BlockDue
_WEEKDAYS: tuple[str, ...] = get_args(Weekday)
_RULES: tuple[str, ...] = get_args(RuleName)
#: How many blocks may stand on one night: bounds its row, which every hold on it reads.
MOST_BLOCKS = 50
#: What a rule is where nobody set it.
_CLEARED = {name: getattr(NO_RULES, name) for name in _RULES}


def nights_touched(block: Block | None, message: CalendarMessage) -> tuple[str, ...]:
    """The nights a decision on `message` looks at, to be read before it; `block` is the one it names, as it stands."""
    match message:
        case SetCalendar():
            return _nights_of(message)
        case SetBlock():
            return tuple(sorted({*_nights_of(block), *_nights_of(message)}))
        case _:
            return _nights_of(block)


def set_calendar(inventory: Inventory, message: SetCalendar) -> Decision[Inventory]:
    """The nights' rules as `message` has them: all of its nights at once."""
    resource = inventory.resource
    if resource is None or resource.slots != "nights":
        return Decision(inventory)
    said = {name: value for name in _RULES if (value := getattr(message, name)) is not None}
    changes: dict[str, Any] = said | {name: _CLEARED[name] for name in message.clears}
    rules = {night: msgspec.structs.replace(inventory.rules_of(night), **changes) for night in _nights_of(message)}
    return _ruled(inventory, resource, rules)


def set_block(inventory: Inventory, message: SetBlock, now: datetime) -> Decision[Inventory]:
    """The block as `message` has it, in place of what it was, and what that leaves of its nights. Nothing, where one of
    them has as many blocks as there may be.
    """
    resource = inventory.resource
    if resource is None or resource.slots != "nights" or not _nights_of(message):
        return Decision(inventory)
    period = message.from_date, message.to_date
    block = Block(message.block_id, *period, message.units, message.reason, message.release_at)
    before = inventory.block
    if before is not None and block == msgspec.structs.replace(before, released=False):
        return Decision(inventory)
    if any(len(_without(inventory.rules_of(night), block).blocks) >= MOST_BLOCKS for night in _nights_of(block)):
        return Decision(inventory)
    return _blocked(inventory, resource, block, now)


def remove_block(inventory: Inventory, now: datetime) -> Decision[Inventory]:
    """Without the block: its units are for sale again."""
    if inventory.resource is None or inventory.block is None:
        return Decision(inventory)
    return _blocked(inventory, inventory.resource, None, now)


def release_block(inventory: Inventory, now: datetime) -> Decision[Inventory]:
    """The block's nights without it, and the world told, once its time has come: it took nothing since then."""
    resource, block = inventory.resource, inventory.block
    if resource is None or block is None or block.waits_for is None or now < block.waits_for:
        return Decision(inventory)
    freed = {night: _without(inventory.rules_of(night), block) for night in _nights_of(block)}
    ruled = _ruled(inventory, resource, freed)
    nights = not_over(resource, {night: inventory.nights.get(night, Night()) for night in freed}, now)
    after = msgspec.structs.replace(block, released=True)
    told = night_updates(resource, nights, now, ruled.state.rules)
    return Decision(dataclasses.replace(ruled.state, block=after), (*ruled.events, *told))


def _blocked(inventory: Inventory, resource: Resource, block: Block | None, now: datetime) -> Decision[Inventory]:
    before = inventory.block
    rules = {night: _without(inventory.rules_of(night), before) for night in _nights_of(before)}
    if block is not None:
        rules |= {night: _with(rules.get(night) or inventory.rules_of(night), block) for night in _nights_of(block)}
    ruled = _ruled(inventory, resource, rules)
    after = dataclasses.replace(ruled.state, block=block)
    return Decision(after, (*ruled.events, *_told(inventory, after, resource, rules, now)))


def _ruled(inventory: Inventory, resource: Resource, rules: Mapping[str, NightRules]) -> Decision[Inventory]:
    """These rules in the place of what they were, and how many nights have any: gateways hear of the first and last."""
    changed = {night: own for night, own in rules.items() if own != inventory.rules_of(night)}
    if not changed:
        return Decision(inventory)
    more = sum((own != NO_RULES) - (inventory.rules_of(night) != NO_RULES) for night, own in changed.items())
    after = msgspec.structs.replace(resource, calendar=resource.calendar + more) if more else resource
    told = (declaration_of(after),) if bool(after.calendar) != bool(resource.calendar) else ()
    return Decision(dataclasses.replace(inventory, resource=after, rules={**inventory.rules, **changed}), told)


def _told(
    before: Inventory, after: Inventory, resource: Resource, touched: Iterable[str], now: datetime
) -> Iterator[Event]:
    """What is left of the nights of which more or less is blocked now; those that are over aside."""
    more = {night: after.rules_of(night).blocked(now) - before.rules_of(night).blocked(now) for night in touched}
    changed = {night: before.nights.get(night, Night()) for night in sorted(touched) if more[night]}
    nights = not_over(resource, changed, now)
    yield from night_updates(resource, nights, now, after.rules)
    tighter = {night: taken for night, taken in nights.items() if more[night] > 0}
    yield from nights_overbooked(resource, tighter, now, after.rules)


def _without(rules: NightRules, block: Block | None) -> NightRules:
    left = {name: taken for name, taken in rules.blocks.items() if block is None or name != block.block_id}
    return msgspec.structs.replace(rules, blocks=left)


def _with(rules: NightRules, block: Block) -> NightRules:
    taken = {block.block_id: Blocked(block.units, block.release_at)}
    return msgspec.structs.replace(rules, blocks=rules.blocks | taken)


def _nights_of(period: Block | SetCalendar | SetBlock | None) -> tuple[str, ...]:
    """The nights of a period, none where it has none or too many."""
    if period is None:
        return ()
    try:
        nights = nights_between(period.from_date, period.to_date)
    except Unbookable:
        return ()
    if not isinstance(period, SetCalendar) or not period.weekdays:
        return nights
    return tuple(night for night in nights if weekday_of(night) in period.weekdays)


def weekday_of(night: str) -> str:
    """ "2026-12-24" -> "thu"."""
    return _WEEKDAYS[date.fromisoformat(night).weekday()]
