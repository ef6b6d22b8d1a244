"""P3 and P4 by a cash book of the test's own: what each record of a booking's inbox, and each piece of news, means for
what is owed. The measure is the provider's own books.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from domain.booking import payment_id_of
from streams.events import Event
from streams.events.about import Line
from streams.events.booking import CancelBooking, CaptureFailed, PaymentCaptured, PaymentRefunded, RequestBooking
from streams.events.booking_news import (
    BookingCancelled,
    BookingCheckedIn,
    BookingCompleted,
    BookingConfirmed,
    BookingNoShow,
    BookingUpdated,
)
from streams.events.payment import Refund
from streams.events.payment_news import PaymentSettled
from streams.events.policy import Before, Fee
from tests.domain.life import Lives, Record
from tests.domain.life_rows import heard_by_cause, local_date, rows_of
from tests.domain.provider import Account

NOTHING = Decimal(0)


@dataclass
class Book:
    """One booking, as plainly as possible."""

    asked: RequestBooking
    lines: tuple[Line, ...]
    price: Decimal
    arrival: datetime
    confirmed: bool = False
    ended: bool = False
    #: The prices that changes made, by revision.
    changes: list[tuple[int, Decimal]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    #: What operators' refunds gave back.
    gifts: dict[str, Decimal] = field(default_factory=dict)
    #: What was to go back by policy, of what was paid; and the payments that were lost by then.
    back: Decimal | None = None
    lost_then: frozenset[str] = frozenset()
    undone: bool = False

    @property
    def given(self) -> Decimal:
        return sum(self.gifts.values(), NOTHING)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.asked.time_zone)

    def paid(self, lost: set[str] | frozenset[str]) -> Decimal:
        """The price as it stands, less what of it was never taken: a cheaper change is taken off that first."""
        price = paid = self.asked.price_amount
        for revision, changed in self.changes:
            if changed <= price:
                paid = min(paid, changed)
            elif payment_id_of(self.asked.booking_id, revision) not in lost:
                paid += changed - price
            price = changed
        return paid

    def fee(self, now: datetime | None) -> Decimal:
        """What is kept of a cancellation, by the tier that holds then; in the end, without a time."""
        policy = self.asked.policy
        if policy is None:
            free = now is not None and now < self.arrival
            return NOTHING if free else self.price
        tiers = [(policy.free_until, Fee(percent=0))] if policy.free_until else []
        tiers += [(tier.until, tier.fee) for tier in policy.then]
        for until, fee in tiers:
            if until is None or (now is not None and now < self.instant(until)):
                return self.amount_of(fee)
        return self.price

    def instant(self, before: Before) -> datetime:
        if before.days is None:
            return self.arrival - timedelta(hours=before.hours or 0)
        day = local_date(self.arrival, self.zone) - timedelta(days=before.days)
        return datetime.combine(day, time.fromisoformat(before.at), self.zone)

    def amount_of(self, fee: Fee) -> Decimal:
        if fee.amount is not None:
            return min(fee.amount, self.price)
        part = Fraction(fee.percent, 100) if fee.percent is not None else Fraction(fee.nights or 0, self.nights)
        return min(cents(Fraction(self.price) * part), self.price)

    @property
    def dates(self) -> tuple[date, date]:
        starts, ends = [line.start for line in self.lines], [line.end for line in self.lines]
        return local_date(min(starts), self.zone), local_date(max(ends), self.zone)

    @property
    def nights(self) -> int:
        first, last = self.dates
        return (last - first).days

    def take(self, record: Record, news: list[Event]) -> None:
        message = record.message.data
        match message:
            case CaptureFailed():
                self.failed.add(message.payment_id)
            case PaymentCaptured():
                self.failed.discard(message.payment_id)
            case PaymentRefunded() if message.refund_id.startswith("operator"):
                self.gifts[message.refund_id] = message.amount
            case CancelBooking() if self.confirmed and not self.ended:
                agreed = message.expected_fee
                fee = min(self.fee(record.time), self.paid(self.lost)) if self.asked.prepaid else NOTHING
                cancels = any(isinstance(each, BookingCancelled) for each in news)
                assert cancels == (agreed in (None, fee)), (fee, agreed)
        for each in news:
            self.hear(each, record.time)

    @property
    def lost(self) -> set[str]:
        return self.failed - {payment_id_of(self.asked.booking_id, 1)}

    def hear(self, news: Event, now: datetime) -> None:
        match news:
            case BookingConfirmed():
                self.confirmed = True
            case BookingUpdated() if self.ended or news.status == "COMPLETED":
                assert news.price_amount == self.price_of_who_left(now), (news, self)
                self.change(news)
            case BookingUpdated():
                self.arrival = min(self.arrival, news.start_time)
                self.change(news)
            case BookingCheckedIn() | BookingCompleted():
                self.ended = True
            case BookingNoShow():
                self.ended = True
                if self.asked.policy is not None:
                    self.settle(self.fee(None), news.refund_amount)
            case BookingCancelled() if self.confirmed:
                self.ended = True
                self.undone = news.cancellation_reason.startswith("payment_capture_failed")
                if not self.undone:
                    self.settle(self.fee(now), news.refund_amount)

    def change(self, news: BookingUpdated) -> None:
        assert news.about is not None
        self.lines, self.price = news.about.lines, news.price_amount
        self.changes.append((news.revision, news.price_amount))

    def settle(self, fee: Decimal, told: Decimal | None) -> None:
        """What goes back of what was paid, operators' gifts counted in."""
        paid = self.paid(self.lost) if self.asked.prepaid else NOTHING
        self.back = max(paid - self.given - min(fee, paid), NOTHING)
        self.lost_then = frozenset(self.lost)
        assert told == self.back, (told, self)

    def price_of_who_left(self, now: datetime) -> Decimal:
        """The price less the policy's share of the nights from the day of departure on, but the first."""
        first, last = self.dates
        left = max((last - max(local_date(now, self.zone), first + timedelta(days=1))).days, 0)
        policy = self.asked.policy
        if policy is None or not self.asked.prepaid:
            return self.price
        share = cents(Fraction(self.price) * left * policy.early_departure_refund / (100 * self.nights))
        return self.price - max(min(share, self.price - self.given), NOTHING)

    def owed(self, never_taken: set[str]) -> Decimal:
        """What stays with the property in the end."""
        if not (self.confirmed and self.asked.prepaid) or self.undone:
            return NOTHING
        if payment_id_of(self.asked.booking_id, 1) in never_taken:
            return NOTHING
        if self.back is None:
            return max(self.paid(never_taken) - self.given, NOTHING)
        paid = self.paid(self.lost_then | never_taken)
        dropped = self.paid(self.lost_then) - paid
        return max(paid - self.given - max(self.back - dropped, NOTHING), NOTHING)


