"""What the world hears of nights: what is left of each, and where more is held than there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from domain.inventory import Night, Resource
from streams.events.availability import NightOverbooked, NightUpdated


def night_updates(resource: Resource, nights: Mapping[str, Night], now: datetime) -> Iterator[NightUpdated]:
    """What is left of each night. Units within the overbooking limit are not offered as free."""
    for slot, night in nights.items():
        held = night.held
        yield NightUpdated(
            provider_id=resource.provider_id,
            product_id=resource.product_id,
            slot=slot,
            capacity=resource.capacity,
            held=held,
            free=max(resource.capacity - held, 0),
            updated_at=now,
        )


def nights_overbooked(resource: Resource, nights: Mapping[str, Night], now: datetime) -> Iterator[NightOverbooked]:
    for slot, night in nights.items():
        held = night.held
        if held > resource.capacity:
            yield NightOverbooked(
                provider_id=resource.provider_id,
                product_id=resource.product_id,
                slot=slot,
                capacity=resource.capacity,
                overbooking_limit=resource.overbooking_limit,
                held=held,
                detected_at=now,
            )
