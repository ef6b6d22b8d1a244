"""Booking, payment and availability together, through every edge between them: at rest, the promises hold.

Messages are delivered at random, twice, and late; cards are declined or fail when they are to pay; guests cancel,
operators refund, deadlines pass. The provider's own books are the measure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.booking import Booking, BookingStatus, payment_id_of
from domain.booking_state import balance_payment_of
from streams.events import Event
from streams.events.about import ConfirmOn
from streams.events.availability import Release
from streams.events.booking import ChangeBooking, CheckIn, CheckOut, MarkNoShow
from streams.events.booking_news import (
    BookingCancellationCompleted,
    BookingCancelled,
    BookingCheckedIn,
    BookingConfirmed,
    BookingExpired,
    BookingRejected,
)
from streams.events.payment import Authorize, Refund
from streams.events.payment_news import PaymentSucceeded
from streams.events.policy import CancellationPolicy
from tests.domain.messages import DEADLINE, NOW, booked_line, cancel, deadline_passed, declare, night, request
from tests.domain.provider import Card
from tests.domain.test_policy import POLICIES
from tests.domain.world import World

DAYS = 4
#: A booking that took place, or will.
STANDING = (BookingStatus.CONFIRMED, BookingStatus.CHECKED_IN, BookingStatus.COMPLETED, BookingStatus.NO_SHOW)
LIMITS = {"double": 2, "suite": 1}


@dataclass(frozen=True)
class Plan:
    """One booking as its guest means it, and what happens to it."""

    lines: tuple[tuple[str, int, int, int], ...]
    price: Decimal
    card: Card
    free: bool
    cancels: bool
    operator_refund: Decimal | None
    tick: bool
    confirm_on: ConfirmOn = "payment.authorized"
    #: What its guest wants instead, one after the other: the same lines a night later, at so much of the price.
    changes: tuple[Decimal, ...] = ()
    #: What a change that costs more is paid with.
    other_card: Card = "good"
    arrives: bool = False
    never_comes: bool = False
    policy: CancellationPolicy | None = None
    #: What is to be paid at booking, if that is not the whole price; and what the rest is paid with at check-in.
    deposit: Decimal | None = None
    balance_card: Card = "good"

    def events(self, booking_id: str) -> list[Event]:
        lines = (
            booked_line(number, product, night(first), night(first + nights), quantity)
            for number, (product, first, nights, quantity) in enumerate(self.lines, 1)
        )
        free_until = night(-1) if self.free else NOW
        terms: dict[str, Any] = {
            "confirm_on": self.confirm_on,
            "prepaid": self.confirm_on != "inventory",
            "policy": self.policy,
            "deposit_amount": self.deposit,
        }
        asked = request(*lines, booking=booking_id, price=self.price, free_until=free_until, **terms)
        later: list[Event] = [msgspec.structs.replace(asked, confirmation_number=f"RSV-2026-{booking_id}")]
        if self.tick:
            later.append(deadline_passed(booking_id))
        if self.operator_refund is not None:
            later += [self._refund(booking_id, self.operator_refund, order) for order in range(3)]
        for nth, part in enumerate(self.changes, 1):
            later += [self._change(booking_id, nth, part)] * 2
            if self.operator_refund is not None:
                later += [self._refund(booking_id, self.operator_refund, nth, revision=nth + 1)]
        if self.arrives:
            later.append(CheckIn(booking_id=booking_id))
            if self.operator_refund is not None and self.deposit is not None:
                later.append(self._refund(booking_id, self.operator_refund, 0, of=balance_payment_of(booking_id)))
            later.append(CheckOut(booking_id=booking_id))
        if self.never_comes:
            later.append(MarkNoShow(booking_id=booking_id))
        if self.cancels:
            later.append(cancel(booking=booking_id))
        return later

    def _change(self, booking_id: str, nth: int, part: Decimal) -> ChangeBooking:
        lines = (
            booked_line(number, product, night(first + nth), night(first + nth + nights), quantity)
            for number, (product, first, nights, quantity) in enumerate(self.lines, 1)
        )
        price = (self.price * part).quantize(Decimal("0.01"))
        return ChangeBooking(
            booking_id=booking_id,
            revision=0,
            lines=tuple(lines),
            price_amount=price,
            deadline=DEADLINE,
            payment_token="sealed tok_visa",
        )

    def _refund(self, booking_id: str, amount: Decimal, order: int, revision: int = 1, of: str | None = None) -> Refund:
        return Refund(
            payment_id=of or payment_id_of(booking_id, revision),
            booking_id=booking_id,
            refund_id=f"operator-{of or booking_id}-{revision}-{order}",
            amount=amount,
            reason="goodwill",
            ordered_by="operator",
        )


def _giving_back(policy: CancellationPolicy, percent: int) -> CancellationPolicy:
    return msgspec.structs.replace(policy, early_departure_refund=percent)


lines = st.tuples(st.sampled_from(["double", "suite"]), st.integers(0, DAYS - 1), st.integers(1, 2), st.integers(1, 2))
_any = st.builds(
    Plan,
    lines=st.lists(lines, min_size=1, max_size=3).map(tuple),
    price=st.sampled_from([Decimal("240.00"), Decimal("99.99"), Decimal(0)]),
    card=st.sampled_from(["good", "good", "good", "declined", "late_decline"]),
    free=st.booleans(),
    cancels=st.booleans(),
    operator_refund=st.sampled_from([None, None, Decimal("40.00"), Decimal("1000.00")]),
    tick=st.booleans(),
    confirm_on=st.sampled_from(["payment.authorized", "payment.authorized", "payment.captured", "inventory"]),
    changes=st.lists(st.sampled_from([Decimal("0.5"), Decimal(1), Decimal("1.5"), Decimal(2)]), max_size=3).map(tuple),
    other_card=st.sampled_from(["good", "good", "declined", "late_decline"]),
    arrives=st.booleans(),
    never_comes=st.sampled_from([False, False, False, True]),
    policy=st.none() | st.builds(_giving_back, POLICIES, st.sampled_from([0, 50, 100])),
    deposit=st.sampled_from([None, None, Decimal("0.01"), Decimal("48.00"), Decimal("240.00")]),
    balance_card=st.sampled_from(["good", "good", "declined", "late_decline"]),
)
#: A stay with a deposit whose guest most likely comes.
_deposited = st.builds(
    Plan,
    lines=lines.map(lambda line: (line,)),
    price=st.sampled_from([Decimal("240.00"), Decimal("99.99")]),
    card=st.sampled_from(["good", "good", "good", "late_decline"]),
    free=st.booleans(),
    cancels=st.sampled_from([False, False, False, True]),
    operator_refund=st.sampled_from([None, None, Decimal("10.00"), Decimal("48.00"), Decimal("150.00")]),
    tick=st.just(False),
    confirm_on=st.sampled_from(["payment.authorized", "payment.authorized", "payment.captured"]),
    changes=st.lists(st.sampled_from([Decimal("0.1"), Decimal("0.5"), Decimal("1.5")]), max_size=3).map(tuple),
    arrives=st.sampled_from([True, True, True, False]),
    never_comes=st.sampled_from([False, False, False, True]),
    policy=st.none() | st.builds(_giving_back, POLICIES, st.sampled_from([0, 50, 100])),
    deposit=st.sampled_from([Decimal("0.01"), Decimal("48.00"), Decimal("240.00")]),
    balance_card=st.sampled_from(["good", "good", "declined", "late_decline"]),
)
plans = _any | _deposited


def shuffled_together(random: Random, stories: list[list[Event]]) -> list[Event]:
    """All events, each story in its own order."""
    order = [number for number, story in enumerate(stories) for _ in story]
    random.shuffle(order)
    rest = [iter(story) for story in stories]
    return [next(rest[number]) for number in order]


def cards_of(named: Mapping[str, Plan]) -> dict[str, Card]:
    """What each payment of these bookings is made with: the first, that of a balance, and those of changes that cost
    more.
    """
    first = {payment_id_of(name, 1): plan.card for name, plan in named.items()}
    balances = {balance_payment_of(name): plan.balance_card for name, plan in named.items()}
    return (
        first
        | balances
        | {payment_id_of(name, more): plan.other_card for name, plan in named.items() for more in range(2, 30)}
    )


def run(plans: list[Plan], seed: int, *, unordered: bool, contrary: bool = False, slow: bool = False) -> World:
    random = Random(seed)
    named = {f"b{number}": plan for number, plan in enumerate(plans)}
    world = World(random, cards_of(named), unordered, contrary, slow)
    for product, limit in LIMITS.items():
        world.shelf.take(declare(limit, product=product), NOW)
    world.run(shuffled_together(random, [plan.events(name) for name, plan in named.items()]))
    world.expire()
    assert set(world.bookings) == set(named)
    return world


@settings(max_examples=250, deadline=None)
@given(st.lists(plans, min_size=1, max_size=7), st.integers(0, 2**32), st.booleans(), st.booleans(), st.booleans())
def test_at_rest_every_promise_holds(plans: list[Plan], seed: int, unordered: bool, contrary: bool, slow: bool) -> None:
    """P1, P2, P3, P4, P5; CAT-23, HTL-26, HTL-29, HTL-36."""
    world = run(plans, seed, unordered=unordered, contrary=contrary, slow=slow)
    for row in world.bookings.values():
        assert_one_outcome(world, row.state)
        assert_money(world, row.state)
        assert_balance(world, row.state, plans[int(row.state.booking_id[1:])])
        assert_cancellation_complete(world, row.state)
    assert_inventory(world)


def assert_one_outcome(world: World, booking: Booking) -> None:
    """P1: confirmed, rejected, expired or cancelled while pending; and after a confirmation at most one end."""
    ends = (BookingConfirmed, BookingRejected, BookingExpired, BookingCancelled)
    said = Counter(
        type(event) for event in world.log if isinstance(event, ends) and event.booking_id == booking.booking_id
    )
    assert booking.status is not BookingStatus.PENDING
    assert all(times == 1 for times in said.values())
    if said[BookingConfirmed]:
        assert set(said) <= {BookingConfirmed, BookingCancelled}
        assert (booking.status is BookingStatus.CANCELLED) == bool(said[BookingCancelled])
        assert booking.status in (*STANDING, BookingStatus.CANCELLED)
    else:
        assert sum(said.values()) == 1
    if said[BookingExpired]:
        assert booking.updated_at >= DEADLINE


def assert_money(world: World, booking: Booking) -> None:
    """P3 and P4, by the provider's books: what is kept is what is owed, and nothing is left authorized."""
    payments = [payment.payment_id for payment in world.payments_of(booking.booking_id)]
    accounts = [account for payment_id in payments for account in world.provider.of(payment_id)]
    assert all(account.state != "authorized" for account in accounts)
    assert all(account.refunded <= account.amount for account in accounts)
    assert len({account.payment_id for account in accounts if account.state == "captured"}) == sum(
        1 for account in accounts if account.state == "captured"
    ), "no payment is captured twice"
    kept = sum((account.kept for account in accounts), Decimal(0))
    assert kept == expected(world, booking)
    assert booking.captured - booking.refunded == kept
    if booking.confirm_on == "payment.authorized":
        assert world.captured_at.get(booking.payment_id, len(world.log)) >= world.confirmed_at(booking.booking_id)
    if not booking.prepaid:
        assert not accounts
    told = [
        event for event in world.log if isinstance(event, PaymentSucceeded) and event.booking_id == booking.booking_id
    ]
    assert sum((event.amount for event in told), Decimal(0)) == booking.captured


