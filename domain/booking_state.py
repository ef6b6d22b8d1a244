"""A booking as its row holds it, and the ids that follow from it. No decisions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from domain.booking_parts import NOTHING, Change, Closing, RefusedChange, Supplement
from streams.events.about import About, ConfirmOn, Kind, Line, Location
from streams.events.ids import ids_under
from streams.events.policy import CancellationPolicy
from streams.events.stay import StayTimes

# The ids we derive are part of what is on the log: this constant never changes.
_id_of = ids_under(UUID("6f0c2a52-3b1e-5d0a-9c44-7d2f6f1f8a10"))


def payment_id_of(booking_id: str, revision: int) -> str:
    """The payment of one revision of a booking."""
    return derived_id(booking_id, str(revision))


def balance_payment_of(booking_id: str) -> str:
    """The payment of what a deposit left of the price."""
    return derived_id(booking_id, "balance")


def derived_id(booking_id: str, what: str) -> str:
    """An id that follows from a booking and a word, e.g. the refund of its cancellation."""
    return _id_of(f"{booking_id}/{what}")


class BookingStatus(StrEnum):
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    CHECKED_IN = "CHECKED_IN"
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    NO_SHOW = "NO_SHOW"

    @property
    def terminal(self) -> bool:
        """Whether nothing but money can change any more."""
        return self not in (BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.CHECKED_IN)


class Booking(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One booking: what was asked for, what was answered, how it came out, and what was paid and given back."""

    booking_id: str
    kind: Kind
    fingerprint: str
    confirmation_number: str
    user_id: str
    #: Sealed under the user's key.
    guest: str | None = None
    #: Whether the guest left a telephone number that a text message can be sent to.
    phone: bool = False
    lines: tuple[Line, ...]
    price_amount: Decimal
    price_currency: str
    deadline: datetime
    free_until: datetime
    #: Counted back from `free_until`; None is free until then, and nothing back from then on.
    policy: CancellationPolicy | None = None
    #: The version of the rules it is decided by.
    rules: int = 1
    location: Location | None = None
    metadata: dict[str, Any] = {}
    confirm_on: ConfirmOn = "payment.authorized"
    #: Whether it is paid here; otherwise at the desk.
    prepaid: bool = True
    time_zone: str = "UTC"
    details: dict[str, Any] = {}
    #: When it may begin and end; None for what no calendar holds to.
    times: StayTimes | None = None
    #: What was to be paid at booking, where that is not the whole price.
    deposit: Decimal | None = None
    #: What of the price is not asked for before the guest checks in: nothing without a deposit.
    rest: Decimal = NOTHING
    #: The payment method it was last paid with, sealed under the user's key.
    payment_token: str | None = None

    payment_id: str
    revision: int = 1
    #: The revision its lines are held under: a change of words alone takes no new holds.
    held_revision: int = 1
    change: Change | None = None
    #: When the last change that waited for answers was to be given up.
    change_deadline: datetime | None = None
    refused_change: RefusedChange | None = None
    #: The messages of other programs that asked for changes.
    asked_by: tuple[str, ...] = ()
    status: BookingStatus = BookingStatus.PENDING
    reason: str | None = None
    #: The lines inventory agreed to so far.
    answered: tuple[int, ...] = ()
    #: Whether the money is there; from the start when nothing is to be paid.
    authorized: bool = False

    created_at: datetime
    updated_at: datetime
    confirmed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_by: str | None = None
    #: What the cancellation was taken at.
    cancellation_fee: Decimal | None = None
    cancellation_refund: Decimal | None = None
    #: None unless it was cancelled; and of those that were before this was followed.
    closing: Closing | None = None

    #: By all its payments.
    captured: Decimal = Decimal(0)
    #: The payments of changes that cost more, the oldest first.
    supplements: tuple[Supplement, ...] = ()
    #: What is due back and no payment had left to give, e.g. because operators gave it: the next payment gives it.
    credit: Decimal = Decimal(0)
    #: Refunds that their payments could not give in full; and whether the first payment was one of these.
    cut: tuple[str, ...] = ()
    first_spent: bool = False
    #: Why the capture failed for good, if it did.
    capture_error: str | None = None
    #: refund id -> amount given back.
    refunds: dict[str, Decimal] = {}
    #: The refunds that changes to a lower price ordered.
    change_refunds: tuple[str, ...] = ()

    @property
    def refunded(self) -> Decimal:
        return sum(self.refunds.values(), Decimal(0))

    @property
    def next_revision(self) -> int:
        """What the next change makes: never one that inventory was asked for before, which it would not answer."""
        refused = self.refused_change.revision if self.refused_change is not None else 0
        return max(self.revision, refused) + 1

    @property
    def to_pay(self) -> bool:
        """Whether there is anything to pay here: a free booking has no payment, only its id."""
        return self.prepaid and self.price_amount > 0

    @property
    def pays_first(self) -> bool:
        """Whether the money is taken before inventory is asked."""
        return self.to_pay and self.confirm_on == "payment.captured"

    @property
    def paid(self) -> bool:
        """Whether there is nothing left to take of what was asked for."""
        first = not self.to_pay or self.captured > 0 or bool(self.supplements)
        return first and all(each.captured or each.error is not None for each in self.supplements)

    @property
    def balance(self) -> Decimal:
        """What the guest still owes: what a deposit left, and of changes whose difference could not be captured."""
        return sum((each.owed for each in self.supplements), self.price_amount * 0 + self.rest)

    @property
    def inventory_asked(self) -> bool:
        """Whether holds of its lines may exist."""
        return not self.pays_first or self.captured > 0

    @property
    def complete(self) -> bool:
        """Whether every answer is in that a confirmation needs."""
        money = self.captured > 0 if self.pays_first else self.authorized
        return money and {line.line for line in self.lines} == set(self.answered)

    @property
    def given_by_operators(self) -> Decimal:
        """What went back beside what changes and cancellations ordered."""
        return sum((amount for name, amount in self.refunds.items() if name not in self.change_refunds), Decimal(0))

    def about(self) -> About:
        """What goes with every piece of news of it."""
        return About(
            kind=self.kind,
            confirmation_number=self.confirmation_number,
            lines=self.lines,
            price_amount=self.price_amount,
            price_currency=self.price_currency,
            time_zone=self.time_zone,
            guest=self.guest,
            phone=self.phone,
            details=self.details,
        )

    @property
    def start(self) -> datetime:
        return min(line.start for line in self.lines)

    @property
    def end(self) -> datetime:
        return max(line.end for line in self.lines)

    @property
    def quantity(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def product_id(self) -> str:
        """The first line's: what the documents, which know one line, call the booking's."""
        return self.lines[0].product_id

    @property
    def provider_id(self) -> str:
        return self.lines[0].provider_id
