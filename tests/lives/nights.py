"""P2 by a shelf of the test's own: what every message of a property said of capacity, rules and blocks, and what the
world heard of its nights; and what became of those who waited.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from streams.events import Event
from streams.events.availability import DeclareResource, NightUpdated
from streams.events.night_rules import RemoveBlock, SetBlock, SetCalendar
from streams.events.waitlist import (
    EntryAccepted,
    EntryExpired,
    EntryJoined,
    EntryLapsed,
    EntryNews,
    EntryOffered,
    EntryWithdrawn,
)
from tests.lives.life import Lives
from tests.lives.rows import heard_by_place, local_date, rows_of


@dataclass
class Shelf:
    """One unit type, by what was said of it so far."""

    capacity: int = 0
    overbooking: int = 0
    blocks: dict[str, SetBlock] = field(default_factory=dict)
    rules: defaultdict[date, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))

    def take(self, message: Event) -> None:
        match message:
            case DeclareResource():
                self.capacity, self.overbooking = message.capacity, message.overbooking_limit
            case SetBlock():
                self.blocks[message.block_id] = message
            case RemoveBlock():
                self.blocks.pop(message.block_id, None)
            case SetCalendar():
                night = message.from_date
                while night < message.to_date:
                    for name in ("stop_sell", "closed_to_arrival", "overbooking_limit"):
                        if getattr(message, name) is not None:
                            self.rules[night][name] = getattr(message, name)
                        if name in message.clears:
                            self.rules[night].pop(name, None)
                    night += timedelta(days=1)

    def blocked(self, night: date, now: datetime) -> int:
        return sum(
            block.units
            for block in self.blocks.values()
            if block.from_date <= night < block.to_date and (block.release_at is None or now < block.release_at)
        )

    def limit(self, night: date, now: datetime) -> int:
        more: int = self.rules[night].get("overbooking_limit", self.overbooking)
        return self.capacity - self.blocked(night, now) + more

    def sells(self, night: date, held: int, now: datetime) -> bool:
        """Whether so many of a night may be held, the last one taken now."""
        return held <= self.limit(night, now) and not self.rules[night].get("stop_sell")


def assert_limits(lives: Lives) -> None:
    """P2: whatever a night holds more than before was for sale when it was taken; and news say what there is."""
    because, shelves = heard_by_place(lives), defaultdict[str, Shelf](Shelf)
    held: Counter[tuple[str, date]] = Counter()
    for record in lives.processes["availability"].inbox:
        shelf = shelves[getattr(record.message.data, "product_id", "")]
        shelf.take(record.message.data)
        for said in because["availability", record.offset]:
            if not isinstance(said, NightUpdated):
                continue
            night = date.fromisoformat(said.slot)
            assert said.held >= 0, said
            assert (said.capacity, said.blocked) == (shelf.capacity, shelf.blocked(night, record.time)), said
            if said.held > held[said.product_id, night]:
                assert shelf.sells(night, said.held, record.time), said
            held[said.product_id, night] = said.held


def assert_nobody_waits_in_vain(lives: Lives, zone: str) -> None:
    """At rest, who waits for nights could not book them."""
    shelves = defaultdict[str, Shelf](Shelf)
    for record in lives.processes["availability"].inbox:
        shelves[getattr(record.message.data, "product_id", "")].take(record.message.data)
    held = {key: row for key, row in rows_of(lives, "availability", "n|").items()}
    for entry in rows_of(lives, "availability", "e|").values():
        if entry.get("status", "WAITING") != "WAITING" or datetime.fromisoformat(entry["until"]) <= lives.now:
            continue
        shelf, local = shelves[entry["product_id"]], ZoneInfo(zone)
        night = first = local_date(datetime.fromisoformat(entry["start"]), local)
        fits = not shelf.rules[first].get("closed_to_arrival")
        while night < local_date(datetime.fromisoformat(entry["end"]), local):
            row = held.get(f"n|hotel/{entry['product_id']}|{night}", {})
            taken = sum(max(revisions.values()) for revisions in row.get("holds", {}).values())
            fits = fits and shelf.sells(night, taken + entry["quantity"], lives.now)
            night += timedelta(days=1)
        assert not fits, entry


def assert_entries(lives: Lives) -> None:
    """Who joined was offered something at most once, ended once, accepted what was offered; and nobody is left."""
    stories: defaultdict[str, list[type[EntryNews]]] = defaultdict(list)
    for message in lives.heard:
        if isinstance(message.data, EntryNews):
            stories[message.data.entry_id].append(type(message.data))
    for joined, *story in stories.values():
        assert joined is EntryJoined
        assert tuple(story) in (
            (EntryLapsed,),
            (EntryWithdrawn,),
            (EntryOffered, EntryAccepted),
            (EntryOffered, EntryExpired),
            (EntryOffered, EntryWithdrawn),
        ), story
    assert rows_of(lives, "availability", "w|") == {}
    for key, resource in rows_of(lives, "availability", "r|").items():
        assert not resource.get("waiting"), resource
        assert resource.get("calendar", 0) == len(rows_of(lives, "availability", f"c{key[1:]}|")), resource