def expected(world: World, booking: Booking) -> Decimal:
    """What policy says is owed, less what operators gave back; nothing where the card could not pay."""
    if not booking.captured:
        assert booking.status not in STANDING or not booking.to_pay or booking.balance == booking.price_amount
        return Decimal(0)
    if booking.status in STANDING and booking.cancellation_fee is None:
        owed = booking.price_amount - booking.balance
    elif booking.confirmed_at is None or booking.capture_error is not None:
        owed = booking.cancellation_fee or Decimal(0)
    else:
        owed = world.left[booking.booking_id] - _lost(booking)
    return max(owed - world.given_by_operators(booking.booking_id), Decimal(0))


def _lost(booking: Booking) -> Decimal:
    """What could not be taken any more once it was cancelled."""
    return sum((each.owed for each in booking.supplements if each.failed_late), Decimal(0))


def assert_balance(world: World, booking: Booking, plan: Plan) -> None:
    """With a deposit, no more than it is taken before a guest is in the house, and from then on all that can be."""
    accounts = world.provider.of(balance_payment_of(booking.booking_id))
    arrived = [
        place
        for place, event in enumerate(world.log)
        if isinstance(event, BookingCheckedIn) and event.booking_id == booking.booking_id
    ]
    if booking.deposit is None:
        assert not accounts
        assert booking.rest == 0
        return
    first = world.provider.of(booking.payment_id)
    assert all(account.amount == booking.deposit for account in first)
    assert not world.provider.of(payment_id_of(booking.booking_id, 2)), "a change is paid at check-in"
    if not arrived:
        assert not accounts
        assert booking.status is BookingStatus.CONFIRMED or booking.balance == 0
        return
    asked = [
        place
        for place, event in enumerate(world.log)
        if isinstance(event, Authorize) and event.payment_id == balance_payment_of(booking.booking_id)
    ]
    assert all(place > arrived[0] for place in asked)
    assert booking.rest == 0, "it was asked for"
    if plan.balance_card == "good" and not world.contrary:
        assert booking.balance == 0


