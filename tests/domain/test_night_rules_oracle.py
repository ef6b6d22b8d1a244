"""Calendars and blocks against a naive oracle: what was said, in plain dictionaries, counted from scratch (HTL-03, P2).

One unit type, ten nights from 24 December; the clock goes on between messages, into the stay itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.events import Event
from streams.events.availability import DeclareResource, Hold, NightOverbooked, NightUpdated, Release
from streams.events.booking import LineRejected, LineReserved
from streams.events.night_rules import BlockDue, RemoveBlock, RuleName, SetBlock, SetCalendar
from tests.domain.calendars import block, due, set_calendar, unblock
from tests.domain.messages import NOW, confirm_hold, declare, hold, night, release
from tests.domain.services import InventoryMessage, Shelf

DAYS = 10
RULES: tuple[RuleName, ...] = (
    *("stop_sell", "closed_to_arrival", "closed_to_departure", "min_stay", "max_stay"),
    *("min_advance_days", "max_advance_days", "overbooking_limit"),
)


def day_of(slot: str) -> int:
    return (datetime.fromisoformat(f"{slot}T00:00+00:00") - night(0)).days


def days_of(message: Hold | SetBlock | SetCalendar) -> range:
    if isinstance(message, Hold):
        return range((message.start - night(0)).days, (message.end - night(0)).days)
    first = night(0).date()
    return range((message.from_date - first).days, (message.to_date - first).days)


@dataclass
class Naive:
    """What the rules say, as slowly and plainly as possible."""

    unit: DeclareResource
    rules: dict[int, dict[str, Any]] = field(default_factory=dict)
    blocks: dict[str, SetBlock] = field(default_factory=dict)
    #: Blocks whose release was told.
    told: set[str] = field(default_factory=set)
    #: booking -> revision -> the hold it was accepted by.
    held: dict[str, dict[int, Hold]] = field(default_factory=dict)
    #: booking -> revision -> whether its Hold was decided (else only its Release was seen).
    seen: dict[str, dict[int, bool]] = field(default_factory=dict)

    def rule(self, day: int, name: str) -> Any:
        return self.rules.get(day, {}).get(name)

    def blocked(self, day: int, now: datetime) -> int:
        standing = (each for each in self.blocks.values() if each.release_at is None or now < each.release_at)
        return sum(each.units for each in standing if day in days_of(each))

    def units(self, day: int, booking: str) -> int:
        of_it = self.held.get(booking, {}).values()
        return max((each.quantity for each in of_it if day in days_of(each)), default=0)

    def taken(self, day: int) -> int:
        return sum(self.units(day, booking) for booking in self.held)

    def free(self, day: int, now: datetime) -> int:
        return max(max(self.unit.capacity - self.blocked(day, now), 0) - self.taken(day), 0)

    def limit(self, day: int, now: datetime) -> int:
        own = self.rule(day, "overbooking_limit")
        over = self.unit.overbooking_limit if own is None else own
        return self.unit.capacity - self.blocked(day, now) + int(over)

    @property
    def calendar(self) -> bool:
        """Whether anything was ever said of any night that still is to be looked at."""
        return any(self.rules.values()) or self.blocks.keys() - self.told != set()

    def refusal(self, asked: Hold, now: datetime) -> str | None:
        """The first reason to refuse a hold; "" for one that was decided before."""
        seen = self.seen.setdefault(asked.booking_id, {})
        if seen.get(asked.revision):
            return ""
        released, superseded = asked.revision in seen, any(each > asked.revision for each in seen)
        seen[asked.revision] = True
        if released:
            return "already_released"
        if superseded:
            return "superseded"
        found = next(self.objections(asked, now), None) if self.calendar else self.plainly(asked)
        if found is None:
            self.held.setdefault(asked.booking_id, {})[asked.revision] = asked
        return found

    def plainly(self, asked: Hold) -> str | None:
        """Where no night has rules: as ever."""
        if len(days_of(asked)) < self.unit.min_stay:
            return "below_min_stay"
        limit = self.unit.capacity + self.unit.overbooking_limit
        full = any(self.with_it(asked, day) > limit for day in days_of(asked))
        return "sold_out" if full else None

    def with_it(self, asked: Hold, day: int) -> int:
        had = self.units(day, asked.booking_id)
        return self.taken(day) - had + max(had, asked.quantity)

    def objections(self, asked: Hold, now: datetime) -> Iterator[str]:
        days = days_of(asked)
        first, leaves = days[0], days[-1] + 1
        more = [day for day in days if asked.quantity > self.units(day, asked.booking_id)]
        mine = self.held.get(asked.booking_id) or {}
        had = mine[max(mine)] if mine else None
        grows = had is None or asked.quantity > had.quantity
        arrives = more and (grows or had is None or days_of(had)[0] != first)
        departs = more and (grows or had is None or days_of(had)[-1] + 1 != leaves)
        ahead = (night(first).date() - now.date()).days
        least = _or(self.rule(first, "min_stay"), self.unit.min_stay)
        checks = {
            "stop_sell": any(self.rule(day, "stop_sell") for day in more),
            "closed_to_arrival": arrives and self.rule(first, "closed_to_arrival"),
            "closed_to_departure": departs and self.rule(leaves, "closed_to_departure"),
            "below_min_stay": len(days) < (least if arrives else min(least, self.unit.min_stay)),
            "above_max_stay": more and len(days) > _or(self.rule(first, "max_stay"), DAYS),
            "too_short_notice": arrives and ahead < _or(self.rule(first, "min_advance_days"), -999),
            "too_far_ahead": arrives and ahead > _or(self.rule(first, "max_advance_days"), 999),
            "sold_out": any(self.with_it(asked, day) > self.limit(day, now) for day in more),
        }
        yield from (name for name, holds in checks.items() if holds)

    def numbered(self, message: InventoryMessage) -> InventoryMessage:
        if not isinstance(message, Hold) or message.revision != NEXT:
            return message
        return msgspec.structs.replace(message, revision=max(self.seen.get(message.booking_id, {}), default=0) + 1)

    def say(self, message: InventoryMessage, now: datetime) -> None:
        match message:
            case DeclareResource():
                self.unit = message
            case SetCalendar():
                said: dict[str, Any] = {name: getattr(message, name) for name in RULES}
                for day in days_of(message):
                    kept = {
                        **self.rules.get(day, {}),
                        **{name: each for name, each in said.items() if each is not None},
                    }
                    self.rules[day] = {
                        name: each for name, each in kept.items() if name not in message.clears and each is not False
                    }
            case SetBlock():
                if self.blocks.get(message.block_id) != message:
                    self.told.discard(message.block_id)
                self.blocks[message.block_id] = message
            case RemoveBlock():
                self.blocks.pop(message.block_id, None)
                self.told.discard(message.block_id)
            case BlockDue():
                waiting = self.blocks.get(message.block_id)
                if waiting and waiting.release_at is not None and now >= waiting.release_at:
                    self.told.add(message.block_id)
            case Release():
                self.seen.setdefault(message.booking_id, {}).setdefault(message.revision, False)
                self.held.get(message.booking_id, {}).pop(message.revision, None)


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


#: Revision 0 stands for the next one: a change of what the booking has.
NEXT = 0
BOOKINGS, REVISIONS = st.sampled_from("abc"), st.integers(1, 3)
periods = st.tuples(st.integers(0, DAYS - 1), st.integers(1, 4)).map(lambda each: (each[0], min(sum(each), DAYS)))
instants = st.integers(0, 30 * 4).map(lambda quarter: NOW + timedelta(hours=6 * quarter))


@st.composite
def holds(draw: st.DrawFn) -> Hold:
    start, end = draw(periods)
    quantity = draw(st.integers(1, 2))
    revision = draw(st.just(NEXT) | REVISIONS)
    return hold(draw(BOOKINGS), revision, 1, night(start), night(end), quantity=quantity)


@st.composite
def calendars(draw: st.DrawFn) -> SetCalendar:
    start, end = draw(periods)
    values: dict[RuleName, st.SearchStrategy[Any]] = {
        "stop_sell": st.booleans(),
        "closed_to_arrival": st.booleans(),
        "closed_to_departure": st.booleans(),
        "min_stay": st.integers(1, 4),
        "max_stay": st.integers(1, 4),
        "min_advance_days": st.integers(0, 30),
        "max_advance_days": st.integers(10, 40),
        "overbooking_limit": st.integers(0, 2),
    }
    names = draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=3, unique=True))
    cleared = tuple(name for name in names if draw(st.booleans()))
    return set_calendar(
        start, end, clears=cleared, **{name: draw(values[name]) for name in names if name not in cleared}
    )


@st.composite
def blocks(draw: st.DrawFn) -> SetBlock:
    units, name = draw(st.integers(1, 3)), draw(st.sampled_from("xy"))
    return block(units, *draw(periods), name=name, release_at=draw(st.none() | instants))


declarations = st.builds(
    declare, capacity=st.integers(0, 4), overbooking_limit=st.integers(0, 1), min_stay=st.integers(1, 2)
)
messages = st.one_of(
    holds(),
    holds(),
    calendars(),
    blocks(),
    st.builds(release, BOOKINGS, st.integers(1, 9)),
    st.builds(confirm_hold, BOOKINGS, REVISIONS),
    st.builds(unblock, st.sampled_from("xy")),
    st.builds(due, instants, st.sampled_from("xy")),
    declarations,
)
steps = st.lists(st.tuples(messages, st.integers(0, 4)), min_size=10, max_size=60)


@pytest.mark.timeout(300)
@pytest.mark.proves("HTL-03", "HTL-20")
@settings(max_examples=300, deadline=None)
@given(declarations, steps)
def test_what_is_sold_and_told_is_what_a_count_from_scratch_says(
    first: DeclareResource, history: list[tuple[InventoryMessage, int]]
) -> None:
    """Every hold is answered with the first reason that holds, every free unit that comes or goes is told."""
    shelf, naive, now = Shelf(), Naive(first), NOW
    shelf.take(first, now)
    for said, quarters in history:
        now += timedelta(hours=6 * quarters)
        message = naive.numbered(said)
        before = [(naive.free(day, now), naive.blocked(day, now)) for day in range(DAYS)]
        events = shelf.take(message, now)
        if isinstance(message, Hold):
            assert refusal_of(events) == naive.refusal(message, now)
        naive.say(message, now)
        assert_told(events, naive, message, before, now)
        assert_same(shelf, naive)
        assert shelf.take(message, now) == (), "whatever comes twice says nothing"


def refusal_of(events: tuple[Event, ...]) -> str | None:
    """What inventory said to a hold: a reason, None for none, "" for nothing."""
    answers = [event for event in events if isinstance(event, LineReserved | LineRejected)]
    assert len(answers) <= 1
    if not answers:
        return ""
    return answers[0].reason if isinstance(answers[0], LineRejected) else None


def assert_told(
    events: tuple[Event, ...], naive: Naive, message: InventoryMessage, before: list[tuple[int, int]], now: datetime
) -> None:
    told = {day_of(event.slot): event for event in events if isinstance(event, NightUpdated)}
    for day, event in told.items():
        assert (event.held, event.blocked) == (naive.taken(day), naive.blocked(day, now))
        assert (event.capacity, event.free) == (naive.unit.capacity, naive.free(day, now))
    coming = {day for day in range(DAYS) if night(day + 1) > now}
    too_many = {day for day in coming if naive.taken(day) > max(naive.unit.capacity - naive.blocked(day, now), 0)}
    over = {day_of(event.slot) for event in events if isinstance(event, NightOverbooked)}
    if not isinstance(message, DeclareResource):
        assert {day for day in coming if naive.free(day, now) != before[day][0]} <= told.keys()
    if isinstance(message, SetBlock):
        assert over == {day for day in too_many if naive.blocked(day, now) > before[day][1]}
    elif not isinstance(message, Hold | DeclareResource):
        assert over == set()


def assert_same(shelf: Shelf, naive: Naive) -> None:
    """A row for every night somebody holds, and for every night with rules; the resource counts those."""
    assert {day_of(slot): row.held for slot, row in shelf.nights().items()} == {
        day: naive.taken(day) for day in range(DAYS) if naive.taken(day)
    }
    waiting = [each for name, each in naive.blocks.items() if name not in naive.told]
    ruled = {day for day in range(DAYS) if naive.rules.get(day) or any(day in days_of(each) for each in waiting)}
    assert {day_of(slot) for slot in shelf.rules()} == ruled
    resource = shelf.resource()
    assert resource is not None
    assert resource.calendar == len(ruled)
