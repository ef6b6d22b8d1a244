"""What a property says of single nights, and what a guest is told because of it: one rule each (HTL-03)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.inventory import Resource
from domain.night_rules import NightRules
from domain.property_calendar import MOST_BLOCKS
from domain.restrictions import no_arrival, unbookable
from streams.events import Event
from streams.events.availability import NightOverbooked, NightUpdated, ResourceDeclared
from streams.events.booking import LineRejected, LineReserved
from tests.domain.calendars import block, due, set_calendar, unblock
from tests.domain.messages import NOW, confirm_hold, declare, hold, night, rejected, release, reserved
from tests.domain.services import Shelf, Story, given_shelf

ANSWERS = (LineReserved, LineRejected)


def told(story: Story[Shelf]) -> list[tuple[int, int, int]]:
    """Of each night that is told: the day of December, units blocked and free."""
    news = (event for event in story.events if isinstance(event, NightUpdated))
    return [(int(event.slot[-2:]), event.blocked, event.free) for event in news]


def answer(story: Story[Shelf], *messages: Event, at: datetime = NOW) -> tuple[Event, ...]:
    return story.when(*messages, at=at).of(*ANSWERS)


# --- calendars ---


@pytest.mark.proves("HTL-03")
@pytest.mark.parametrize(
    ("rules", "stay", "refusal"),
    [
        ({"stop_sell": True}, (23, 25), "stop_sell"),
        ({"stop_sell": True}, (25, 26), None),
        ({"closed_to_arrival": True}, (24, 26), "closed_to_arrival"),
        ({"closed_to_arrival": True}, (23, 26), None),
        ({"closed_to_departure": True}, (22, 24), "closed_to_departure"),
        ({"closed_to_departure": True}, (22, 25), None),
        ({"min_stay": 3}, (24, 26), "below_min_stay"),
        ({"min_stay": 3}, (24, 27), None),
        ({"min_stay": 3}, (23, 25), None),
        ({"max_stay": 2}, (24, 27), "above_max_stay"),
        ({"max_stay": 2}, (24, 26), None),
        ({"max_stay": 2}, (23, 26), None),
        ({"min_advance_days": 24}, (24, 25), "too_short_notice"),
        ({"min_advance_days": 23}, (24, 25), None),
        ({"max_advance_days": 22}, (24, 25), "too_far_ahead"),
        ({"max_advance_days": 23}, (24, 25), None),
    ],
    ids=str,
)
def test_a_rule_of_the_24th_and_whom_it_concerns(
    rules: dict[str, Any], stay: tuple[int, int], refusal: str | None
) -> None:
    """Booked on 1 December, 23 days before."""
    story = given_shelf(declare(capacity=1), set_calendar(0, 1, **rules))
    asked = hold(start=night(stay[0] - 24), end=night(stay[1] - 24))
    assert answer(story, asked) == (rejected(refusal) if refusal else reserved(),)


def test_of_several_reasons_the_first_is_told() -> None:
    everything: dict[str, Any] = {"closed_to_arrival": True, "min_stay": 5, "max_stay": 1, "min_advance_days": 99}
    story = given_shelf(declare(capacity=0), set_calendar(0, 1, stop_sell=True, **everything))
    assert answer(story, hold("b1", end=night(2))) == (rejected("stop_sell", "b1"),)
    story.when(set_calendar(0, 1, stop_sell=False))
    assert answer(story, hold("b2", end=night(2))) == (rejected("closed_to_arrival", "b2"),)
    story.when(set_calendar(0, 1, clears=("closed_to_arrival",)))
    assert answer(story, hold("b3", end=night(2))) == (rejected("below_min_stay", "b3"),)
    story.when(set_calendar(0, 1, clears=("min_stay",)))
    assert answer(story, hold("b4", end=night(2))) == (rejected("above_max_stay", "b4"),)
    story.when(set_calendar(0, 1, clears=("max_stay",)))
    assert answer(story, hold("b5", end=night(2))) == (rejected("too_short_notice", "b5"),)
    story.when(set_calendar(0, 1, clears=("min_advance_days",)))
    assert answer(story, hold("b6", end=night(2))) == (rejected("sold_out", "b6"),)


def test_a_nights_minimum_stands_in_place_of_the_unit_types() -> None:
    """A gap of one night between two stays is sold, though the unit type has a minimum of two."""
    story = given_shelf(declare(capacity=9, min_stay=2), set_calendar(0, 1, min_stay=1))
    assert answer(story, hold("b1")) == (reserved("b1"),)
    assert answer(story, hold("b2", start=night(1), end=night(2))) == (rejected("below_min_stay", "b2"),)


def test_notice_is_counted_in_dates_of_the_property() -> None:
    """At 23:30 UTC on 1 December it is the 2nd in Auckland: the 24th is 22 days ahead there, not 23."""
    late = NOW.replace(hour=23, minute=30)
    auckland = ZoneInfo("Pacific/Auckland")
    begin = datetime(2026, 12, 24, 15, tzinfo=auckland)
    asked: dict[str, Any] = {"start": begin, "end": begin + timedelta(hours=20)}
    story = given_shelf(declare(capacity=9, time_zone="Pacific/Auckland"), set_calendar(0, 1, min_advance_days=23))
    assert answer(story, hold("b1", **asked), at=late) == (rejected("too_short_notice", "b1"),)
    story.when(set_calendar(0, 1, min_advance_days=22))
    assert answer(story, hold("b2", **asked), at=late) == (reserved("b2"),)


def test_a_nights_overbooking_limit_stands_in_place_of_the_unit_types() -> None:
    story = given_shelf(declare(capacity=1, overbooking_limit=5), set_calendar(0, 1, overbooking_limit=1))
    first, second, third = (answer(story, hold(name)) for name in ("b1", "b2", "b3"))
    assert (*first, *second, *third) == (reserved("b1"), reserved("b2"), rejected("sold_out", "b3"))


def test_rules_on_weekdays_spare_the_others() -> None:
    """24 December 2026 is a Thursday."""
    story = given_shelf(declare(), set_calendar(0, 14, weekdays=("fri", "sat"), min_stay=2))
    assert sorted(story.service.rules()) == ["2026-12-25", "2026-12-26", "2027-01-01", "2027-01-02"]


def test_what_is_cleared_leaves_no_row_and_is_not_looked_for() -> None:
    story = given_shelf(declare())
    assert [event.has_calendar for event in _declared(story.when(set_calendar(0, 3, min_stay=2)))] == [True]
    assert _declared(story.when(set_calendar(1, 5, max_stay=7))) == []
    assert (resource := story.service.resource()) is not None
    assert resource.calendar == len(story.service.rules()) == 5
    story.when(set_calendar(0, 3, clears=("min_stay",)))
    assert story.service.rules() == dict.fromkeys(_days(25, 29), NightRules(max_stay=7))
    assert [event.has_calendar for event in _declared(story.when(set_calendar(0, 5, clears=("max_stay",))))] == [False]
    assert story.service.rules() == {}
    assert (resource := story.service.resource()) is not None
    assert resource.calendar == 0


def _declared(story: Story[Shelf]) -> list[ResourceDeclared]:
    return [event for event in story.events if isinstance(event, ResourceDeclared)]


def _days(first: int, after: int) -> list[str]:
    return [f"2026-12-{day}" for day in range(first, after)]


def test_a_declaration_keeps_the_calendar() -> None:
    story = given_shelf(declare(), set_calendar(0, 1, stop_sell=True))
    assert [event.has_calendar for event in _declared(story.when(declare(capacity=5)))] == [True]
    assert answer(story, hold()) == (rejected("stop_sell"),)


@pytest.mark.parametrize(
    "message",
    [
        set_calendar(0, 0, stop_sell=True),
        set_calendar(0, 367, stop_sell=True),
        set_calendar(0, 1),
        set_calendar(0, 1, weekdays=("mon",), stop_sell=True),
        block(start=0, end=0),
        block(start=0, end=367),
        unblock(),
    ],
    ids=["no nights", "too many", "no rules", "no such weekday", "block of none", "block of too many", "unknown block"],
)
def test_what_concerns_no_night_changes_nothing(message: Event) -> None:
    story = given_shelf(declare())
    story.when(message).then_nothing()
    assert story.service.rules() == {}


@pytest.mark.parametrize("resource", [(), (declare(slots=60),), (declare(slots="none"),)], ids=["unknown", 60, "stock"])
def test_only_what_is_sold_by_the_night_has_rules(resource: tuple[Event, ...]) -> None:
    given_shelf(*resource).when(set_calendar(stop_sell=True), block(), unblock()).then_nothing()


def test_time_is_not_cut_anew_while_nights_to_come_have_rules() -> None:
    story = given_shelf(declare(), block())
    story.when(declare(slots=60)).then_nothing()
    assert _declared(story.when(declare(slots=60), at=night(1)))[0].slots == 60


# --- what a guest has ---


def test_what_is_held_stays_when_its_night_is_closed() -> None:
    story = given_shelf(declare(), hold(), set_calendar(0, 2, stop_sell=True))
    story.when(confirm_hold())
    assert story.service.night("2026-12-24").confirmed == 1


EVERYTHING: dict[str, Any] = {
    "stop_sell": True,
    "closed_to_arrival": True,
    "closed_to_departure": True,
    "min_stay": 30,
    "max_stay": 1,
    "min_advance_days": 99,
    "overbooking_limit": 0,
}


@pytest.mark.parametrize(
    ("start", "end", "quantity"),
    [(0, 4, 2), (0, 3, 2), (1, 4, 2), (1, 2, 1), (0, 4, 1)],
    ids=["the same", "leaves earlier", "comes later", "both, one room", "one room less"],
)
def test_a_change_that_takes_no_more_is_refused_by_no_rule(start: int, end: int, quantity: int) -> None:
    """Two rooms from the 24th to the 28th, in a house that is closed, restricted and blocked since."""
    story = given_shelf(declare(capacity=2), hold(end=night(4), quantity=2), confirm_hold())
    story.when(set_calendar(-1, 9, **EVERYTHING), block(2, 0, 4))
    changed = hold(revision=2, start=night(start), end=night(end), quantity=quantity)
    assert answer(story, changed) == (reserved(revision=2),)


@pytest.mark.parametrize(
    ("start", "end", "quantity", "rules", "refusal"),
    [
        (0, 3, 1, {"stop_sell": True}, "stop_sell"),
        (0, 2, 2, {"stop_sell": True}, "stop_sell"),
        (-1, 2, 1, {"closed_to_arrival": True}, "closed_to_arrival"),
        (0, 3, 1, {"closed_to_arrival": True}, None),
        (0, 2, 2, {"closed_to_arrival": True}, "closed_to_arrival"),
        (0, 3, 1, {"closed_to_departure": True}, "closed_to_departure"),
        (-1, 2, 1, {"closed_to_departure": True}, None),
        (0, 3, 1, {"min_stay": 4}, None),
        (1, 4, 1, {"min_stay": 4}, "below_min_stay"),
        (0, 3, 1, {"max_stay": 2}, "above_max_stay"),
        (0, 3, 1, {"min_advance_days": 99}, None),
        (-1, 2, 1, {"min_advance_days": 99}, "too_short_notice"),
    ],
    ids=str,
)
def test_a_change_that_takes_more_obeys_the_rules_of_what_it_takes(
    start: int, end: int, quantity: int, rules: dict[str, Any], refusal: str | None
) -> None:
    """One room from the 24th to the 26th was held before the rules came."""
    story = given_shelf(declare(capacity=9), hold(end=night(2)), confirm_hold(), set_calendar(-5, 9, **rules))
    changed = hold(revision=2, start=night(start), end=night(end), quantity=quantity)
    assert answer(story, changed) == (rejected(refusal, revision=2) if refusal else reserved(revision=2),)


def test_another_unit_type_is_taken_anew() -> None:
    story = given_shelf(declare(), declare(product="suite"), hold(), set_calendar(product="suite", stop_sell=True))
    assert answer(story, hold(revision=2, product="suite")) == (rejected("stop_sell", revision=2),)


# --- blocks ---


@pytest.mark.proves("HTL-03")
def test_blocked_units_are_not_sold() -> None:
    """Three rooms, two of them out of order on the 24th and 25th: one is left, and the world hears so."""
    story = given_shelf(declare(capacity=3)).when(block(2, 0, 2))
    assert told(story) == [(24, 2, 1), (25, 2, 1)]
    assert answer(story, hold("b1", end=night(3))) == (reserved("b1"),)
    assert answer(story, hold("b2", start=night(1), end=night(2))) == (rejected("sold_out", "b2"),)
    assert answer(story, hold("b3", start=night(2), end=night(3))) == (reserved("b3"),)


def test_a_release_beside_a_block_frees_what_is_not_blocked() -> None:
    story = given_shelf(declare(capacity=3), block(2), hold())
    assert told(story.when(release())) == [(24, 2, 1)]


def test_blocking_below_what_is_sold_is_told_as_overbooked() -> None:
    story = given_shelf(declare(capacity=3, overbooking_limit=1), hold(quantity=2, end=night(2)))
    (over,) = story.when(block(2, 0, 1)).of(NightOverbooked)
    assert over == NightOverbooked(
        provider_id="hotel",
        product_id="double",
        slot="2026-12-24",
        capacity=3,
        overbooking_limit=1,
        held=2,
        detected_at=NOW,
        blocked=2,
    )
    assert story.service.night("2026-12-24").held == 2


def test_a_night_that_nobody_holds_is_not_overbooked_however_much_is_blocked() -> None:
    story = given_shelf(declare(capacity=1), block(1, name="a")).when(block(1, name="b"))
    assert (story.of(NightOverbooked), told(story)) == ((), [(24, 2, 0)])


def test_a_group_has_its_block_until_its_release() -> None:
    """To the second: what is asked for at 12:00:00 on the 10th is sold, a microsecond earlier it is not."""
    at_noon = NOW + timedelta(days=9)
    story = given_shelf(declare(capacity=2), block(2, release_at=at_noon))
    early = at_noon - timedelta(microseconds=1)
    assert answer(story, hold("b1"), at=early) == (rejected("sold_out", "b1"),)
    assert answer(story, hold("b2", quantity=2), at=at_noon) == (reserved("b2"),)
    assert told(story.when(release("b2"), at=at_noon)) == [(24, 0, 2)]


def test_the_world_hears_of_a_release_once() -> None:
    """A tick that comes too early, twice, or for a block that is gone changes nothing."""
    at_noon = NOW + timedelta(days=9)
    story = given_shelf(declare(capacity=2), hold(), block(2, 0, 2, release_at=at_noon))
    story.when(due(at_noon), at=at_noon - timedelta(microseconds=1)).then_nothing()
    assert told(story.when(due(at_noon), at=at_noon)) == [(24, 0, 1), (25, 0, 2)]
    assert (story.service.rules(), (found := story.service.block("boiler")) and found.released) == ({}, True)
    story.when(due(at_noon), block(2, 0, 2, release_at=at_noon), due(at_noon), at=at_noon).then_nothing()
    story.when(unblock(), at=at_noon).then_nothing()
    story.when(due(at_noon), at=at_noon).then_nothing()


def test_a_block_whose_release_was_moved_waits_for_the_new_one() -> None:
    first, second = NOW + timedelta(days=1), NOW + timedelta(days=2)
    story = given_shelf(declare(capacity=2), block(2, release_at=first), block(2, release_at=second))
    story.when(due(first), at=first).then_nothing()
    assert answer(story, hold("b1"), at=first) == (rejected("sold_out", "b1"),)
    story.when(due(second), at=second)
    assert told(story.when(block(2, release_at=second + timedelta(days=1)), at=second)) == [(24, 2, 0)]


def test_a_block_that_moves_frees_the_nights_it_leaves() -> None:
    story = given_shelf(declare(capacity=3), block(2, 0, 3))
    assert told(story.when(block(1, 2, 4))) == [(24, 0, 3), (25, 0, 3), (26, 1, 2), (27, 1, 2)]
    assert sorted(story.service.rules()) == _days(26, 28)


def test_a_block_that_is_removed_leaves_nothing() -> None:
    story = given_shelf(declare(capacity=3), block(2, 0, 2), block(1, name="other"))
    assert told(story.when(unblock())) == [(24, 1, 2), (25, 0, 3)]
    story.when(unblock("other"))
    assert (story.service.rules(), story.service.block("boiler")) == ({}, None)


def test_the_same_block_or_calendar_again_says_nothing() -> None:
    """CAT-23."""
    story = given_shelf(declare(capacity=3), block(2), set_calendar(min_stay=2))
    story.when(block(2), set_calendar(min_stay=2)).then_nothing()
    story.when(unblock())
    story.when(unblock()).then_nothing()


def test_nights_that_are_over_are_blocked_in_silence() -> None:
    story = given_shelf(declare(capacity=3))
    assert told(story.when(block(1, 0, 3), at=night(2))) == [(26, 1, 2)]


def test_another_capacity_is_told_of_blocked_nights() -> None:
    story = given_shelf(declare(capacity=3), block(2, 0, 1), hold(start=night(1), end=night(2)))
    assert told(story.when(declare(capacity=5))) == [(24, 2, 3), (25, 0, 4)]
    lowered = story.when(hold("b2", quantity=3), declare(capacity=4))
    assert [event.slot for event in lowered.events if isinstance(event, NightOverbooked)] == ["2026-12-24"]


def test_a_night_has_at_most_fifty_blocks() -> None:
    """Its row is read by every hold on it. The fifty-first changes nothing; one that goes makes room."""
    full = given_shelf(declare(100), *(block(name=f"b{number}") for number in range(MOST_BLOCKS)))
    full.when(block(name="more")).then_nothing()
    assert full.when(unblock("b0"), block(name="more")).of(NightUpdated)
    assert full.when(block(2, name="b1")).of(NightUpdated), "a block that stands may change"


def test_what_a_booking_engine_is_told_of_a_night() -> None:
    room = Resource("hotel", "double", 1, Decimal(100), "EUR")
    closed = NightRules(stop_sell=True, closed_to_arrival=True, min_advance_days=30)
    assert list(unbookable(room, closed, "2026-11-30", 1, NOW)) == ["past", "sold_out", "stop_sell"]
    assert list(unbookable(room, NightRules(), "2026-12-24", 0, NOW)) == []
    assert list(no_arrival(room, closed, "2026-12-24", NOW)) == ["closed_to_arrival", "too_short_notice"]
    assert list(no_arrival(room, NightRules(max_advance_days=5), "2026-12-24", NOW)) == ["too_far_ahead"]
    assert list(no_arrival(room, NightRules(), "2026-12-24", NOW)) == []
