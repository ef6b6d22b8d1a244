"""The property that lives are played in: what every step looks at, and the steps of messages, processes and clocks."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from streams.events import booking as said
from streams.events.about import Line
from streams.events.availability import DeclareResource
from streams.events.night_rules import BlockDue, RemoveBlock, SetBlock, SetCalendar
from streams.events.payment import CallDue
from streams.events.waitlist import EntryDue, JoinWaitlist
from tests.domain import messages as say
from tests.lives.life import Lives
from tests.lives.nights import assert_nobody_waits_in_vain
from tests.lives.process import TABLES
from tests.lives.promises import assert_promises
from tests.lives.rows import rows_of

ZONE = "Europe/Berlin"
#: Units of each product in every night, and their price.
LIMITS = {"double": 2, "suite": 1}
PRICES = {"double": Decimal("100.00"), "suite": Decimal("189.50")}
NIGHTS = 4
DEADLINE = timedelta(minutes=10)

#: What a property says of its rows, each in place of what it said before.
SETTINGS = (DeclareResource, SetCalendar, SetBlock, RemoveBlock)

services = st.sampled_from([service.name for service in TABLES])
products = st.sampled_from(sorted(LIMITS))
wishes = st.tuples(products, st.integers(0, NIGHTS - 1), st.integers(1, 2), st.integers(1, 2))
Wish = tuple[str, int, int, int]
places = st.integers(0, 10_000)


def midnight(day: int) -> datetime:
    """The local beginning of a day, counted from tomorrow's."""
    local = datetime(say.NOW.year, say.NOW.month, say.NOW.day, tzinfo=ZoneInfo(ZONE)) + timedelta(days=1 + day)
    return local.astimezone(say.NOW.tzinfo)


def line_of(number: int, wish: Wish) -> Line:
    product, first, nights, quantity = wish
    price = PRICES[product] * nights * quantity
    return say.booked_line(number, product, midnight(first), midnight(first + nights), quantity, price)


