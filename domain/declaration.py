"""What a declaration decides: a resource's capacity, limits, price and cut of time, from its place in the inbox on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TypeVar

import msgspec

from domain.calendar import Unbookable, current_slot
from domain.decision import Decision
from domain.inventory import Inventory, Night, Resource
from domain.night_news import night_updates, nights_overbooked
from domain.night_rules import NightRules
from streams.events import Event
from streams.events.availability import DeclareResource, ResourceDeclared
from streams.events.rate import RateUpdated

R = TypeVar("R")
#: What a resource's row counts for its own sake.
_OURS = frozenset({"calendar", "waiting"})


def declare(inventory: Inventory, message: DeclareResource, now: datetime) -> Decision[Inventory]:
    """The resource as `message` has it, and what that changes for the nights that run or are to come."""
    before, declared = inventory.resource, Resource(**msgspec.structs.asdict(message))
    if before is None:
        events = (declaration_of(declared), _rate(declared, now))
        return Decision(Inventory(declared, inventory.nights, inventory.holding), events)
    declared = msgspec.structs.replace(declared, calendar=before.calendar, waiting=before.waiting)
    nights, rules = not_over(before, inventory.nights, now), not_over(before, inventory.rules, now)
    after = _keeping_the_cut(before, declared) if nights or rules else declared
    counted = _counted(nights) if after.slots == "none" else {}
    if after == before and not counted:
        return Decision(inventory)
    kept = {**inventory.nights, **counted}
    blocked = {slot: Night() for slot, own in rules.items() if own.blocked(now)}
    told = tuple(_changes(before, after, blocked | {**nights, **counted}, rules, now))
    if counted and before.capacity == after.capacity:
        told = (*told, *night_updates(after, counted, now))
    return Decision(Inventory(after, kept, inventory.holding, inventory.rules), (declaration_of(after), *told))


def declaration_of(resource: Resource) -> ResourceDeclared:
    """What gateways are told of a resource."""
    told = {name: value for name, value in msgspec.structs.asdict(resource).items() if name not in _OURS}
    return ResourceDeclared(has_calendar=bool(resource.calendar), **told)


def _counted(nights: Mapping[str, Night]) -> dict[str, Night]:
    """Stock that something was sold of, as it was counted anew: the declaration says what is on hand now."""
    return {slot: night.counted() for slot, night in nights.items() if night.sold}


def _keeping_the_cut(before: Resource, declared: Resource) -> Resource:
    """Time is not cut anew while something is held: a night and the minutes within it would both be sold. Nor while
    nights have rules: minutes have none, and what was blocked would be sold."""
    return msgspec.structs.replace(declared, slots=before.slots)


def _changes(
    before: Resource, after: Resource, nights: Mapping[str, Night], rules: Mapping[str, NightRules], now: datetime
) -> Iterator[Event]:
    if (before.price_amount, before.price_currency) != (after.price_amount, after.price_currency):
        yield _rate(after, now)
    if before.capacity != after.capacity:
        yield from night_updates(after, nights, now, rules)
    if before.capacity > after.capacity:
        yield from nights_overbooked(after, nights, now, rules)


def not_over(resource: Resource, nights: Mapping[str, R], now: datetime) -> Mapping[str, R]:
    """What is known of nights that run or are to come. Of all where time cannot be cut: then there is no telling."""
    try:
        current = current_slot(resource.slots, resource.time_zone, now)
    except Unbookable:
        return nights
    return {slot: night for slot, night in nights.items() if slot >= current}


def _rate(resource: Resource, now: datetime) -> RateUpdated:
    return RateUpdated(
        provider_id=resource.provider_id,
        product_id=resource.product_id,
        price_amount=resource.price_amount,
        price_currency=resource.price_currency,
        updated_at=now,
    )
