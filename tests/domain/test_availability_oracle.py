"""Inventory against a naive oracle: a plain list of what was accepted, counted from scratch for every question (P2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.events import Event
from streams.events.availability import ConfirmHold, DeclareResource, Hold, NightUpdated, Release
from streams.events.booking import LineRejected, LineReserved
from tests.domain.messages import NOW, confirm_hold, declare, hold, night, release
from tests.domain.services import InventoryMessage, Shelf

PRODUCTS = st.sampled_from(["double", "suite"])
BOOKINGS = st.sampled_from([f"b{number}" for number in range(6)])
REVISIONS, LINES = st.integers(1, 3), st.integers(1, 2)
DAYS = 6


def days_of(message: Hold) -> range:
    return range((message.start - night(0)).days, (message.end - night(0)).days)


@dataclass
class Naive:
    """What the rules say, as slowly and plainly as possible."""

    limits: dict[str, tuple[int, int]] = field(default_factory=dict)
    accepted: list[Hold] = field(default_factory=list)
    #: (product, booking, line) -> revision -> whether its Hold was decided (else only its Release was seen).
    seen: dict[tuple[str, str, int], dict[int, bool]] = field(default_factory=dict)

    def held(self, product: str, day: int, *more: Hold) -> int:
        takers: dict[tuple[str, int], list[int]] = {}
        for taken in (*self.accepted, *more):
            if taken.product_id == product and day in days_of(taken):
                takers.setdefault((taken.booking_id, taken.line), []).append(taken.quantity)
        return sum(max(quantities) for quantities in takers.values())

    def accepts(self, asked: Hold) -> bool | None:
        """True, False, or None for a hold that was decided before."""
        revisions = self.seen.setdefault((asked.product_id, asked.booking_id, asked.line), {})
        if revisions.get(asked.revision):
            return None
        released, superseded = asked.revision in revisions, any(seen > asked.revision for seen in revisions)
        revisions[asked.revision] = True
        if released or superseded or asked.product_id not in self.limits:
            return False
        limit = sum(self.limits[asked.product_id])
        fits = all(self.held(asked.product_id, day, asked) <= limit for day in days_of(asked))
        if fits:
            self.accepted.append(asked)
        return fits

    def release(self, message: Release) -> None:
        name = (message.product_id, message.booking_id, message.line)
        self.seen.setdefault(name, {}).setdefault(message.revision, False)
        self.accepted = [
            taken
            for taken in self.accepted
            if ((taken.product_id, taken.booking_id, taken.line), taken.revision) != (name, message.revision)
        ]


@st.composite
def holds(draw: st.DrawFn) -> Hold:
    start = draw(st.integers(0, DAYS - 1))
    end = draw(st.integers(start + 1, DAYS))
    return hold(
        draw(BOOKINGS),
        draw(REVISIONS),
        draw(LINES),
        night(start),
        night(end),
        quantity=draw(st.integers(1, 3)),
        product=draw(PRODUCTS),
    )


declarations = st.builds(declare, capacity=st.integers(0, 4), overbooking_limit=st.integers(0, 2), product=PRODUCTS)
releases = st.builds(release, BOOKINGS, REVISIONS, LINES, PRODUCTS)
confirmations = st.builds(confirm_hold, BOOKINGS, REVISIONS, LINES, PRODUCTS)
# Few bookings, revisions and nights: so that everything comes twice, out of order, and overlapping in every way.
histories = st.lists(st.one_of(holds(), holds(), releases, confirmations, declarations), min_size=10, max_size=80)


def answer(events: tuple[Event, ...]) -> bool | None:
    """What inventory said to a hold: True, False, or None for nothing."""
    answers = [isinstance(event, LineReserved) for event in events if isinstance(event, LineReserved | LineRejected)]
    assert len(answers) <= 1
    return answers[0] if answers else None


@settings(max_examples=300, deadline=None)
@given(st.builds(declare, capacity=st.integers(1, 4), product=PRODUCTS), histories)
def test_a_hold_is_accepted_exactly_if_a_count_from_scratch_accepts_it(
    first: DeclareResource, history: list[InventoryMessage]
) -> None:
    """HTL-20, P2: and at every acceptance no night is above its capacity plus overbooking limit."""
    shelf, naive = Shelf(), Naive()
    for message in (first, *history):
        events = shelf.take(message, NOW)
        match message:
            case DeclareResource():
                naive.limits[message.product_id] = (message.capacity, message.overbooking_limit)
            case Hold():
                accepted = naive.accepts(message)
                assert answer(events) is accepted
                if accepted:
                    assert_within_limits(shelf, naive, message)
            case Release():
                naive.release(message)
            case ConfirmHold():
                assert events == ()
        assert_same(shelf, naive)
        assert_told(events, naive)
        assert shelf.take(message, NOW) == (), "whatever comes twice says nothing"


def assert_within_limits(shelf: Shelf, naive: Naive, accepted: Hold) -> None:
    for day in days_of(accepted):
        taken = shelf.night(night(day).date().isoformat(), product=accepted.product_id)
        assert taken.held <= sum(naive.limits[accepted.product_id])


def assert_same(shelf: Shelf, naive: Naive) -> None:
    """What is held of every night is what was accepted and not released; an empty night has no row."""
    for product in ("double", "suite"):
        held = {night(day).date().isoformat(): naive.held(product, day) for day in range(DAYS)}
        assert {slot: row.held for slot, row in shelf.nights(product=product).items()} == {
            slot: units for slot, units in held.items() if units
        }


def assert_told(events: tuple[Event, ...], naive: Naive) -> None:
    for event in events:
        if isinstance(event, NightUpdated):
            day = [night(day).date().isoformat() for day in range(DAYS)].index(event.slot)
            assert event.held == naive.held(event.product_id, day)
            assert event.capacity == naive.limits[event.product_id][0]
            assert event.free == max(event.capacity - event.held, 0)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_hundred_requests_for_the_last_unit_of_one_night_sell_it_once(data: st.DataObject) -> None:
    """Their nights overlap in every way, each holds the one in question, and every request may come twice."""
    wanted = data.draw(st.integers(0, DAYS - 1))
    stays = data.draw(
        st.lists(st.tuples(st.integers(0, wanted), st.integers(wanted + 1, DAYS)), min_size=100, max_size=100)
    )
    asked = [hold(f"b{number}", start=night(start), end=night(end)) for number, (start, end) in enumerate(stays)]
    again = data.draw(st.lists(st.sampled_from(asked), max_size=30))
    shelf = Shelf()
    shelf.take(declare(capacity=1), NOW)
    answers = [answer(shelf.take(message, NOW)) for message in data.draw(st.permutations(asked + again))]
    assert (answers.count(True), answers.count(False), answers.count(None)) == (1, 99, len(again))
    assert {row.held for row in shelf.nights().values()} == {1}


@settings(max_examples=100, deadline=None)
@given(st.lists(holds(), min_size=1, max_size=40))
def test_when_everything_is_released_everything_is_free(history: list[Hold]) -> None:
    shelf = Shelf()
    for message in (declare(3, product="double"), declare(3, product="suite"), *history):
        shelf.take(message, NOW)
    for message in history:
        shelf.take(release(message.booking_id, message.revision, message.line, message.product_id), NOW)
    assert shelf.nights(product="double") == shelf.nights(product="suite") == {}
