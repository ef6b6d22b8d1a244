"""Whole lives of bookings: every step that a guest, a front desk, an operator, a card or a clock can take, in any
order, with processes killed between any two of them. After each, at rest, the promises hold (`life_promises`).

One method is one kind of step: what a later version adds is one more method here, and what it owes in `life_promises`.
`make test` plays a short form; `LIFE_HISTORIES=1000 pytest tests/domain/test_life_histories.py` as many as it says, and
`make soak` a thousand.
"""

from __future__ import annotations

import os
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from domain.booking import payment_id_of
from domain.cancellation import Quote
from streams.envelope import caused_by
from streams.events import Envelope, Event
from streams.events import booking as said
from streams.events.about import ConfirmOn, Line
from streams.events.payment import Refund
from streams.events.stay import Run, StayTimes
from tests.domain import messages as say
from tests.domain.life import TABLES, Lives, Process
from tests.domain.life_promises import assert_promises, rows_of
from tests.domain.provider import Card

#: How many histories `make test` plays, and how many `make soak`.
HISTORIES = int(os.environ.get("LIFE_HISTORIES", "300"))
MANY = 1_000
STEPS = 60

ZONE = "Europe/Berlin"
#: Units of each product in every night, and their price.
LIMITS = {"double": 2, "suite": 1}
PRICES = {"double": Decimal("100.00"), "suite": Decimal("189.50")}
NIGHTS = 4
DEADLINE = timedelta(minutes=10)

services = st.sampled_from([service.name for service in TABLES])
wishes = st.tuples(st.sampled_from(sorted(LIMITS)), st.integers(0, NIGHTS - 1), st.integers(1, 2), st.integers(1, 2))
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


def times_of(lines: tuple[Line, ...], no_show: Run, check_out: Run) -> StayTimes:
    start, end = min(line.start for line in lines), max(line.end for line in lines)
    return StayTimes(
        arrival=start,
        check_in_from=start + timedelta(hours=15),
        no_show_from=start + timedelta(days=1),
        check_out_until=end + timedelta(hours=11),
        departed=end + timedelta(days=1),
        no_show=no_show,
        check_out=check_out,
    )


