"""Calendars and blocks as the tests say them; days are counted from 24 December 2026, as in `tests.domain.messages`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from streams.events.night_rules import BlockDue, RemoveBlock, SetBlock, SetCalendar
from tests.domain.messages import night


def on(day: int) -> date:
    return night(day).date()


def set_calendar(start: int = 0, end: int = 1, *, product: str = "double", **rules: Any) -> SetCalendar:
    return SetCalendar(provider_id="hotel", product_id=product, from_date=on(start), to_date=on(end), **rules)


def block(
    units: int = 1,
    start: int = 0,
    end: int = 1,
    *,
    name: str = "boiler",
    release_at: datetime | None = None,
    product: str = "double",
) -> SetBlock:
    return SetBlock(
        provider_id="hotel",
        product_id=product,
        block_id=name,
        from_date=on(start),
        to_date=on(end),
        units=units,
        reason="maintenance" if release_at is None else "group",
        release_at=release_at,
    )


def unblock(name: str = "boiler", product: str = "double") -> RemoveBlock:
    return RemoveBlock(provider_id="hotel", product_id=product, block_id=name)


def due(release_at: datetime, name: str = "boiler", product: str = "double") -> BlockDue:
    return BlockDue(provider_id="hotel", product_id=product, block_id=name, release_at=release_at)
