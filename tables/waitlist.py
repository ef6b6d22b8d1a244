"""The rows of those who wait for a resource, in the availability service's table, beside the nights they wait for.

Rows: `e|{entry_id}` an entry, also after its end; `w|{resource}|{number}` an open one, in the order of arrival;
`u|{due}|{entry_id}` when it has to be looked at again. How many of a resource wait is in its own row, which every
decision reads anyway: where nobody does, nothing here is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from domain import availability
from domain.decision import Decision
from domain.inventory import Inventory, Resource
from domain.offers import offer_of
from domain.waitlist import (
    MOST_OFFERS,
    Entry,
    EntryStatus,
    accept,
    end,
    held,
    join,
    offer,
    offer_hold,
    offer_release,
)
from streams.events import Event
from streams.events.availability import DeclareResource, Hold, Release, Shorten
from streams.events.booking import LineReserved
from streams.events.night_rules import BlockDue, RemoveBlock, SetBlock, SetCalendar
from streams.events.waitlist import EntryDue, JoinWaitlist, LeaveWaitlist, OfferNights
from streams.keys import KEYS, resource_key
from streams.rows import RowStore
from streams.working import WorkingRows
from tables import due_index

WaitlistMessage = JoinWaitlist | LeaveWaitlist | EntryDue | OfferNights
#: How the availability service reads what a decision on a message looks at, and writes what it became.
Look = Callable[[WorkingRows, Event], Inventory]
Keep = Callable[[WorkingRows, Event, Inventory, Inventory], None]


class Open(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place in the order of arrival."""

    entry_id: str
    offered: bool = False


class Due(msgspec.Struct, frozen=True):
    """An entry that has to be looked at, and where it is."""

    entry_id: str
    provider_id: str
    product_id: str


def concerned(before: Inventory, after: Inventory) -> bool:
    """Whether a decision on nights may mean something to somebody who waits, or has an offer."""
    waiting = after.resource is not None and after.resource.waiting > 0
    return waiting or offer_of(before.holding) is not None