class LifeHistories(RuleBasedStateMachine):
    """A property with two unit types, its guests, and the three services that decide about them."""

    def __init__(self) -> None:
        super().__init__()
        self.lives = Lives()
        self.requests: dict[str, said.RequestBooking] = {}
        for product, limit in LIMITS.items():
            self.lives.ask(say.declare(limit, product=product, time_zone=ZONE))

    # --- guests ---

    @initialize(
        wish=wishes,
        confirm_on=st.sampled_from(["payment.authorized", "payment.captured"]),
        auto=st.sampled_from(["auto", "manual"]),
    )
    def open_the_doors(self, wish: Wish, confirm_on: ConfirmOn, auto: Run) -> None:
        """Every history has a guest who pays."""
        self.book([wish], confirm_on, "good", free=True, no_show=auto, check_out=auto, calm=True)

    @rule(
        wanted=st.lists(wishes, min_size=1, max_size=2),
        confirm_on=st.sampled_from(["payment.authorized", "payment.authorized", "payment.captured", "inventory"]),
        card=st.sampled_from(["good", "good", "good", "declined", "late_decline"]),
        free=st.booleans(),
        no_show=st.sampled_from(["auto", "manual"]),
        check_out=st.sampled_from(["auto", "manual"]),
        calm=st.booleans(),
        dated=st.sampled_from([True, True, True, False]),
    )
    def book(
        self,
        wanted: list[Wish],
        confirm_on: ConfirmOn,
        card: Card,
        free: bool,
        no_show: Run,
        check_out: Run,
        calm: bool,
        dated: bool = True,
    ) -> None:
        """Some guests wait for their answer before anything else happens; some requests are of a version before, which
        froze no times.
        """
        name = f"b{len(self.requests)}"
        lines = tuple(line_of(number, wish) for number, wish in enumerate(wanted, 1))
        asked = say.request(
            *lines,
            booking=name,
            price=sum((line.price_amount for line in lines), Decimal(0)),
            free_until=min(line.start for line in lines) if free else self.lives.now,
            confirm_on=confirm_on,
            prepaid=confirm_on != "inventory",
            time_zone=ZONE,
            times=times_of(lines, no_show, check_out) if dated else None,
        )
        self.requests[name] = msgspec.structs.replace(asked, deadline=self.lives.now + DEADLINE)
        self.lives.cards[payment_id_of(name, 1)] = card
        self.lives.ask(self.requests[name])
        if calm:
            self.all_goes_well(2)

    @rule(
        place=places,
        product=st.sampled_from(["the same", "the same", *LIMITS]),
        first=st.integers(0, NIGHTS - 1),
        fewer=st.integers(0, 1),
        calm=st.booleans(),
    )
    def modify(self, place: int, product: str, first: int, fewer: int, calm: bool) -> None:
        """Other nights, another unit type, fewer units: asked with the revision the row would make next."""
        name, row = self.some_booking(place)
        asked = self.requests[name]
        if row is None or asked.times is None:
            return
        before = asked.lines[0]
        wish = before.product_id if product == "the same" else product, first, 1, max(1, before.quantity - fewer)
        lines = (line_of(1, wish),)
        self.lives.ask(
            said.ChangeBooking(
                booking_id=name,
                revision=self.next_revision(row),
                lines=lines,
                price_amount=lines[0].price_amount,
                deadline=self.lives.now + DEADLINE,
                free_until=lines[0].start,
                times=times_of(lines, asked.times.no_show, asked.times.check_out),
            )
        )
        if calm:
            self.all_goes_well(1)

    @rule(place=places)
    def cancel(self, place: int) -> None:
        self.lives.ask(say.cancel(booking=self.some_booking(place)[0]))

    # --- the front desk and operators ---

    @rule(place=places, on_time=st.booleans())
    def check_in(self, place: int, on_time: bool) -> None:
        """On the day, or whenever somebody tries."""
        name, row = self.some_booking(place)
        if on_time and row is not None and "times" in row:
            self.lives.passes(max(datetime.fromisoformat(row["times"]["arrival"]) - self.lives.now, timedelta(0)))
        self.lives.ask(said.CheckIn(booking_id=name))

    @rule(place=places)
    def check_out(self, place: int) -> None:
        self.lives.ask(said.CheckOut(booking_id=self.some_booking(place)[0]))

    @rule(place=places)
    def mark_no_show(self, place: int) -> None:
        self.lives.ask(said.MarkNoShow(booking_id=self.some_booking(place)[0]))

    @rule(place=places, amount=st.sampled_from([Decimal("40.00"), Decimal("1000.00")]), order=st.integers(0, 1))
    def give_back(self, place: int, amount: Decimal, order: int) -> None:
        """An operator's refund, perhaps of more than there is, perhaps ordered twice."""
        name, _ = self.some_booking(place)
        self.lives.ask(
            Refund(
                payment_id=payment_id_of(name, 1),
                booking_id=name,
                refund_id=f"operator-{name}-{order}-{amount}",
                amount=amount,
                reason="noise at night",
                ordered_by="operator",
            )
        )

    # --- clocks ---

    @rule(hours=st.sampled_from([0.05, 0.2, 6, 24]))
    def time_passes(self, hours: float) -> None:
        self.lives.passes(timedelta(hours=hours))

    @rule(twice=st.booleans())
    def clocks_tick(self, twice: bool) -> None:
        """A tick for everything that the index has as due; a slow inbox gets it twice."""
        for _ in range(1 + twice):
            self.tick()

    @rule(place=places)
    def a_clock_is_fast(self, place: int) -> None:
        """Ticks that come too early, or for what waits for none."""
        name, _ = self.some_booking(place)
        self.lives.ask(say.deadline_passed(name), source="ticker")
        self.lives.ask(said.StayDue(booking_id=name, due=self.lives.now), source="ticker")

    # --- messages ---

    @rule(name=services, records=st.integers(1, 6))
    def decide(self, name: str, records: int) -> None:
        for _ in range(records):
            self.lives.step(name)

    @rule(rounds=st.integers(1, 3))
    def all_goes_well(self, rounds: int) -> None:
        """The common case, so that histories get far: everybody works for a while."""
        for _ in range(rounds):
            for name in self.lives.processes:
                while self.lives.processes[name].behind:
                    self.lives.step(name)
                self.lives.processes[name].settle()
            for number in range(self.lives.called, len(self.lives.calls)):
                self.lives.call(number)
                while number in self.lives.answers:
                    self.lives.take_answer(number)

    @rule(name=services, place=places)
    def a_message_comes_again(self, name: str, place: int) -> None:
        """A sender repeats itself: the same message under a new offset."""
        inbox = self.lives.processes[name].inbox
        if inbox:
            self.lives.say(inbox[place % len(inbox)].message)

    # --- the provider ---

    @precondition(lambda self: self.lives.called < len(self.lives.calls))
    @rule(place=places, misheard=st.booleans())
    def call_the_provider(self, place: int, misheard: bool) -> None:
        """Any call that waits, in any order; a misheard answer is a refusal first and the truth later."""
        waiting = range(self.lives.called, len(self.lives.calls))
        self.lives.call(waiting[place % len(waiting)], misheard=misheard)

    @precondition(lambda self: self.lives.answers)
    @rule(place=places, again=st.booleans())
    def an_answer_arrives(self, place: int, again: bool) -> None:
        """In any order, late, or twice."""
        under_way = sorted(self.lives.answers)
        self.lives.take_answer(under_way[place % len(under_way)], again=again)

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

    # --- at rest ---

    def teardown(self) -> None:
        """Faults end, deadlines and stays run out, and the promises are looked at."""
        self.lives.rest()
        for time in (DEADLINE, timedelta(days=NIGHTS + 4)):
            self.lives.passes(time)
            self.tick()
            self.lives.rest()
        self.tick()  # a stay that is checked out by itself the day after it came
        self.lives.rest()
        assert_promises(self.lives, self.requests, LIMITS, ZONE)

    # --- what the steps look at ---

    def some_booking(self, place: int) -> tuple[str, Any]:
        """One of the bookings, and its row as a gateway would read it."""
        name = f"b{place % len(self.requests)}"
        return name, rows_of(self.lives, "booking", f"b|{name}").get(f"b|{name}")

    def next_revision(self, row: Any) -> int:
        refused: int = row.get("refused_change", {}).get("revision", 0)
        return max(int(row.get("revision", 1)), refused) + 1

    def tick(self) -> None:
        """What a ticker does: it reads the index of durable rows, and says what is due by its clock."""
        now = self.lives.now.isoformat(timespec="milliseconds")
        for index in ("d|", "t|"):
            for key, row in rows_of(self.lives, "booking", index).items():
                if key.split("|")[1] >= now:
                    continue
                name = row["booking_id"]
                due = datetime.fromisoformat(row["due"]) if "due" in row else None
                tick = said.StayDue(booking_id=name, due=due) if due else say.deadline_passed(name)
                self.lives.ask(tick, source="ticker")


