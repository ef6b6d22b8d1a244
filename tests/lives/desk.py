"""What the front desk, operators and the property do in a life."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from domain.booking import payment_id_of
from streams.events import booking as said
from streams.events.night_rules import RemoveBlock, SetBlock, SetCalendar
from streams.events.payment import Refund, Settle
from tests.domain import messages as say
from tests.lives.machine import NIGHTS, ZONE, Machine, places, products
from tests.lives.rows import rows_of

#: Rules of a night that are often lifted again, so that something is sold.
calendars = st.sampled_from(
    [
        {"stop_sell": True},
        {"closed_to_arrival": True},
        {"overbooking_limit": 1},
        {"overbooking_limit": 2},
        {"clears": ("stop_sell", "closed_to_arrival", "overbooking_limit")},
        {"clears": ("stop_sell", "closed_to_arrival", "overbooking_limit")},
    ]
)


def day(number: int) -> date:
    """A night's date, counted from tomorrow's."""
    return say.NOW.date() + timedelta(days=1 + number)


class Desk(Machine):
    """Those who check guests in and out, give money back, book payouts, and say what is for sale."""

    # --- the front desk ---

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

    @rule(place=places, later=st.booleans())
    def mark_no_show(self, place: int, later: bool) -> None:
        """The day after, or whenever somebody tries."""
        name, row = self.some_booking(place)
        if later and row is not None and "times" in row:
            self.lives.passes(max(datetime.fromisoformat(row["times"]["no_show_from"]) - self.lives.now, timedelta(0)))
        self.lives.ask(said.MarkNoShow(booking_id=name))

    # --- operators ---

    @rule(
        place=places,
        revision=st.sampled_from([1, 1, 2, 3, 4]),
        amount=st.sampled_from([Decimal("40.00"), Decimal("110.00"), Decimal("1000.00")]),
        order=st.integers(0, 1),
    )
    def give_back(self, place: int, revision: int, amount: Decimal, order: int) -> None:
        """An operator's refund of any payment, perhaps of more than there is, perhaps ordered twice."""
        name, _ = self.some_booking(place)
        self.lives.ask(
            Refund(
                payment_id=payment_id_of(name, revision),
                booking_id=name,
                refund_id=f"operator-{name}-{revision}-{order}-{amount}",
                amount=amount,
                reason="noise at night",
                ordered_by="operator",
            )
        )

    @rule(run=st.integers(1, 3))
    def book_payouts(self, run: int) -> None:
        """A settlement run: of everything that waits for one, perhaps in two runs at once."""
        for row in rows_of(self.lives, "payment", "s|").values():
            self.lives.ask(Settle(payment_id=row["payment_id"], settlement_id=f"run-{run}"), source="settlement")

    # --- what is for sale ---

    @rule(product=products, capacity=st.integers(0, 3), overbooking=st.sampled_from([0, 0, 0, 1]))
    def declare(self, product: str, capacity: int, overbooking: int) -> None:
        self.lives.ask(say.declare(capacity, overbooking, product=product, time_zone=ZONE))

    @rule(product=products, first=st.integers(0, NIGHTS), nights=st.integers(1, NIGHTS), rules=calendars)
    def set_calendar(self, product: str, first: int, nights: int, rules: dict[str, Any]) -> None:
        self.lives.ask(
            SetCalendar(
                provider_id="hotel", product_id=product, from_date=day(first), to_date=day(first + nights), **rules
            )
        )

    @rule(
        product=products,
        name=st.sampled_from(["boiler", "group"]),
        first=st.integers(0, NIGHTS),
        nights=st.integers(1, NIGHTS),
        units=st.integers(1, 3),
        hours=st.none() | st.sampled_from([0, 1, 12, 40]),
    )
    def block(self, product: str, name: str, first: int, nights: int, units: int, hours: int | None) -> None:
        """Out of sale until it is taken away, or for so many hours."""
        self.lives.ask(
            SetBlock(
                provider_id="hotel",
                product_id=product,
                block_id=name,
                from_date=day(first),
                to_date=day(first + nights),
                units=units,
                reason="maintenance" if hours is None else "group",
                release_at=None if hours is None else self.lives.now + timedelta(hours=hours),
            )
        )

    @rule(product=products, name=st.sampled_from(["boiler", "group"]))
    def unblock(self, product: str, name: str) -> None:
        self.lives.ask(RemoveBlock(provider_id="hotel", product_id=product, block_id=name))
