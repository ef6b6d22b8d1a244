"""The three deciding services in memory, with their rows kept as the JSON the tables keep, and `given/when/then`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import msgspec

from domain import availability, booking, payment
from domain.availability import Holding, Inventory, Night, Resource
from domain.booking import Booking
from domain.decision import Decision
from domain.night_rules import NO_RULES, Block, NightRules
from domain.payment import Payment
from domain.property_calendar import nights_touched
from domain.restrictions import rules_needed
from streams.events import Event
from streams.events.availability import ConfirmHold, DeclareResource, Hold, Release, Shorten
from streams.events.night_rules import BlockDue, RemoveBlock, SetBlock, SetCalendar
from tests.domain.messages import NOW

S = TypeVar("S")
V = TypeVar("V", bound="Service")
CalendarMessage = SetCalendar | SetBlock | RemoveBlock | BlockDue
InventoryMessage = DeclareResource | Hold | ConfirmHold | Release | Shorten | CalendarMessage


class Service(Protocol):
    def take(self, message: Event, now: datetime) -> tuple[Event, ...]: ...


class RowOf(Generic[S]):
    """A service that looks at one row at a time, stored as JSON between two messages."""

    def __init__(self, kind: type[S], decide: Callable[[S | None, Event, datetime], Decision[S | None]]) -> None:
        self._kind, self._decide, self._row = kind, decide, b""

    @property
    def found(self) -> S | None:
        return msgspec.json.decode(self._row, type=self._kind) if self._row else None

    @property
    def state(self) -> S:
        state = self.found
        assert state is not None
        return state

    def take(self, message: Event, now: datetime) -> tuple[Event, ...]:
        decision = self._decide(self.found, message, now)
        if decision.state is not None:
            self._row = msgspec.json.encode(decision.state)
            assert self.state == decision.state, "what is stored must be exactly what was decided"
        return decision.events


class Shelf:
    """Every resource's inventory: rows of resources, nights and holdings, read and written as the tables do."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, ...], bytes] = {}

    def resource(self, provider: str = "hotel", product: str = "double") -> Resource | None:
        return self._read(Resource, provider, product, "resource")

    def night(self, slot: str, provider: str = "hotel", product: str = "double") -> Night:
        return self._read(Night, provider, product, "night", slot) or Night()

    def holding(self, booking_id: str, line: int = 1, provider: str = "hotel", product: str = "double") -> Holding:
        return self._read(Holding, provider, product, "hold", f"{booking_id}/{line}") or Holding()

    def nights(self, provider: str = "hotel", product: str = "double") -> dict[str, Night]:
        """All nights with live holds."""
        return self._all(Night, provider, product, "night")

    def rules(self, provider: str = "hotel", product: str = "double") -> dict[str, NightRules]:
        """All nights with rules of their own."""
        return self._all(NightRules, provider, product, "rules")

    def block(self, block_id: str, provider: str = "hotel", product: str = "double") -> Block | None:
        return self._read(Block, provider, product, "block", block_id)

    def take(self, message: Event, now: datetime) -> tuple[Event, ...]:
        if not isinstance(message, InventoryMessage):
            return availability.decide(Inventory(), message, now).events
        before = self._looked_at(message)
        decision = availability.decide(before, message, now)
        self._write(message, before, decision.state)
        return decision.events

    def _looked_at(self, message: InventoryMessage) -> Inventory:
        names = message.provider_id, message.product_id
        resource = self.resource(*names)
        match message:
            case DeclareResource():
                return Inventory(resource, self.nights(*names), rules=self.rules(*names))
            case SetCalendar() | SetBlock() | RemoveBlock() | BlockDue():
                block = None if isinstance(message, SetCalendar) else self.block(message.block_id, *names)
                slots = nights_touched(block, message)
                return self._inventory(resource, names, slots, slots, block=block)
        holding = self._read(Holding, *names, "hold", f"{message.booking_id}/{message.line}")
        slots = availability.slots_needed(resource, holding, message)
        return self._inventory(resource, names, slots, rules_needed(resource, message, slots), holding)

    def _inventory(
        self,
        resource: Resource | None,
        names: tuple[str, str],
        slots: tuple[str, ...],
        ruled: tuple[str, ...],
        holding: Holding | None = None,
        block: Block | None = None,
    ) -> Inventory:
        nights = {slot: self._read(Night, *names, "night", slot) for slot in slots}
        rules = {slot: self._read(NightRules, *names, "rules", slot) for slot in ruled}
        found = {slot: night for slot, night in nights.items() if night}
        return Inventory(resource, found, holding, {slot: own for slot, own in rules.items() if own}, block)

    def _write(self, message: InventoryMessage, before: Inventory, after: Inventory) -> None:
        names = message.provider_id, message.product_id
        if after.resource is not before.resource:
            self._put(after.resource, *names, "resource")
        if after.holding is not before.holding and isinstance(message, Hold | ConfirmHold | Release | Shorten):
            self._put(after.holding, *names, "hold", f"{message.booking_id}/{message.line}")
        if after.block is not before.block and isinstance(message, SetBlock | RemoveBlock | BlockDue):
            self._put_or_drop(after.block, *names, "block", message.block_id)
        for slot, night in after.nights.items():
            if night is not before.nights.get(slot):
                assert not night.empty or night == Night(), "an empty night has nothing left in it"
                self._put_or_drop(None if night.empty else night, *names, "night", slot)
        for slot, rules in after.rules.items():
            if rules is not before.rules.get(slot):
                self._put_or_drop(None if rules == NO_RULES else rules, *names, "rules", slot)

    def _all(self, kind: type[S], provider: str, product: str, what: str) -> dict[str, S]:
        found = {key[3]: self._read(kind, *key) for key in self._rows if key[:3] == (provider, product, what)}
        return {slot: row for slot, row in found.items() if row is not None}

    def _put_or_drop(self, value: object, *key: str) -> None:
        if value is None:
            self._rows.pop(key, None)
        else:
            self._put(value, *key)

    def _read(self, kind: type[S], *key: str) -> S | None:
        row = self._rows.get(key)
        return None if row is None else msgspec.json.decode(row, type=kind)

    def _put(self, value: object, *key: str) -> None:
        self._rows[key] = msgspec.json.encode(value)
        assert msgspec.json.decode(self._rows[key], type=type(value)) == value


