"""The bookings that are decided: the same for every system, from a seed, and what must come of them."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import orjson

from bench.micro.decision import CAPACITY

RESOURCES = 2_000
#: Partitions of every topic of the pipeline.
PARTITIONS = 4
#: How many bookings ask for one slot of a resource on average: most are accepted, some rows fill up.
PER_ROW = 6
#: Which share of the events is a booking that was sent before.
REPEATED = 0.01
_RECENT = 1_000
_FIRST_NIGHT = date(2026, 7, 1)
_ROOMS = 20


class Booking(NamedTuple):
    """One unit of a resource's slot."""

    number: int
    resource: int
    slot: int

    @property
    def booking_id(self) -> str:
        """As long as a UUID, which is what bookings are called."""
        return f"{self.number:08x}-0000-4000-8000-{self.resource:012x}"

    @property
    def provider_id(self) -> str:
        return f"hotel-{self.resource // _ROOMS:03d}"

    @property
    def product_id(self) -> str:
        return f"room-{self.resource % _ROOMS:02d}"

    @property
    def night(self) -> date:
        return _FIRST_NIGHT + timedelta(self.slot)

    @property
    def row(self) -> tuple[str, str]:
        """The resource and the slot whose row decides it."""
        return f"{self.provider_id}/{self.product_id}", self.night.isoformat()

    @property
    def partition(self) -> int:
        """Where it stands on the input: whatever comes twice comes in the same one."""
        return self.number % PARTITIONS


@dataclass(frozen=True, slots=True)
class Load:
    """So many bookings."""

    events: int
    seed: int

    @property
    def slots(self) -> int:
        """Slots of each resource."""
        return max(1, round(self.events / RESOURCES / PER_ROW))

    def bookings(self) -> Iterator[Booking]:
        """In the order they are sent, the repeated ones among them."""
        chance = random.Random(self.seed)
        slots, recent = self.slots, list[Booking]()
        for number in range(self.events):
            if recent and chance.random() < REPEATED:
                yield chance.choice(recent)
                continue
            booking = Booking(number, chance.randrange(RESOURCES), chance.randrange(slots))
            if len(recent) < _RECENT:
                recent.append(booking)
            else:
                recent[number % _RECENT] = booking
            yield booking

    def reference(self) -> Reference:
        rows: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for booking in self.bookings():
            rows[booking.row].add(booking.booking_id)
        return Reference(self.events, dict(rows))


@dataclass(frozen=True, slots=True)
class Reference:
    """What must come of a load, in whatever order its bookings are decided."""

    #: Sent, the repeated ones included.
    events: int
    #: Row: the bookings that ask for it.
    rows: dict[tuple[str, str], set[str]]

    @property
    def bookings(self) -> int:
        return sum(map(len, self.rows.values()))

    def accepted(self, row: tuple[str, str]) -> int:
        """How many bookings of a row are accepted: each takes one unit."""
        return min(CAPACITY, len(self.rows[row]))


def value_of(booking: Booking, sent: float | None = None) -> bytes:
    """The event as it stands on the input; `sent` in milliseconds since 1970, now if not given."""
    return orjson.dumps(
        {
            "booking_id": booking.booking_id,
            "provider_id": booking.provider_id,
            "product_id": booking.product_id,
            "slot": booking.night.isoformat(),
            "quantity": 1,
            "sent": round(time.time() * 1000 if sent is None else sent, 3),
        }
    )
