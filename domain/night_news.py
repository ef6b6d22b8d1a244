"""What the world hears of nights: what is left of each, and where more is held than is for sale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from domain.inventory import Night, Resource
from domain.night_rules import NO_RULES, NightRules
from streams.events.availability import NightOverbooked, NightUpdated

_NONE: Mapping[str, NightRules] = {}


def night_updates(
    resource: Resource, nights: Mapping[str, Night], now: datetime, rules: Mapping[str, NightRules] = _NONE
) -> Iterator[NightUpdated]:
    """What is left of each night. Units within the overbooking limit are not offered as free."""
    for slot, night in nights.items():
        held, blocked = night.held, rules.get(slot, NO_RULES).blocked(now)
        yield NightUpdated(
            provider_id=resource.provider_id,
            product_id=resource.product_id,
            slot=slot,
            capacity=resource.capacity,
            held=held,
            free=max(resource.for_sale(blocked) - held, 0),
            updated_at=now,
            blocked=blocked,
        )


def nights_overbooked(
    resource: Resource, nights: Mapping[str, Night], now: datetime, rules: Mapping[str, NightRules] = _NONE
) -> Iterator[NightOverbooked]:
    for slot, night in nights.items():
        held, own = night.held, rules.get(slot, NO_RULES)
        blocked = own.blocked(now)
        if held > resource.for_sale(blocked):
            yield NightOverbooked(
                provider_id=resource.provider_id,
                product_id=resource.product_id,
                slot=slot,
                capacity=resource.capacity,
                overbooking_limit=resource.overbooking(own),
                held=held,
                detected_at=now,
                blocked=blocked,
            )