def bare(event: Event) -> Event:
    """The event without what it says of its booking beside its own fields."""
    return msgspec.structs.replace(event, about=None) if hasattr(event, "about") else event


@dataclass(frozen=True)
class Story(Generic[V]):
    """`given(what was)` → `.when(what comes)` → `.then(exactly what follows)`."""

    service: V
    events: tuple[Event, ...] = ()

    def when(self, *messages: Event, at: datetime = NOW) -> Story[V]:
        events = [event for message in messages for event in self.service.take(message, at)]
        return Story(self.service, tuple(events))

    def then(self, *expected: Event) -> Story[V]:
        """Exactly this, `about` aside: what goes with every piece of news has tests of its own."""
        assert tuple(map(bare, self.events)) == tuple(map(bare, expected))
        return self

    def then_nothing(self) -> Story[V]:
        return self.then()

    def of(self, *kinds: type[Event]) -> tuple[Event, ...]:
        """What follows of these kinds, where the rest is not the rule in question."""
        return tuple(event for event in self.events if isinstance(event, kinds))


def given_booking(*messages: Event) -> Story[RowOf[Booking]]:
    return Story(RowOf(Booking, booking.decide)).when(*messages)


def given_payment(*messages: Event) -> Story[RowOf[Payment]]:
    return Story(RowOf(Payment, payment.decide)).when(*messages)


def given_shelf(*messages: Event) -> Story[Shelf]:
    return Story(Shelf()).when(*messages)
