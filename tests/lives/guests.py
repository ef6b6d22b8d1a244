"""What guests do in a life: they book, change, cancel, wait for what is sold out, and accept what they are offered."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from domain.booking import payment_id_of
from streams.events import booking as said
from streams.events.about import ConfirmOn, Line
from streams.events.policy import Before, CancellationPolicy, Fee, Tier
from streams.events.stay import Run, StayTimes
from streams.events.waitlist import LeaveWaitlist
from tests.domain import messages as say
from tests.domain.provider import Card
from tests.domain.waiting import join
from tests.lives.machine import DEADLINE, LIMITS, NIGHTS, ZONE, Machine, Wish, line_of, midnight, places, wishes
from tests.lives.rows import rows_of

#: Ends that come and go while a history runs.
ends = st.one_of(
    st.builds(Before, days=st.integers(0, 3), at=st.sampled_from(["00:00", "12:00", "18:00"])),
    st.builds(Before, hours=st.integers(0, 80)),
)
fees = st.one_of(
    st.builds(Fee, percent=st.sampled_from([0, 33, 50, 80, 100])),
    st.builds(Fee, nights=st.integers(1, 3)),
    st.builds(Fee, amount=st.sampled_from([Decimal(0), Decimal("66.65"), Decimal(500)])),
)
policies = st.builds(
    CancellationPolicy,
    free_until=st.none() | ends,
    then=st.lists(st.builds(Tier, fee=fees, until=st.none() | ends), max_size=3).map(tuple),
    early_departure_refund=st.sampled_from([0, 0, 50, 77, 100]),
)
cards = st.sampled_from(["good", "good", "good", "declined", "late_decline"])


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


class Guests(Machine):
    """Those who book, and those who wait."""

    @initialize(
        wish=wishes,
        confirm_on=st.sampled_from(["payment.authorized", "payment.captured"]),
        policy=st.none() | policies,
        auto=st.sampled_from(["auto", "manual"]),
    )
    def open_the_doors(self, wish: Wish, confirm_on: ConfirmOn, policy: CancellationPolicy | None, auto: Run) -> None:
        """Every history has a guest who pays."""
        self.book([wish], confirm_on, "good", free=True, policy=policy, no_show=auto, check_out=auto, calm=True)

    @rule(
        wanted=st.lists(wishes, min_size=1, max_size=2),
        confirm_on=st.sampled_from(["payment.authorized", "payment.authorized", "payment.captured", "inventory"]),
        card=cards,
        free=st.booleans(),
        policy=st.none() | policies,
        no_show=st.sampled_from(["auto", "manual"]),
        check_out=st.sampled_from(["auto", "manual"]),
        calm=st.booleans(),
        dated=st.sampled_from([True, True, True, False]),
        name=st.none(),
    )
    def book(
        self,
        wanted: list[Wish],
        confirm_on: ConfirmOn,
        card: Card,
        free: bool,
        policy: CancellationPolicy | None,
        no_show: Run,
        check_out: Run,
        calm: bool,
        dated: bool = True,
        name: str | None = None,
    ) -> None:
        """Some guests wait for their answer before anything else happens; some requests are of a version before, which
        froze no times, knew no policies, and followed no cancellation.
        """
        lines = tuple(line_of(number, wish) for number, wish in enumerate(wanted, 1))
        self.request(
            name or f"b{len(self.requests)}",
            lines,
            card,
            free_until=min(line.start for line in lines) if free or policy is not None else self.lives.now,
            confirm_on=confirm_on,
            prepaid=confirm_on != "inventory",
            times=times_of(lines, no_show, check_out) if dated else None,
            policy=policy if dated else None,
            rules=said.RULES if dated else 1,
        )
        if calm:
            self.all_goes_well(2)

    def request(self, name: str, lines: tuple[Line, ...], card: Card, **more: Any) -> None:
        price = sum((line.price_amount for line in lines), Decimal(0))
        asked = say.request(*lines, booking=name, price=price, time_zone=ZONE, **more)
        self.requests[name] = msgspec.structs.replace(asked, deadline=self.lives.now + DEADLINE)
        self.lives.cards[payment_id_of(name, 1)] = card
        self.lives.ask(self.requests[name])

    @rule(
        place=places,
        product=st.sampled_from(["the same", "the same", *LIMITS]),
        first=st.integers(0, NIGHTS - 1),
        nights=st.integers(1, 3),
        quantity=st.integers(1, 2),
        card=cards,
        token=st.sampled_from([True, True, True, False]),
        calm=st.booleans(),
    )
    def modify(
        self, place: int, product: str, first: int, nights: int, quantity: int, card: Card, token: bool, calm: bool
    ) -> None:
        """Other nights, another unit type, more or fewer units, for more money or less: asked with the revision the
        row would make next.
        """
        name, row = self.some_booking(place)
        asked = self.requests[name]
        if row is None or asked.times is None:
            return
        lines = (
            line_of(1, (asked.lines[0].product_id if product == "the same" else product, first, nights, quantity)),
        )
        revision = self.next_revision(row)
        self.lives.cards.setdefault(payment_id_of(name, revision), card)
        self.lives.ask(
            said.ChangeBooking(
                booking_id=name,
                revision=revision,
                lines=lines,
                price_amount=lines[0].price_amount,
                deadline=self.lives.now + DEADLINE,
                free_until=lines[0].start,
                times=times_of(lines, asked.times.no_show, asked.times.check_out),
                payment_token="sealed tok_visa" if token else None,
            )
        )
        if calm:
            self.all_goes_well(2)

    @rule(place=places)
    def change_words(self, place: int) -> None:
        name, row = self.some_booking(place)
        if row is not None:
            self.lives.ask(
                said.ChangeBooking(
                    booking_id=name,
                    revision=self.next_revision(row),
                    details={"note": "late"},
                    deadline=self.lives.now + DEADLINE,
                )
            )

    def next_revision(self, row: Any) -> int:
        refused: int = row.get("refused_change", {}).get("revision", 0)
        return max(int(row.get("revision", 1)), refused) + 1

    @rule(
        place=places,
        agreed=st.sampled_from([None, None, None, Decimal(0), Decimal("66.65"), Decimal("100.00"), Decimal("200.00")]),
    )
    def cancel(self, place: int, agreed: Decimal | None) -> None:
        """Some say what they were told it costs."""
        asked = say.cancel(booking=self.some_booking(place)[0])
        self.lives.ask(msgspec.structs.replace(asked, expected_fee=agreed))

    # --- who waits ---

    @rule(wish=wishes, minutes=st.sampled_from([5, 60, 600]), calm=st.booleans())
    def wait(self, wish: Wish, minutes: int, calm: bool) -> None:
        product, first, nights, quantity = wish
        asked = join(
            f"w{len(self.entries)}",
            midnight(first),
            midnight(first + nights),
            quantity,
            midnight(first) + timedelta(hours=18),
            minutes,
        )
        self.entries[asked.entry_id] = msgspec.structs.replace(asked, product_id=product, time_zone=ZONE)
        self.lives.ask(self.entries[asked.entry_id])
        if calm:
            self.all_goes_well(1)

    @precondition(lambda self: self.entries)
    @rule(place=places)
    def leave_the_waitlist(self, place: int) -> None:
        entry = list(self.entries.values())[place % len(self.entries)]
        self.lives.ask(
            LeaveWaitlist(entry_id=entry.entry_id, provider_id=entry.provider_id, product_id=entry.product_id)
        )

    @precondition(lambda self: self.entries)
    @rule(place=places, card=cards, policy=st.none() | policies, other=st.sampled_from([False, False, True]))
    def accept(self, place: int, card: Card, policy: CancellationPolicy | None, other: bool) -> None:
        """The booking of an entry that was offered something, whatever became of it since; some want other nights."""
        entry = list(self.entries.values())[place % len(self.entries)]
        row = rows_of(self.lives, "availability", f"e|{entry.entry_id}|").get(f"e|{entry.entry_id}|", {})
        if entry.entry_id in self.requests or "offer_until" not in row:
            return
        first = round((entry.start - midnight(0)) / timedelta(days=1))
        nights = 1 if other else round((entry.end - entry.start) / timedelta(days=1))
        lines = (line_of(1, (entry.product_id, first, nights, entry.quantity)),)
        times = times_of(lines, "auto", "auto")
        self.request(entry.entry_id, lines, card, free_until=lines[0].start, times=times, policy=policy)
