"""One journey under way: what its guest asks of the gateway, and what the tally hears of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any

import orjson

from cli.client import Accepted, Booking, GatewayClient, Refused, Stay, Wish
from cli.tally import Tally
from cli.traffic import Journey, Kind


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often the request of each key is sent: most once, a `share` of them two to five times."""

    seed: int = 0
    share: float = 0.0

    def of(self, key: str) -> int:
        chance = random.Random(f"{self.seed} {key}")
        return chance.randint(1, 4) if chance.random() < self.share else 0


@dataclass(frozen=True, slots=True)
class Notebook:
    """Where a run writes down what it sees."""

    tally: Tally
    journal: IO[bytes] | None = None
    on_confirmed: Callable[[Booking, float], None] = lambda booking, seconds: None
    repeats: Repeats = field(default_factory=Repeats)


@dataclass(slots=True)
class Visit:
    """`key` begins every Idempotency-Key of it. `due` is when its next booking was due, by the loop's clock."""

    client: GatewayClient
    notebook: Notebook
    journey: Journey
    wish: Wish
    key: str
    due: float
    #: What was booked, as it stood when last seen; without those that have no outcome yet.
    bookings: dict[str, Booking] = field(default_factory=dict)
    accepted: Accepted | None = None

    @property
    def stay(self) -> Stay:
        return self.journey.stay

    @property
    def path(self) -> str:
        """The collection of its bookings."""
        return self.wish.path

    async def book(self) -> Booking:
        """Books what it came for; returns with the outcome."""
        return await self.book_also(self.wish, self.key)

    async def book_also(self, wish: Wish, key: str) -> Booking:
        """Books something else, under a key of its own, as another booking of this journey."""
        loop, tally = asyncio.get_running_loop(), self.notebook.tally
        self.accepted = accepted = await self.client.book(wish, key=key)
        tally.accept.append(loop.time() - self.due)
        tally.accepted += 1
        self._note(accepted, key)
        for _ in range(self.notebook.repeats.of(key)):
            again = await self.client.book(wish, key=key)
            self.expect(again == accepted, f"{key}, sent again, was answered with {again}, before with {accepted}")
        booking = await self.client.outcome(self.path, accepted.booking_id)
        seconds = loop.time() - self.due
        tally.confirm.append(seconds)
        if booking.status == "CONFIRMED":
            self.notebook.on_confirmed(booking, seconds)
        return self.stands(booking)

    def stands(self, booking: Booking) -> Booking:
        """Remembers how a booking came to stand."""
        self.bookings[booking.booking_id] = booking
        return booking

    def expect(self, right: bool, otherwise: str) -> None:
        """What the rules do not allow is an error of the run."""
        if not right:
            self.wrong(otherwise)

    def wrong(self, what: str) -> None:
        self.notebook.tally.wrong(f"{self.journey.kind} {self.journey.n}: {what}")

    def _note(self, accepted: Accepted, key: str) -> None:
        """One line per acknowledged booking, in the file before anything else happens to it."""
        if self.notebook.journal is not None:
            line = {"booking_id": accepted.booking_id, "key": key, "time": datetime.now(UTC)}
            number = accepted.confirmation_number
            self.notebook.journal.write(orjson.dumps({**line, "confirmation_number": number}) + b"\n")


#: Travels a journey to its end, and returns its last booking.
Travel = Callable[[Visit], Awaitable[Booking]]
Travels = Mapping[Kind, Travel]


async def book(visit: Visit) -> Booking:
    return await visit.book()


def afterwards(step: Callable[[Visit, Booking], Awaitable[Booking]]) -> Travel:
    """Books, and takes a step with what is CONFIRMED."""

    async def travel(visit: Visit) -> Booking:
        booking = await visit.book()
        return visit.stands(await step(visit, booking)) if booking.status == "CONFIRMED" else booking

    return travel


async def cancel(visit: Visit, booking: Booking) -> Booking:
    return await visit.client.cancel(visit.path, booking.booking_id, "plans changed", key=f"{visit.key}-cancel")


async def unless_refused(visit: Visit, booking: Booking, asked: Mapping[str, Any]) -> Booking:
    """A change may find its nights taken, or its booking not paid yet: then everything stays as it was."""
    try:
        await visit.client.patch(f"{visit.path}/{booking.booking_id}", asked)
    except Refused as refusal:
        if refusal.status != 409:
            raise
    return await visit.client.get(visit.path, booking.booking_id)


#: What every layout's guests may do.
COMMON: Travels = {
    **dict.fromkeys(("book", "decline", "race", "slow", "flaky"), book),
    "cancel": afterwards(cancel),
}