class Machine(RuleBasedStateMachine):
    """A property with two unit types, and the three services that decide about it."""

    def __init__(self) -> None:
        super().__init__()
        self.lives = Lives()
        self.requests: dict[str, said.RequestBooking] = {}
        self.entries: dict[str, JoinWaitlist] = {}
        self.provider_is = "here"
        for product, limit in LIMITS.items():
            self.lives.ask(say.declare(limit, product=product, time_zone=ZONE))

    # --- messages ---

    @rule(name=services, records=st.integers(1, 6))
    def decide(self, name: str, records: int) -> None:
        for _ in range(records):
            self.lives.step(name)

    @rule(rounds=st.integers(1, 3))
    def all_goes_well(self, rounds: int) -> None:
        """The common case, so that histories get far: everybody works for a while, perhaps without the provider."""
        for _ in range(rounds):
            for name in self.lives.processes:
                while self.lives.processes[name].behind:
                    self.lives.step(name)
                self.lives.processes[name].settle()
            for number in range(self.lives.called, len(self.lives.calls)):
                if self.provider_is == "here":
                    self.lives.call(number)
                else:
                    self.lives.park(number, done=self.provider_is == "silent", retry_after=None)
                while number in self.lives.answers:
                    self.lives.take_answer(number)

    @rule(name=services, place=places)
    def a_message_comes_again(self, name: str, place: int) -> None:
        """A sender repeats itself: the same message under a new offset. Not of settings: there the last one counts."""
        inbox = [record.message for record in self.lives.processes[name].inbox]
        repeated = [message for message in inbox if not isinstance(message.data, SETTINGS)]
        if repeated:
            self.lives.say(repeated[place % len(repeated)])

    @rule()
    def analytics_counts(self) -> None:
        self.lives.count()

    # --- the provider ---

    @precondition(lambda self: self.lives.called < len(self.lives.calls))
    @rule(place=places, misheard=st.booleans())
    def call_the_provider(self, place: int, misheard: bool) -> None:
        """Any call that waits, in any order; a misheard answer is a refusal first and the truth later."""
        waiting = range(self.lives.called, len(self.lives.calls))
        self.lives.call(waiting[place % len(waiting)], misheard=misheard)

    @rule(provider_is=st.sampled_from(["here", "away", "silent"]))
    def the_provider_comes_and_goes(self, provider_is: str) -> None:
        """From now on: it answers, cannot be reached, or does what it is asked and says nothing."""
        self.provider_is = provider_is

    @precondition(lambda self: self.lives.called < len(self.lives.calls))
    @rule(place=places, done=st.booleans(), retry_after=st.sampled_from([None, None, 20.0, 1e9]))
    def a_call_gets_no_answer(self, place: int, done: bool, retry_after: float | None) -> None:
        """A call outlasts its retries, though the provider may have done what was asked."""
        waiting = range(self.lives.called, len(self.lives.calls))
        self.lives.park(waiting[place % len(waiting)], done=done, retry_after=retry_after)

    @precondition(lambda self: self.lives.called < len(self.lives.calls))
    @rule(place=places)
    def a_call_is_left_out(self, place: int) -> None:
        """One that comes again after its answer, or after it was parked."""
        waiting = range(self.lives.called, len(self.lives.calls))
        self.lives.leave_out(waiting[place % len(waiting)])

    @rule(minutes=st.sampled_from([0, 1, 2, 5]))
    def parked_calls_are_due(self, minutes: int) -> None:
        """Perhaps a little too early."""
        self.lives.passes(timedelta(minutes=minutes))
        self.tick()

    @precondition(lambda self: self.lives.answers)
    @rule(place=places, again=st.booleans())
    def an_answer_arrives(self, place: int, again: bool) -> None:
        """In any order, late, or twice."""
        under_way = sorted(self.lives.answers)
        self.lives.take_answer(under_way[place % len(under_way)], again=again)

    @precondition(lambda self: self.lives.provider.said)
    @rule(place=places)
    def a_webhook_comes(self, place: int) -> None:
        """Of anything the provider ever did: before its answer, after it, or again."""
        self.lives.webhook(place)

    @rule(place=places)
    def an_authorization_expires(self, place: int) -> None:
        self.lives.expire(place)

    # --- kills ---

    @rule(name=services)
    def settle(self, name: str) -> None:
        self.lives.processes[name].settle()

    @rule(name=services)
    def kill(self, name: str) -> None:
        self.lives.processes[name].kill()

    @rule(name=services, reaching=st.integers(0, 4))
    def kill_in_the_middle(self, name: str, reaching: int) -> None:
        """Between two of the messages that one decision says."""
        self.lives.step(name, reaching)

    @rule()
    def kill_the_caller(self) -> None:
        """Of the provider: it calls again, under the same keys."""
        self.lives.kill_effects()

    # --- clocks ---

    @rule(hours=st.sampled_from([0.05, 0.2, 1.5, 6, 24]))
    def time_passes(self, hours: float) -> None:
        self.lives.passes(timedelta(hours=hours))

    @rule(twice=st.booleans())
    def clocks_tick(self, twice: bool) -> None:
        """A tick for everything that the indexes have as due; a slow inbox gets it twice."""
        for _ in range(1 + twice):
            self.tick()

    @rule(place=places)
    def a_clock_is_fast(self, place: int) -> None:
        """Ticks that come too early, or for what waits for none."""
        name, _ = self.some_booking(place)
        self.lives.ask(say.deadline_passed(name), source="ticker")
        self.lives.ask(said.StayDue(booking_id=name, due=self.lives.now), source="ticker")
        for row in rows_of(self.lives, "payment", "d|").values():
            self.lives.ask(msgspec.convert(row, CallDue), source="ticker")
        if self.entries:
            entry = list(self.entries.values())[place % len(self.entries)]
            self.lives.ask(
                EntryDue(entry_id=entry.entry_id, provider_id="hotel", product_id=entry.product_id), source="ticker"
            )

    # --- at rest ---

    def teardown(self) -> None:
        """Faults end, deadlines, stays, offers and blocks run out, and the promises are looked at."""
        self.lives.rest()
        self.the_provider_is_back()
        self.lives.passes(timedelta(seconds=1))
        self.tick()
        self.lives.rest()
        assert_nobody_waits_in_vain(self.lives, ZONE)
        for time in (DEADLINE, timedelta(days=NIGHTS + 4)):
            self.lives.passes(time)
            self.tick()
            self.lives.rest()
        self.tick()  # a stay that is checked out by itself the day after it came
        self.lives.rest()
        assert_promises(self.lives, self.requests, ZONE)

    def the_provider_is_back(self) -> None:
        """What was parked is called again when it is due, one after the other, and answered."""
        calls = len(self.lives.calls)
        for _ in range(calls):
            self.lives.passes(timedelta(seconds=121))
            self.tick()
            self.lives.rest()
            if not rows_of(self.lives, "payment", "d|"):
                return
        assert not calls, "a call is parked for ever"

    # --- what the steps look at ---

    def some_booking(self, place: int) -> tuple[str, Any]:
        """One of the bookings, and its row as a gateway would read it."""
        name = list(self.requests)[place % len(self.requests)]
        return name, rows_of(self.lives, "booking", f"b|{name}").get(f"b|{name}")

    def tick(self) -> None:
        """What the tickers do: they read the indexes of durable rows, and say what is due by their clock."""
        now = self.lives.now.isoformat(timespec="milliseconds")
        for index in ("d|", "t|"):
            for key, row in rows_of(self.lives, "booking", index).items():
                if key.split("|")[1] >= now:
                    continue
                name = row["booking_id"]
                due = datetime.fromisoformat(row["due"]) if "due" in row else None
                tick = said.StayDue(booking_id=name, due=due) if due else say.deadline_passed(name)
                self.lives.ask(tick, source="ticker")
        for key, row in rows_of(self.lives, "payment", "d|").items():
            if key.split("|")[1] < now:
                self.lives.ask(msgspec.convert(row, CallDue), source="ticker")
        for index, kind in (("d|", BlockDue), ("u|", EntryDue)):
            for key, row in rows_of(self.lives, "availability", index).items():
                if key.split("|")[1] < now:
                    self.lives.ask(msgspec.convert(row, kind), source="ticker")
