"""The auditor's naive books agree with what the availability service decides: nights, minutes and stock alike, and
whatever calendars and blocks say of the nights."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cli.audit import names
from cli.audit.changelog import NightRow
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.inboxes import FILING
from cli.audit.inventory import replay
from cli.audit.operations import Declare, Operation, Release, Sale
from cli.audit.operations import Hold as AskedHold
from cli.audit.wire import Letter, Record, short
from domain.availability import decide, slots_needed
from domain.inventory import Holding, Inventory, Night, Resource
from domain.night_rules import NO_RULES, Block, NightRules
from domain.property_calendar import nights_touched
from domain.restrictions import rules_needed
from streams.events import ENCODER, Event
from streams.events.availability import ConfirmHold, DeclareResource, Hold
from streams.events.availability import Release as Let
from streams.events.booking import LineRejected, LineReserved
from streams.events.night_rules import BlockDue, RemoveBlock, SetBlock, SetCalendar

WHERE: dict[str, Any] = {"provider_id": "p", "product_id": "u"}
RESOURCE = "p/u"
_BLOCK: dict[str, Any] = {"block_id": "boiler"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)

_lines = st.tuples(st.sampled_from("abc"), st.integers(1, 2), st.integers(1, 2))
_period = st.tuples(st.integers(0, 3), st.integers(1, 3))
_steps = st.one_of(
    st.tuples(st.just("declare"), st.integers(0, 5), st.integers(0, 1)),
    st.tuples(st.just("hold"), _lines, st.integers(0, 2), st.integers(1, 2), st.integers(1, 3)),
    st.tuples(st.just("sell"), _lines),
    st.tuples(st.just("release"), _lines),
    st.tuples(st.just("calendar"), _period, st.sampled_from([0, 1, 2, None])),
    st.tuples(st.just("stop"), _period, st.booleans()),
    st.tuples(st.just("block"), _period, st.integers(1, 3), st.none() | st.integers(0, 40)),
    st.tuples(st.just("unblock")),
    st.tuples(st.just("due")),
)


class Service:
    """One resource as the service keeps it, and what of it the auditor was told."""

    def __init__(self, slots: Any) -> None:
        self.slots = slots
        self.resource: Resource | None = None
        self.nights: dict[str, Night] = {}
        self.holdings: dict[tuple[str, int], Holding] = {}
        self.rules: dict[str, NightRules] = {}
        self.block: Block | None = None
        self.now = NOW
        self.history = History()
        self.operations: list[Operation] = []

    @property
    def at(self) -> int:
        return round(self.now.timestamp() * 1000)

    def take(self, offset: int, step: Any) -> None:
        self.now = NOW + timedelta(hours=offset)
        match step:
            case ("declare", capacity, over):
                price: dict[str, Any] = {"price_amount": Decimal(1), "price_currency": "EUR"}
                said = DeclareResource(**WHERE, capacity=capacity, overbooking_limit=over, slots=self.slots, **price)
                self._decide(said, ("", 0))
                self.operations.append(Declare(offset, self.at, RESOURCE, capacity, over, self.slots, "UTC"))
            case ("calendar", (start, nights), over):
                rules = _calendar(start, nights, overbooking_limit=over, clears=("overbooking_limit",) * (over is None))
                self._said(rules, "availability.calendar.set", offset)
            case ("stop", (start, nights), stop):
                self._said(_calendar(start, nights, stop_sell=stop), "availability.calendar.set", offset)
            case ("block", (start, nights), units, hour):
                release = None if hour is None else NOW + timedelta(hours=hour, microseconds=1)
                block = SetBlock(**_nights(start, nights), **_BLOCK, units=units, reason="group", release_at=release)
                self._said(block, "availability.block.set", offset)
            case ("unblock",):
                self._said(RemoveBlock(**WHERE, **_BLOCK), "availability.block.remove", offset)
            case ("due",):
                self._said(BlockDue(**WHERE, **_BLOCK, release_at=self.now), "availability.block.due", offset)
            case ("hold", (name, line, revision), start, nights, quantity):
                begin = NOW + timedelta(days=start)
                end = begin + timedelta(days=nights)
                at = {"booking_id": name, "revision": revision, "line": line}
                events = self._decide(Hold(**WHERE, **at, start=begin, end=end, quantity=quantity), (name, line))
                self._asked(offset, events, name, revision, line, begin, end, quantity)
            case (what, (name, line, revision)):
                at = {"booking_id": name, "revision": revision, "line": line}
                self._decide((ConfirmHold if what == "sell" else Let)(**WHERE, **at), (name, line))
                ended = Sale if what == "sell" else Release
                self.operations.append(ended(offset, RESOURCE, name, revision, line))

    def _asked(self, offset: int, events: tuple[Event, ...], *of: Any) -> None:
        name, revision, line, begin, end, quantity = of
        event_id = f"hold-{offset}"
        for event in events:
            if isinstance(event, LineReserved | LineRejected):
                answer = "reserved" if isinstance(event, LineReserved) else "rejected"
                self.history.hold_answers[short(event_id)].add(answer)
        times = begin.isoformat(), end.isoformat()
        asked = AskedHold(offset, event_id, RESOURCE, name, revision, line, *times, quantity, at=self.at)
        self.operations.append(asked)

    def _said(self, message: Event, kind: str, offset: int) -> None:
        """Decided, and filed by the auditor as it stands on the log."""
        self._decide(message, ("", 0))
        record = Record(names.AVAILABILITY_INBOX, 0, offset, self.at, b"", b"", ())
        letter = Letter("", kind, None, json.loads(ENCODER.encode(message)))
        FILING[names.AVAILABILITY_INBOX, kind](self.history, record, letter)
        self.operations.append(self.history.inventory[0].pop())

    def _decide(self, message: Event, line: tuple[str, int]) -> tuple[Event, ...]:
        holding, block = self.holdings.get(line), None
        match message:
            case DeclareResource():
                slots: tuple[str, ...] = tuple(self.nights)
                ruled: tuple[str, ...] = tuple(self.rules)
            case SetCalendar() | SetBlock() | RemoveBlock() | BlockDue():
                block = None if isinstance(message, SetCalendar) else self.block
                slots = ruled = nights_touched(block, message)
            case _:
                slots = slots_needed(self.resource, holding, message)
                ruled = rules_needed(self.resource, message, slots)
        nights = {slot: self.nights[slot] for slot in slots if slot in self.nights}
        rules = {slot: self.rules[slot] for slot in ruled if slot in self.rules}
        decision = decide(Inventory(self.resource, nights, holding, rules, block), message, self.now)
        self.resource = decision.state.resource
        self.nights |= decision.state.nights
        self.nights = {slot: night for slot, night in self.nights.items() if not night.empty}
        self.rules |= decision.state.rules
        self.rules = {slot: own for slot, own in self.rules.items() if own != NO_RULES}
        if isinstance(message, SetBlock | RemoveBlock | BlockDue):
            self.block = decision.state.block
        if decision.state.holding is not None:
            self.holdings[line] = decision.state.holding
        return tuple(decision.events)


def _nights(start: int, nights: int) -> dict[str, Any]:
    first = NOW.date() + timedelta(days=start)
    return {**WHERE, "from_date": first, "to_date": first + timedelta(days=nights)}


def _calendar(start: int, nights: int, **rules: Any) -> SetCalendar:
    return SetCalendar(**_nights(start, nights), **rules)


@given(st.sampled_from(["nights", 60, "none"]), st.lists(_steps, max_size=40))
def test_the_books_are_what_the_service_keeps(slots: Any, steps: list[Any]) -> None:
    service = Service(slots)
    for offset, step in enumerate(steps):
        service.take(offset, step)
    verdict = Verdict("P2", "")

    books = replay(service.history, service.operations, verdict)

    assert verdict.findings == []
    kept = {slot: NightRow(night.holds, night.sold) for slot, night in service.nights.items()}
    assert {slot: NightRow(night.holds, night.sold) for (_, slot), night in books.nights.items()} == kept
