"""The auditor's naive books agree with what the availability service decides: nights, minutes and stock alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cli.audit.changelog import NightRow
from cli.audit.facts import Declare, Operation, Release, Sale
from cli.audit.facts import Hold as AskedHold
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.inventory import replay
from cli.audit.wire import short
from domain.availability import decide, slots_needed
from domain.inventory import Holding, Inventory, Night, Resource
from streams.events import Event
from streams.events.availability import ConfirmHold, DeclareResource, Hold
from streams.events.availability import Release as Let
from streams.events.booking import LineRejected, LineReserved

WHERE: dict[str, Any] = {"provider_id": "p", "product_id": "u"}
RESOURCE = "p/u"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

_lines = st.tuples(st.sampled_from("abc"), st.integers(1, 2), st.integers(1, 2))
_steps = st.one_of(
    st.tuples(st.just("declare"), st.integers(0, 5), st.integers(0, 1)),
    st.tuples(st.just("hold"), _lines, st.integers(0, 2), st.integers(1, 2), st.integers(1, 3)),
    st.tuples(st.just("sell"), _lines),
    st.tuples(st.just("release"), _lines),
)


class Service:
    """One resource as the service keeps it, and what of it the auditor was told."""

    def __init__(self, slots: Any) -> None:
        self.slots = slots
        self.resource: Resource | None = None
        self.nights: dict[str, Night] = {}
        self.holdings: dict[tuple[str, int], Holding] = {}
        self.history = History()
        self.operations: list[Operation] = []

    def take(self, offset: int, step: Any) -> None:
        match step:
            case ("declare", capacity, over):
                price: dict[str, Any] = {"price_amount": Decimal(1), "price_currency": "EUR"}
                said = DeclareResource(**WHERE, capacity=capacity, overbooking_limit=over, slots=self.slots, **price)
                self._decide(said, ("", 0))
                told = Declare(offset, round(NOW.timestamp() * 1000), RESOURCE, capacity + over, self.slots, "UTC")
                self.operations.append(told)
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
        self.operations.append(AskedHold(offset, event_id, RESOURCE, name, revision, line, *times, quantity))

    def _decide(self, message: Event, line: tuple[str, int]) -> tuple[Event, ...]:
        holding = self.holdings.get(line)
        needed = self.nights if isinstance(message, DeclareResource) else slots_needed(self.resource, holding, message)
        nights = {slot: self.nights[slot] for slot in needed if slot in self.nights}
        decision = decide(Inventory(self.resource, nights, holding), message, NOW)
        self.resource = decision.state.resource
        self.nights |= decision.state.nights
        self.nights = {slot: night for slot, night in self.nights.items() if not night.empty}
        if decision.state.holding is not None:
            self.holdings[line] = decision.state.holding
        return tuple(decision.events)


@given(st.sampled_from(["nights", 60, "none"]), st.lists(_steps, max_size=25))
def test_the_books_are_what_the_service_keeps(slots: Any, steps: list[Any]) -> None:
    service = Service(slots)
    for offset, step in enumerate(steps):
        service.take(offset, step)
    verdict = Verdict("P2", "")

    books = replay(service.history, service.operations, verdict)

    assert verdict.findings == []
    kept = {slot: NightRow(night.holds, night.sold) for slot, night in service.nights.items()}
    assert {slot: NightRow(night.holds, night.sold) for (_, slot), night in books.nights.items()} == kept