def play(histories: int, **more: Any) -> None:
    many = settings(
        max_examples=histories,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        **more,
    )
    run_state_machine_as_test(LifeHistories, settings=many)


@pytest.mark.timeout(600)
@pytest.mark.proves("HTL-02", "HTL-26", "HTL-29", "HTL-36", "CAT-23")
def test_after_every_life_every_promise_holds() -> None:
    play(HISTORIES)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_after_a_thousand_lives_every_promise_holds() -> None:
    play(max(HISTORIES, MANY))


def forgetful(process: Process) -> None:
    """Durable by its position only: what it decided is lost with it."""
    process.position = process.next


def under_new_ids(cause: Envelope, event: Event, *, index: int, now: datetime, source: str) -> Envelope:
    return msgspec.structs.replace(
        caused_by(cause, event, index=index, now=now, source=source), event_id=str(uuid.uuid4())
    )


MISTAKES = {
    "a guest is let in before the day": ("domain.booking_changes.is_time", lambda *_: True),
    "one unit too many is sold": ("domain.inventory.Resource.limit", lambda unit, rules, now: unit.capacity + 1),
    "every cancellation is free": (
        "domain.booking_outcomes.quote_cancellation",
        lambda booking, now: Quote(fee=Decimal(0), refund=booking.price_amount),
    ),
    "rows are lost in a kill": ("tests.domain.life.Process.settle", forgetful),
    "a decision made again says new things": ("tests.domain.life.caused_by", under_new_ids),
    "no clock ticks": ("domain.stay_times.due_of", lambda booking: None),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_shows_in_some_life(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The promises are looked at by code that would notice."""
    monkeypatch.setattr(*MISTAKES[mistake])
    with pytest.raises((AssertionError, ExceptionGroup)):
        play(300, phases=[Phase.generate], database=None, report_multiple_bugs=False)