class Waitlist:
    """Decides entries on their rows. `most`: how many offers one decision makes; the rest is asked for once more."""

    def __init__(self, rows: WorkingRows, look: Look, keep: Keep, now: datetime, most: int = MOST_OFFERS) -> None:
        self._rows, self._look, self._keep, self._now, self._most = rows, look, keep, now, most

    def decide(self, message: WaitlistMessage) -> Iterator[Event]:
        """What is asked of an entry, and what follows for those after it."""
        match message:
            case JoinWaitlist():
                yield from self._join(message)
            case LeaveWaitlist() | EntryDue():
                yield from self._end(message)
            case OfferNights():
                yield from self._offer(KEYS["resource"](message), None)

    def follow(self, message: Event, before: Inventory, after: Inventory) -> Iterator[Event]:
        """What a decision on nights means for those who wait for some."""
        match message:
            case Hold() if offer_of(before.holding) is not None and offer_of(after.holding) is None:
                entry = self._rows.get(entry_key(message.booking_id), Entry)
                if entry is not None:
                    yield from self._take(entry, accept(entry, self._now))
            case Release() | Shorten():
                yield from self._offer(KEYS["resource"](message), _freed(before, after))
            case SetCalendar() | SetBlock() | RemoveBlock() | BlockDue():
                yield from self._offer(KEYS["resource"](message), None)
            case DeclareResource() if after.resource is not before.resource:
                yield from self._offer(KEYS["resource"](message), None)

    def _join(self, asked: JoinWaitlist) -> Iterator[Event]:
        if self._rows.get(entry_key(asked.entry_id), Entry) is not None:
            return  # decided before
        key, hold = KEYS["resource"](asked), offer_hold(asked)
        places = [name for name, _ in self._rows.scan(open_prefix(key), Open)]
        number = int(places[-1].rpartition("|")[2]) + 1 if places else 1
        before = self._look(self._rows, hold)
        answer = availability.decide(before, hold, self._now).events
        yield from self._take(None, join(asked, before.resource, number, len(places), answer, self._now))

    def _end(self, message: LeaveWaitlist | EntryDue) -> Iterator[Event]:
        entry = self._rows.get(entry_key(message.entry_id), Entry)
        if entry is None:
            return
        ended = end(entry, message, self._now)
        yield from self._take(entry, ended)
        if ended.state is not entry and entry.status is EntryStatus.OFFERED:
            release = offer_release(entry)
            before = self._look(self._rows, release)
            decision = availability.decide(before, release, self._now)
            self._keep(self._rows, release, before, decision.state)
            yield from decision.events
            yield from self._offer(KEYS["resource"](message), _freed(before, decision.state))

    def _offer(self, resource: str, freed: frozenset[str] | None) -> Iterator[Event]:
        """Offers to those who wait, in the order they came, what fits each; only nights of `freed` may have become
        free, or of None any. Who does not fit is passed over, and keeps the place.
        """
        made = 0
        for _, place in self._rows.scan(open_prefix(resource), Open):
            entry = self._rows.get(entry_key(place.entry_id), Entry)
            if place.offered or entry is None or not entry.waits(self._now):
                continue
            hold = offer_hold(entry)
            if freed is not None and freed.isdisjoint(self._nights_of(resource, hold)):
                continue  # before its rows are read: most who wait do so for other nights
            before = self._look(self._rows, hold)
            decision = availability.decide(before, hold, self._now)
            if not held(decision.events):
                continue
            if made == self._most:
                yield OfferNights(provider_id=entry.provider_id, product_id=entry.product_id)
                return
            made += 1
            self._keep(self._rows, hold, before, decision.state)
            yield from self._take(entry, offer(entry, self._now))
            yield from (event for event in decision.events if not isinstance(event, LineReserved))

    def _nights_of(self, resource: str, hold: Hold) -> tuple[str, ...]:
        return availability.slots_needed(self._rows.get(f"r|{resource}", Resource), None, hold)

    def _take(self, before: Entry | None, decision: Decision[Entry]) -> Iterator[Event]:
        """Writes the entry where it changed: its row, its place, when it is due, and how many wait."""
        after = decision.state
        if after is not before:
            self._rows.put(entry_key(after.entry_id), after)
            self._place(before, after)
        _keep_due(self._rows, before, after)
        yield from decision.events

    def _place(self, before: Entry | None, after: Entry) -> None:
        key = resource_key(after.provider_id, after.product_id)
        name = f"{open_prefix(key)}{after.number:012}"
        if after.status.open:
            self._rows.put(name, Open(after.entry_id, after.status is EntryStatus.OFFERED))
        elif before is not None:
            self._rows.delete(name)
        more = (after.status is EntryStatus.WAITING) - (before is not None and before.status is EntryStatus.WAITING)
        resource = self._rows.get(f"r|{key}", Resource)
        if more and resource is not None:
            self._rows.put(f"r|{key}", msgspec.structs.replace(resource, waiting=resource.waiting + more))


def _freed(before: Inventory, after: Inventory) -> frozenset[str]:
    return frozenset(slot for slot, night in after.nights.items() if night is not before.nights.get(slot))


def _keep_due(rows: WorkingRows, before: Entry | None, after: Entry) -> None:
    due_index.move(
        rows,
        lambda due: f"u|{due_index.instant(due)}|{after.entry_id}",
        lambda due: Due(after.entry_id, after.provider_id, after.product_id),
        before.due if before is not None else None,
        after.due,
        # Of an entry that has ended nothing is due.
        ticked=(after.until, after.offer_until) if after.due is None and after is before else (),
    )


def entry_key(entry_id: str) -> str:
    """The key of an entry's row; nothing else's begins with it."""
    return f"e|{entry_id}|"


def open_prefix(resource: str) -> str:
    """What the keys of a resource's open places begin with, in their order."""
    return f"w|{resource}|"


def due(store: RowStore, partition: int, now: datetime, most: int) -> Sequence[Due]:
    """The entries of a partition to be looked at by now, the longest over first, at most `most`."""
    return [msgspec.json.decode(raw, type=Due) for raw in due_index.over(store, partition, "u|", now, most)]
