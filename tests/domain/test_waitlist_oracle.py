"""The waitlist against a naive oracle: a list of who waits, looked through from its front after every message (P2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.inventory import Resource
from domain.waitlist import offer_hold
from streams.events import Event
from streams.events.availability import DeclareResource, Hold, Release
from streams.events.waitlist import EntryDue, EntryOffered, JoinWaitlist, LeaveWaitlist
from tests.domain.messages import NOW, confirm_hold, declare, hold, night, release
from tests.domain.test_availability_oracle import Naive, answer, days_of
from tests.domain.waiting import Desk, due, join, leave

DAYS = 2
OFFER = timedelta(minutes=60)
#: Long after every offer and every last call.
NEXT_YEAR = night(30)
Step = tuple[Event, int]

ENTRIES = st.sampled_from([f"w{number}" for number in range(4)])
GUESTS = st.sampled_from(["b1", "b2", "b3"])


@dataclass
class Waiting:
    """One entry, as plainly as possible."""

    asked: JoinWaitlist
    status: str = "WAITING"
    offer_until: datetime = NOW


@dataclass
class NaiveList:
    """What the rules say: whoever fits is offered, the first come first, after every message."""

    shelf: Naive = field(default_factory=Naive)
    entries: dict[str, Waiting] = field(default_factory=dict)

    def take(self, message: Event, now: datetime) -> tuple[bool | None, list[str]]:
        """The answer to a hold, and who is offered something because of this message."""
        said = None
        match message:
            case DeclareResource():
                self.shelf.limits[message.product_id] = (message.capacity, message.overbooking_limit)
            case Hold():
                said = self._hold(message)
            case Release():
                self.shelf.release(message)
            case JoinWaitlist() if message.entry_id not in self.entries:
                self._join(message, now)
            case LeaveWaitlist() if message.entry_id in self.entries:
                self._end(self.entries[message.entry_id], "WITHDRAWN", ("WAITING", "OFFERED"))
            case EntryDue() if message.entry_id in self.entries:
                self._due(self.entries[message.entry_id], now)
        return said, [name for name, entry in self.entries.items() if self._offer(entry, now)]

    def fits(self, asked: JoinWaitlist) -> bool:
        offer = offer_hold(asked)
        known = self.shelf.seen.get((offer.product_id, offer.booking_id, offer.line), {})
        limit = sum(self.shelf.limits[offer.product_id])
        return not known and all(self.shelf.held(offer.product_id, day, offer) <= limit for day in days_of(offer))

    def _hold(self, asked: Hold) -> bool | None:
        entry = self.entries.get(asked.booking_id)
        known = self.shelf.seen.setdefault((asked.product_id, asked.booking_id, asked.line), {})
        if entry is None or entry.status != "OFFERED" or any(seen >= asked.revision for seen in known):
            return self.shelf.accepts(asked)
        if (asked.start, asked.end, asked.quantity) != (entry.asked.start, entry.asked.end, entry.asked.quantity):
            return self.shelf.accepts(asked)
        known[asked.revision] = True
        self.shelf.accepted.append(asked)
        self._end(entry, "ACCEPTED", ("OFFERED",))
        return True

    def _join(self, asked: JoinWaitlist, now: datetime) -> None:
        known = self.shelf.seen.get((asked.product_id, asked.entry_id, 1), {})
        most = sum(self.shelf.limits[asked.product_id])
        refused = bool(known) or now >= asked.until or asked.quantity > most or self.fits(asked)
        self.entries[asked.entry_id] = Waiting(asked, "REFUSED" if refused else "WAITING")

    def _due(self, entry: Waiting, now: datetime) -> None:
        if now >= entry.asked.until:
            self._end(entry, "LAPSED", ("WAITING",))
        if now >= entry.offer_until:
            self._end(entry, "EXPIRED", ("OFFERED",))

    def _end(self, entry: Waiting, status: str, among: tuple[str, ...]) -> None:
        if entry.status not in among:
            return
        entry.status = status
        name = entry.asked.entry_id
        self.shelf.accepted = [held for held in self.shelf.accepted if (held.booking_id, held.revision) != (name, 0)]

    def _offer(self, entry: Waiting, now: datetime) -> bool:
        if entry.status != "WAITING" or now >= entry.asked.until or not self.fits(entry.asked):
            return False
        entry.status, entry.offer_until = "OFFERED", min(now + OFFER, entry.asked.until)
        self.shelf.accepted.append(offer_hold(entry.asked))
        return True


@st.composite
def stays(draw: st.DrawFn) -> tuple[datetime, datetime]:
    start = draw(st.integers(0, DAYS - 1))
    return night(start), night(draw(st.integers(start + 1, DAYS)))


@st.composite
def joins(draw: st.DrawFn) -> JoinWaitlist:
    start, end = draw(stays())
    until = NOW + timedelta(minutes=draw(st.sampled_from([5000, 5000, 5000, 500, 90, 0])))
    return join(draw(ENTRIES), start, end, draw(st.sampled_from([1, 1, 2])), until)


@st.composite
def holds(draw: st.DrawFn) -> Hold:
    start, end = draw(stays())
    return hold(draw(st.one_of(GUESTS, ENTRIES)), draw(st.integers(1, 4)), 1, start, end, draw(st.integers(1, 2)))


MESSAGES = st.one_of(
    joins(),
    joins(),
    joins(),
    holds(),
    st.builds(release, GUESTS),
    st.builds(release, GUESTS),
    st.builds(release, GUESTS, st.integers(1, 4)),
    st.builds(release, ENTRIES),
    st.builds(confirm_hold, ENTRIES),
    st.builds(declare, capacity=st.integers(0, 2), overbooking_limit=st.integers(0, 1)),
    st.none(),
    st.none(),
    st.none(),
    st.none(),
    st.builds(leave, ENTRIES),
    st.builds(due, ENTRIES),
    st.builds(due, ENTRIES),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """A hotel that is sold out and has two who wait, then messages with the minutes that pass before each. What is
    drawn as None is an acceptance: it asks for the nights of an entry that has joined.
    """
    drawn = draw(st.lists(st.tuples(MESSAGES, st.integers(0, 20)), min_size=25, max_size=60))
    asked: dict[str, JoinWaitlist] = {}
    steps: list[Step] = [(hold(guest, 1, 1, night(0), night(DAYS)), 0) for guest in ("b1", "b2")]
    for name in ("w0", "w1"):
        asked[name] = join(name, *draw(stays()), until=NOW + timedelta(minutes=5000))
        steps.append((asked[name], 0))
    for message, minutes in drawn:
        if isinstance(message, JoinWaitlist):
            asked.setdefault(message.entry_id, message)
        if message is not None:
            steps.append((message, minutes))
        elif asked:
            entry = asked[draw(st.sampled_from(sorted(asked)))]
            steps.append((hold(entry.entry_id, 1, 1, entry.start, entry.end, entry.quantity), minutes))
    return steps


@pytest.mark.timeout(300)
@settings(max_examples=300, deadline=None)
@given(st.builds(declare, capacity=st.integers(1, 2)), histories())
def test_the_first_that_fits_is_offered_and_every_offer_ends(first: DeclareResource, history: list[Step]) -> None:
    """Joins, holds, releases, declarations and ticks in any order and twice, against a list looked through each time.

    Never more is held than the limit allows, but where the limit was lowered; nobody is offered anything before an
    earlier one that fits; in the end nothing is held for an offer.
    """
    desk, naive, now = Desk(), NaiveList(), NOW
    for message, minutes in [(first, 0), *history]:
        now += timedelta(minutes=minutes)
        before = {day: desk.night(night(day)).held for day in range(DAYS)}
        said, offered = naive.take(message, now)
        events = desk.take(message, now)
        assert answer(events) is said
        assert [event.entry_id for event in events if isinstance(event, EntryOffered)] == offered
        assert_same(desk, naive)
        assert_within_the_limit(desk, naive, before)
        assert desk.take(message, now) == (), "whatever comes twice says nothing"
    assert_all_ends(desk, naive)


def assert_same(desk: Desk, naive: NaiveList) -> None:
    assert {name: str(desk.entry(name).status) for name in naive.entries} == {
        name: entry.status for name, entry in naive.entries.items()
    }
    for day in range(DAYS):
        assert desk.night(night(day)).held == naive.shelf.held("double", day)
    statuses = [entry.status for entry in naive.entries.values()]
    declared = desk.read("r|hotel/double", Resource)
    assert declared.waiting == statuses.count("WAITING")
    assert len(desk.due()) == len(list(desk.stored.scan("w|"))) == statuses.count("WAITING") + statuses.count("OFFERED")


def assert_within_the_limit(desk: Desk, naive: NaiveList, before: dict[int, int]) -> None:
    limit = sum(naive.shelf.limits["double"])
    for day, held in before.items():
        assert desk.night(night(day)).held <= max(limit, held)


def assert_all_ends(desk: Desk, naive: NaiveList) -> None:
    """The ticker's work: whatever is due by next year is told so, until nothing is."""
    while desk.due():
        _, entry = desk.due()[0]
        desk.take(due(entry), NEXT_YEAR)
    assert not any(0 in revisions for day in range(DAYS) for revisions in desk.night(night(day)).holds.values())
    assert not any(desk.entry(name).status.open for name in naive.entries)
