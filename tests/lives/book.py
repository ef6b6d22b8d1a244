"""A cash book of the test's own: what the records of a booking's inbox, and its news, mean for what is owed."""

from __future__ import annotations

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
from streams.events.policy import Before, Fee
from tests.lives.process import Record
from tests.lives.rows import local_date

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
        tiers: list[tuple[Before | None, Fee]] = []
        if policy.free_until is not None:
            tiers.append((policy.free_until, Fee(percent=0)))
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


def cents(exact: Fraction) -> Decimal:
    """Half up."""
    return Decimal(int(exact * 100 + Fraction(1, 2))).scaleb(-2)