def assert_cancellation_complete(world: World, booking: Booking) -> None:
    """HTL-29: once everybody has done their part, that is said, once; and nothing was left to do by then."""
    completed = [
        place
        for place, event in enumerate(world.log)
        if isinstance(event, BookingCancellationCompleted) and event.booking_id == booking.booking_id
    ]
    assert len(completed) == (booking.status is BookingStatus.CANCELLED)
    if booking.closing is not None:
        assert booking.closing.completed_at is not None
        assert not booking.closing.waits
        (place,) = completed
        releases = [
            at
            for at, event in enumerate(world.log)
            if isinstance(event, Release) and event.booking_id == booking.booking_id
        ]
        assert all(at < place for at in releases)


def assert_inventory(world: World) -> None:
    """P2: what is held is what confirmed bookings take, no more than there is, and all of it is confirmed."""
    for product, limit in LIMITS.items():
        taken: Counter[str] = Counter()
        for row in world.bookings.values():
            for line in row.state.lines if row.state.status in STANDING else ():
                if line.product_id == product:
                    first, last = (line.start - night(0)).days, (line.end - night(0)).days
                    taken.update({night(day).date().isoformat(): line.quantity for day in range(first, last)})
        rows = world.shelf.nights(product=product)
        assert {slot: row.held for slot, row in rows.items()} == dict(taken)
        assert all(row.held == row.confirmed <= limit and not row.pending for row in rows.values())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_a_hundred_bookings_of_the_last_unit_leave_one_confirmed(seed: int, unordered: bool) -> None:
    """Through all services: one guest pays and stays, ninety-nine are told why not, and nobody else's money moves."""
    guest = Plan((("suite", 0, 2, 1),), Decimal("240.00"), "good", True, False, None, False)
    world = run([guest] * 100, seed, unordered=unordered)
    outcomes = Counter((row.state.status, row.state.reason) for row in world.bookings.values())
    assert outcomes == {(BookingStatus.CONFIRMED, None): 1, (BookingStatus.REJECTED, "sold_out"): 99}
    assert sum(account.kept for account in world.provider.accounts.values()) == Decimal("240.00")
