"""What a declaration decides: a resource's capacity, limits, price and cut of time, from its place in the inbox on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from domain.calendar import Unbookable, current_slot
from domain.decision import Decision
from domain.inventory import Inventory, Night, Resource
from domain.night_news import night_updates, nights_overbooked
from streams.events import Event
from streams.events.availability import DeclareResource, ResourceDeclared
from streams.events.rate import RateUpdated


def declare(inventory: Inventory, message: DeclareResource, now: datetime) -> Decision[Inventory]:
    """The resource as `message` has it, and what that changes for the nights that run or are to come."""
    before = inventory.resource
    declared = _as_declared(message, before.waiting if before is not None else 0)
    if before is None:
        events = (_declaration(declared), _rate(declared, now))
        return Decision(Inventory(declared, inventory.nights, inventory.holding), events)
    nights = _not_over(before, inventory.nights, now)
    after = _keeping_the_cut(before, declared) if nights else declared
    counted = _counted(nights) if after.slots == "none" else {}
    if after == before and not counted:
        return Decision(inventory)
    kept = {**inventory.nights, **counted}
    told = tuple(_changes(before, after, {**nights, **counted}, now))
    if counted and before.capacity == after.capacity:
        told = (*told, *night_updates(after, counted, now))
    return Decision(Inventory(after, kept, inventory.holding), (_declaration(after), *told))


def _counted(nights: Mapping[str, Night]) -> dict[str, Night]:
    """Stock that something was sold of, as it was counted anew: the declaration says what is on hand now."""
    return {slot: night.counted() for slot, night in nights.items() if night.sold}


def _keeping_the_cut(before: Resource, declared: Resource) -> Resource:
    """Time is not cut anew while something is held: a night and the minutes within it would both be sold."""
    return msgspec.structs.replace(declared, slots=before.slots)


def _changes(before: Resource, after: Resource, nights: Mapping[str, Night], now: datetime) -> Iterator[Event]:
    if (before.price_amount, before.price_currency) != (after.price_amount, after.price_currency):
        yield _rate(after, now)
    if before.capacity != after.capacity:
        yield from night_updates(after, nights, now)
    if before.capacity > after.capacity:
        yield from nights_overbooked(after, nights, now)


def _not_over(resource: Resource, nights: Mapping[str, Night], now: datetime) -> Mapping[str, Night]:
    """The nights that run or are to come. All of them where time cannot be cut: then there is no telling."""
    try:
        current = current_slot(resource.slots, resource.time_zone, now)
    except Unbookable:
        return nights
    return {slot: night for slot, night in nights.items() if slot >= current}


def _as_declared(message: DeclareResource, waiting: int) -> Resource:
    return Resource(**msgspec.structs.asdict(message), waiting=waiting)


def _declaration(resource: Resource) -> ResourceDeclared:
    return ResourceDeclared(**{name: getattr(resource, name) for name in ResourceDeclared.__struct_fields__})


def _rate(resource: Resource, now: datetime) -> RateUpdated:
    return RateUpdated(
        provider_id=resource.provider_id,
        product_id=resource.product_id,
        price_amount=resource.price_amount,
        price_currency=resource.price_currency,
        updated_at=now,
    )
