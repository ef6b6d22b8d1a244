"""Stock: what is not cut in time is held, sold, counted anew and given back (ORD-04)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.events import Event
from streams.events.availability import ConfirmHold, DeclareResource, Hold, Release
from streams.events.booking import LineReserved
from tests.domain.messages import NOW, confirm_hold, declare, hold, rejected, release
from tests.domain.services import Shelf, Story, given_shelf


def stock(quantity: int) -> DeclareResource:
    return declare(quantity, slots="none")


def bought(booking: str, quantity: int = 1) -> Hold:
    return hold(booking, start=NOW, end=NOW + timedelta(seconds=1), quantity=quantity)


def on_hand(story: Story[Shelf]) -> int:
    resource = story.service.resource()
    assert resource is not None
    return resource.capacity - story.service.night("stock").held


@pytest.mark.proves("ORD-04")
def test_the_last_item_is_sold_once() -> None:
    story = given_shelf(stock(1), bought("b1"))
    assert rejected("sold_out", "b2") in story.when(bought("b2")).events


def test_what_is_confirmed_is_sold_and_leaves_no_trace_but_a_sum() -> None:
    story = given_shelf(stock(3), bought("b1", 2), confirm_hold("b1"))
    night = story.service.night("stock")
    assert (night.sold, night.holds, night.pending) == (2, {}, ())
    assert on_hand(story) == 1


def test_a_sale_that_is_cancelled_gives_the_items_back() -> None:
    story = given_shelf(stock(3), bought("b1", 2), confirm_hold("b1"), release("b1"))
    assert on_hand(story) == 3
    assert not story.service.nights(), "an empty shelf has no row"


def test_a_count_says_what_is_on_hand_now() -> None:
    """What was sold before it is not on it any more; what is only held still is."""
    story = given_shelf(stock(3), bought("b1", 2), confirm_hold("b1"), bought("b2"))
    counted = story.when(stock(3))
    assert on_hand(counted) == 2
    assert story.when(release("b1")).service.night("stock").sold == -2, "more came back than was sold since"


def test_a_count_that_changes_nothing_says_nothing() -> None:
    given_shelf(stock(3), bought("b1")).when(stock(3)).then_nothing()


def test_an_item_that_was_sold_cannot_be_taken_again_under_the_same_booking() -> None:
    given_shelf(stock(3), bought("b1"), confirm_hold("b1")).when(bought("b1")).then_nothing()


def test_confirmed_units_of_stock_are_those_sold() -> None:
    night = given_shelf(stock(3), bought("b1", 2), confirm_hold("b1"), bought("b2")).service.night("stock")
    assert (night.confirmed, night.held) == (2, 3)


class Naive:
    """A shelf as a shopkeeper keeps it: a pile, and slips for what is put aside."""

    def __init__(self) -> None:
        self.pile = 0
        self.aside: dict[str, int] = {}
        self.sold: dict[str, int] = {}
        self.over: set[str] = set()

    def take(self, message: Event) -> bool | None:
        match message:
            case DeclareResource():
                self.pile = message.capacity
            case Hold(booking_id=name) if name in self.aside or name in self.sold or name in self.over:
                return None
            case Hold(booking_id=name):
                fits = sum(self.aside.values()) + message.quantity <= self.pile
                if fits:
                    self.aside[name] = message.quantity
                else:
                    self.over.add(name)
                return fits
            case ConfirmHold(booking_id=name) if name in self.aside:
                self.sold[name] = self.aside.pop(name)
                self.pile -= self.sold[name]
            case Release(booking_id=name) if name in self.sold:
                self.pile += self.sold.pop(name)
                self.over.add(name)
            case Release(booking_id=name) if name in self.aside:
                del self.aside[name]
                self.over.add(name)
        return None


names = st.sampled_from([f"b{number}" for number in range(8)])
histories: Any = st.lists(
    st.one_of(
        st.builds(bought, names, st.integers(1, 3)),
        st.builds(bought, names, st.integers(1, 3)),
        st.builds(confirm_hold, names),
        st.builds(stock, st.integers(0, 6)),
    ),
    min_size=5,
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 6), histories, st.lists(names, max_size=8))
def test_a_sale_is_accepted_exactly_if_the_pile_allows_it(first: int, history: list[Event], back: list[str]) -> None:
    shelf, naive = Shelf(), Naive()
    for message in (stock(first), *history, *map(release, back)):
        if isinstance(message, Release) and message.booking_id not in {*naive.aside, *naive.sold, *naive.over}:
            continue
        events = shelf.take(message, NOW)
        expected = naive.take(message)
        if isinstance(message, Hold):
            answers = [isinstance(event, LineReserved) for event in events if event.event_type.startswith("booking.")]
            assert answers == ([] if expected is None else [expected])
        resource = shelf.resource()
        assert resource is not None
        assert resource.capacity - shelf.night("stock").held == naive.pile - sum(naive.aside.values())
