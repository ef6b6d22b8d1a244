"""Whether a hold fits, what a release frees, what a declaration changes: one rule each (HTL-20, HTL-03)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from domain.availability import Holding, HoldRecord, Inventory, Night, decide
from streams.events import Event
from streams.events.availability import NightOverbooked, NightUpdated, ResourceDeclared
from streams.events.booking import LineRejected, LineReserved
from streams.events.rate import RateUpdated
from tests.domain.messages import (
    NOW,
    cancel,
    confirm_hold,
    declare,
    hold,
    night,
    rejected,
    release,
    reserved,
)
from tests.domain.services import given_shelf


def left(day: int, held: int, capacity: int = 1, free: int | None = None) -> NightUpdated:
    return NightUpdated(
        provider_id="hotel",
        product_id="double",
        slot=night(day).date().isoformat(),
        capacity=capacity,
        held=held,
        free=capacity - held if free is None else free,
        updated_at=NOW,
    )


def overbooked(day: int, held: int, capacity: int = 1, overbooking_limit: int = 0) -> NightOverbooked:
    return NightOverbooked(
        provider_id="hotel",
        product_id="double",
        slot=night(day).date().isoformat(),
        capacity=capacity,
        overbooking_limit=overbooking_limit,
        held=held,
        detected_at=NOW,
    )


def declared(capacity: int = 1, price: str = "120.00", **changes: object) -> ResourceDeclared:
    values: dict[str, Any] = msgspec.structs.asdict(declare(capacity, price=price)) | changes
    return ResourceDeclared(**values)


def price_told(price: str = "120.00", currency: str = "EUR") -> RateUpdated:
    return RateUpdated(
        provider_id="hotel", product_id="double", price_amount=Decimal(price), price_currency=currency, updated_at=NOW
    )


# --- holding ---


def test_a_hold_takes_every_night_of_its_stay() -> None:
    """HTL-20: the inventory of the dates is reduced, and the world hears what is left of each."""
    given_shelf(declare(capacity=3)).when(hold(end=night(2), quantity=2)).then(
        reserved(), left(0, held=2, capacity=3), left(1, held=2, capacity=3)
    )


def test_the_last_unit_is_sold_once() -> None:
    given_shelf(declare(), hold("b1")).when(hold("b2")).then(rejected("sold_out", "b2"))


def test_one_night_that_is_full_refuses_the_whole_stay() -> None:
    story = given_shelf(declare(), hold("b1", start=night(2), end=night(3)))
    story.when(hold("b2", end=night(4))).then(rejected("sold_out", "b2"))
    assert set(story.service.nights()) == {"2026-12-26"}


def test_a_check_out_day_is_free_for_the_next_check_in() -> None:
    given_shelf(declare(), hold("b1")).when(hold("b2", start=night(1), end=night(2))).then(
        reserved("b2"), left(1, held=1)
    )


def test_more_than_there_is_never_fits() -> None:
    given_shelf(declare(capacity=3)).when(hold(quantity=4)).then(rejected("sold_out"))


def test_two_lines_of_a_booking_take_their_units_each() -> None:
    story = given_shelf(declare(capacity=2), hold(line=1), hold(line=2))
    assert story.of(LineReserved) == (reserved(line=1), reserved(line=2))
    assert story.service.night("2026-12-24").held == 2


def test_up_to_the_overbooking_limit_a_hold_is_taken_and_said_to_be_one_too_many() -> None:
    """HTL-20: overbooking is allowed up to a limit, never shown as free, and always told."""
    story = given_shelf(declare(capacity=1, overbooking_limit=1), hold("b1"))
    story.when(hold("b2")).then(reserved("b2"), left(0, held=2, free=0), overbooked(0, held=2, overbooking_limit=1))
    story.when(hold("b3")).then(rejected("sold_out", "b3"))


@pytest.mark.parametrize(
    ("resource", "taken", "reason"),
    [
        (None, hold(), "unknown_resource"),
        (declare(min_stay=2), hold(), "below_min_stay"),
        (declare(), hold(end=night(400)), "too_many_slots"),
        (declare(), hold(end=night(0)), "invalid_period"),
        (declare(slots=0), hold(), "unsupported_slots"),
        (declare(time_zone="Nowhere/Atlantis"), hold(), "unknown_time_zone"),
        (declare(capacity=0), hold(), "sold_out"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_names_its_reason_and_stands(resource: Event | None, taken: Event, reason: str) -> None:
    """A refusal is remembered: the same hold is not accepted later because the resource changed (CAT-23)."""
    story = given_shelf(*([resource] if resource else []))
    story.when(taken).then(rejected(reason))
    story.when(declare(capacity=5), taken)
    assert story.of(LineReserved, LineRejected) == ()
    assert story.service.nights() == {}


def test_a_slot_of_minutes_is_taken_like_a_night() -> None:
    quarter = timedelta(minutes=15)
    story = given_shelf(declare(slots=15), hold("b1", end=night(0) + quarter))
    story = story.when(hold("b2", end=night(0) + 2 * quarter), hold("b3", start=night(0) + quarter))
    assert story.of(LineReserved, LineRejected) == (rejected("sold_out", "b2"), reserved("b3"))
    assert "2026-12-24T00:15Z" in story.service.nights()


# --- releasing and confirming ---


def test_a_release_gives_the_nights_back() -> None:
    """HTL-29: a cancellation restores the inventory."""
    story = given_shelf(declare(), hold("b1", end=night(2)))
    story.when(release("b1")).then(left(0, held=0), left(1, held=0))
    assert story.service.nights() == {}
    story.when(hold("b2")).then(reserved("b2"), left(0, held=1))


def test_a_confirmed_hold_is_held_as_before_and_counted_as_confirmed() -> None:
    story = given_shelf(declare(capacity=4), hold("b1", quantity=2), hold("b2"))
    story.when(confirm_hold("b1")).then_nothing()
    taken = story.service.night("2026-12-24")
    assert (taken.held, taken.confirmed, taken.pending) == (3, 2, ("b2/1/1",))
    assert story.service.holding("b1").revisions[1].state == "confirmed"


def test_a_confirmed_hold_can_be_released() -> None:
    given_shelf(declare(), hold(), confirm_hold()).when(release()).then(left(0, held=0))


def test_only_what_is_held_can_be_confirmed() -> None:
    given_shelf(declare()).when(confirm_hold()).then_nothing()
    given_shelf(declare(), hold(), release()).when(confirm_hold()).then_nothing()
    given_shelf(hold()).when(confirm_hold()).then_nothing()


def test_a_release_frees_what_was_taken_even_if_the_resource_is_cut_by_another_zone_now() -> None:
    story = given_shelf(declare(), hold(end=night(2)), declare(time_zone="Asia/Tokyo"))
    story.when(release()).then(left(0, held=0), left(1, held=0))
    assert story.service.nights() == {}


# --- any order, any number of times ---


def test_an_end_that_overtakes_its_start_refuses_the_start() -> None:
    given_shelf(declare(), release("b1")).when(hold("b1")).then(rejected("already_released"))


def test_a_start_that_was_overtaken_is_refused_once() -> None:
    given_shelf(declare(), release(), hold()).when(hold(), release(), hold()).then_nothing()


@pytest.mark.parametrize(
    "history",
    [
        (declare(), hold()),
        (declare(), hold(), release()),
        (declare(), hold(), confirm_hold()),
        (declare(), hold("b0"), hold("b1")),
        (hold(),),
        (release(),),
    ],
    ids=["held", "released", "confirmed", "sold out", "unknown", "released before"],
)
def test_whatever_comes_twice_changes_nothing(history: tuple[Event, ...]) -> None:
    """CAT-23, HTL-36: by the row itself, not by a memory of event ids."""
    given_shelf(*history).when(*history[-1:]).then_nothing()


def test_what_does_not_concern_inventory_changes_nothing() -> None:
    given_shelf(declare()).when(cancel()).then_nothing()


# --- revisions ---


def test_the_next_revision_does_not_compete_with_the_one_it_replaces() -> None:
    given_shelf(declare(), hold(revision=1)).when(hold(revision=2, end=night(2))).then(
        reserved(revision=2), left(0, held=1), left(1, held=1)
    )


def test_the_next_revision_frees_nothing_before_the_last_one_is_released() -> None:
    story = given_shelf(declare(capacity=3), hold(revision=1, quantity=3), hold(revision=2, quantity=1))
    story.when(hold("b2")).then(rejected("sold_out", "b2"))
    story.when(release(revision=1)).then(left(0, held=1, capacity=3))
    story.when(hold("b3", quantity=2)).then(reserved("b3"), left(0, held=3, capacity=3))


def test_a_release_ends_exactly_its_own_revision() -> None:
    story = given_shelf(declare(capacity=2), hold(revision=1), hold(revision=2, quantity=2))
    story.when(release(revision=2)).then(left(0, held=1, capacity=2))
    assert story.service.night("2026-12-24") == Night({"b1/1": {1: 1}}, ("b1/1/1",))


def test_only_the_confirmed_revision_counts_as_confirmed() -> None:
    story = given_shelf(declare(capacity=3), hold(revision=1), confirm_hold(), hold(revision=2, quantity=3))
    taken = story.service.night("2026-12-24")
    assert (taken.held, taken.confirmed) == (3, 1)


@pytest.mark.parametrize("newer", [hold(revision=2), release(revision=2)], ids=["held", "released before it was seen"])
def test_a_hold_below_the_highest_revision_seen_is_refused(newer: Event) -> None:
    given_shelf(declare(capacity=9), newer).when(hold(revision=1)).then(rejected("superseded", revision=1))


# --- declaring ---


def test_a_new_resource_is_told_with_its_price() -> None:
    given_shelf().when(declare(capacity=4)).then(declared(capacity=4), price_told())


def test_the_same_declaration_again_changes_nothing() -> None:
    given_shelf(declare()).when(declare()).then_nothing()


@pytest.mark.parametrize(("price", "currency"), [("99.00", "EUR"), ("120.00", "CHF")])
def test_a_new_price_is_told(price: str, currency: str) -> None:
    given_shelf(declare(), hold()).when(declare(price=price, currency=currency)).then(
        declared(price=price, price_currency=currency), price_told(price, currency)
    )


def test_more_capacity_is_told_for_the_nights_that_are_held_and_takes_effect_at_once() -> None:
    story = given_shelf(declare(), hold("b1"))
    story.when(declare(capacity=2)).then(declared(capacity=2), left(0, held=1, capacity=2))
    story.when(hold("b2")).then(reserved("b2"), left(0, held=2, capacity=2))


def test_capacity_lowered_below_what_is_sold_is_told_as_overbooked() -> None:
    story = given_shelf(declare(capacity=3), hold("b1", quantity=2), hold("b2", start=night(1), end=night(2)))
    story.when(declare(capacity=1)).then(
        declared(capacity=1), left(0, held=2, capacity=1, free=0), left(1, held=1, capacity=1), overbooked(0, held=2)
    )
    story.when(hold("b3")).then(rejected("sold_out", "b3"))


def test_nights_that_are_over_are_not_told_again() -> None:
    story = given_shelf(declare(capacity=2), hold(end=night(2)))
    told = story.when(declare(capacity=1), at=night(1)).of(NightUpdated)
    assert [event.slot for event in told if isinstance(event, NightUpdated)] == ["2026-12-25"]


def test_time_is_not_cut_anew_while_something_is_held() -> None:
    """A night and the minutes within it are different slots; with both on sale the same time would be sold twice."""
    story = given_shelf(declare(), hold())
    story.when(declare(slots=15, price="30.00")).then(declared(price="30.00"), price_told("30.00"))
    assert story.when(hold("b2")).events == (rejected("sold_out", "b2"),)


def test_time_is_cut_anew_once_nothing_is_held_that_is_not_over() -> None:
    story = given_shelf(declare(), hold())
    story.when(declare(slots=15), at=night(1)).then(declared(slots=15))


def test_a_resource_whose_time_cannot_be_cut_can_be_declared_anew() -> None:
    given_shelf(declare(slots="none")).when(declare(slots="nights")).then(declared())


# --- the row ---


def test_an_untouched_part_of_the_inventory_is_the_same_object() -> None:
    """So that a table sees what it has to write."""
    shelf = given_shelf(declare(capacity=2), hold("b1")).service
    before = Inventory(shelf.resource(), shelf.nights(), shelf.holding("b1"))
    for message in (hold("b1"), declare(capacity=2), release("b1", revision=9)):
        after = decide(before, message, NOW).state
        assert after.resource is before.resource
        assert after.nights is before.nights


def test_a_release_without_its_resource_still_frees() -> None:
    record = HoldRecord(state="held", slots=("2026-12-24",), quantity=1)
    before = Inventory(None, {"2026-12-24": Night({"b1/1": {1: 1}})}, Holding({1: record}))
    after = decide(before, release(), NOW)
    assert after.state.nights["2026-12-24"] == Night()
    assert after.events == ()
