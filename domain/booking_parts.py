"""The parts of a booking's row: a change under way, the payments of changes that cost more, and what a cancellation
waits for. No decisions.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from streams.events.about import Line
from streams.events.stay import StayTimes

NOTHING = Decimal(0)


class Change(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Other lines at another price, asked for and not answered by inventory for all of them yet."""

    revision: int
    lines: tuple[Line, ...]
    price_amount: Decimal
    #: Answered later than this, it is given up.
    deadline: datetime
    free_until: datetime | None = None
    guest: str | None = None
    #: Of `guest`: whether a text message can be sent.
    phone: bool = False
    details: dict[str, Any] | None = None
    times: StayTimes | None = None
    answered: tuple[int, ...] = ()
    #: What it costs more than before, which a payment of its own has to cover; with what, sealed; and whether it does.
    to_pay: Decimal = Decimal(0)
    payment_token: str | None = None
    authorized: bool = False

    @property
    def complete(self) -> bool:
        """Whether inventory agreed to every line, and the money that it costs more is there."""
        return len(self.answered) == len(self.lines) and (self.authorized or not self.to_pay)


class Supplement(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A payment beside the first: what a change cost more, or what a deposit left of the price."""

    payment_id: str
    revision: int
    amount: Decimal
    captured: bool = False
    #: Why its capture failed for good, if it did; and whether the booking was cancelled by then.
    error: str | None = None
    failed_late: bool = False
    #: What the guest still owes of it because of that; of a balance, from the start.
    owed: Decimal = Decimal(0)
    #: Whether it is what a deposit left of the price, which is authorized once the guest has checked in; and whether
    #: that came.
    balance: bool = False
    authorized: bool = False
    #: refund id -> what of it was ordered or given back.
    given: dict[str, Decimal] = {}
    #: It could not give all that was ordered of it: nothing more is.
    spent: bool = False

    @property
    def left(self) -> Decimal:
        """What may still be ordered back of it; of one whose capture is under way too, where the order waits. Of a
        balance that is not taken, what is not owed any more goes back once it is.
        """
        if self.spent or ((self.balance or self.error is not None) and not self.captured):
            return Decimal(0)
        return self.amount - sum(self.given.values(), Decimal(0))


class RefusedChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last change that was refused, and why."""

    revision: int
    reason: str


class Closing(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a cancellation still waits for."""

    #: "revision/line" of those that inventory has not let go of yet.
    lines: tuple[str, ...] = ()
    #: Refunds that were ordered, and payments whose authorization is to end.
    money: tuple[str, ...] = ()
    #: Whether analytics has it.
    counted: bool = False
    completed_at: datetime | None = None

    @property
    def waits(self) -> bool:
        return bool(self.lines or self.money) or not self.counted
