"""The decision that every system of the comparison makes, against a plain count of who came first."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.micro.decision import CAPACITY, Row, decide
from bench.micro.load import Load

bookings = st.lists(st.integers(0, 3 * CAPACITY).map(str), max_size=60)


@given(bookings)
def test_the_first_ones_are_accepted_as_long_as_there_is_room(asked: list[str]) -> None:
    row: Row | None = None
    for booking in asked:
        changed, _, _ = decide(row, booking, 1)
        row = changed or row
    first = list(dict.fromkeys(asked))[:CAPACITY]
    assert list(row["bookings"] if row else ()) == first


@given(bookings)
def test_a_booking_that_comes_again_is_told_the_same(asked: list[str]) -> None:
    row: Row | None = None
    told: dict[str, tuple[str, int]] = {}
    for booking in asked:
        changed, outcome, left = decide(row, booking, 1)
        row = changed or row
        assert told.setdefault(booking, (outcome, left)) == (outcome, left)


@given(bookings, st.integers(1, CAPACITY))
def test_never_more_is_held_than_there_is(asked: list[str], quantity: int) -> None:
    row: Row | None = None
    for booking in asked:
        changed, outcome, left = decide(row, booking, quantity)
        assert (changed is None) == (outcome == "refused" or (row is not None and booking in row["bookings"]))
        row = changed or row
        assert 0 <= left < CAPACITY or outcome == "refused"
        assert row is None or row["held"] == quantity * len(row["bookings"]) <= CAPACITY


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 2_000), st.integers(0, 5))
def test_a_load_is_the_same_every_time_and_its_reference_counts_it(events: int, seed: int) -> None:
    load = Load(events, seed)
    sent = list(load.bookings())
    reference = load.reference()
    assert sent == list(load.bookings())
    assert (len(sent), reference.bookings) == (events, len({booking.booking_id for booking in sent}))
    asked = {booking.booking_id: booking.row for booking in sent}
    assert asked == {booking: row for row, bookings in reference.rows.items() for booking in bookings}