def book_of(lives: Lives, asked: RequestBooking) -> Book:
    """The booking's story, record by record."""
    because = heard_by_cause(lives)
    book = Book(asked, asked.lines, asked.price_amount, asked.free_until)
    for record in lives.processes["booking"].inbox:
        if getattr(record.message.data, "booking_id", "") == asked.booking_id:
            book.take(record, because.pop(record.message.event_id, []))
    return book


def assert_money(lives: Lives, asked: RequestBooking) -> None:
    """P3 and P4: what is kept is what is owed, and nothing is left authorized."""
    book, accounts = book_of(lives, asked), accounts_of(lives, asked.booking_id)
    assert all(account.state != "authorized" for account in accounts), accounts
    assert all(account.refunded <= account.amount for account in accounts), accounts
    taken = {account.payment_id for account in accounts if account.state == "captured"}
    revisions = [1, *(revision for revision, _ in book.changes)]
    never = {payment_id_of(asked.booking_id, revision) for revision in revisions} - taken
    kept = sum((account.kept for account in accounts), NOTHING)
    owed, vain = book.owed(never), vain_gifts(lives, asked.booking_id, never)
    assert max(owed - vain, NOTHING) <= kept <= owed, (kept, owed, vain, book)
    row = rows_of(lives, "booking", f"b|{asked.booking_id}")[f"b|{asked.booking_id}"]
    refunds = sum((Decimal(str(amount)) for amount in row.get("refunds", {}).values()), NOTHING)
    assert Decimal(str(row.get("captured", 0))) - refunds == kept
    if book.confirmed and book.back is None and not book.undone:
        missing = sum((Decimal(str(each.get("owed", 0))) for each in row.get("supplements", ())), NOTHING)
        assert missing == (book.price - book.paid(never) if asked.prepaid else NOTHING), (missing, book)


def vain_gifts(lives: Lives, booking_id: str, never_taken: set[str]) -> Decimal:
    """What operators ordered back of payments that were never taken: while their capture was open it was reckoned
    with, and other payments may have given what policy could not have of these.
    """
    orders = orders_of(lives, booking_id, "operator")
    return sum((order.amount for order in orders if order.payment_id in never_taken), NOTHING)


def accounts_of(lives: Lives, booking_id: str) -> list[Account]:
    """Whatever payments a booking has."""
    payments = {
        row["payment_id"] for row in rows_of(lives, "payment", "p|").values() if row["booking_id"] == booking_id
    }
    return [account for account in lives.provider.accounts.values() if account.payment_id in payments]


def orders_of(lives: Lives, booking_id: str, ordered_by: str) -> list[Refund]:
    """The refunds that were ordered, each once."""
    orders = {
        record.message.data.refund_id: record.message.data
        for record in lives.processes["payment"].inbox
        if isinstance(record.message.data, Refund)
    }
    return [each for each in orders.values() if (each.booking_id, each.ordered_by) == (booking_id, ordered_by)]


def given(lives: Lives, order: Refund) -> bool:
    """Whether the provider gave it."""
    return any(answer.approved and answer.refund_id == order.refund_id for answer in lives.provider.said.values())


def assert_settled_once(lives: Lives) -> None:
    """HTL-09: a payout is booked once, of what was taken; what waits for a settlement run is what no run has booked."""
    booked = Counter(each.data.payment_id for each in lives.heard if isinstance(each.data, PaymentSettled))
    assert all(times == 1 for times in booked.values()), booked
    taken = {account.payment_id for account in lives.provider.accounts.values() if account.state == "captured"}
    assert booked.keys() <= taken
    waiting = {row["payment_id"] for row in rows_of(lives, "payment", "s|").values()}
    assert waiting == taken - booked.keys()


def cents(exact: Fraction) -> Decimal:
    """Half up."""
    return Decimal(int(exact * 100 + Fraction(1, 2))).scaleb(-2)
