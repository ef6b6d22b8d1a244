"""What the promises are counted from: rows as a gateway would read them, and what a record made the world hear."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from streams.events import Event
from tests.lives.life import Lives


def rows_of(lives: Lives, service: str, prefix: str) -> dict[str, Any]:
    rows = lives.processes[service].durable.rows
    return {key: msgspec.json.decode(raw) for key, raw in rows.items() if key.startswith(prefix)}


def heard_by_place(lives: Lives) -> defaultdict[tuple[str, int], list[Event]]:
    """What the world heard because of a record, by its service and offset."""
    found: defaultdict[tuple[str, int], list[Event]] = defaultdict(list)
    for message in lives.heard:
        found[lives.made_by[message.event_id]].append(message.data)
    return found


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()
