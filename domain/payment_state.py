"""A payment as its row holds it: where it stands, what the provider knows it by, and its refunds. No decisions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

import msgspec

from streams.events.about import About
from streams.events.payment import ProviderCall

#: waiting for the capture, asked of the provider, given back, refused by us, refused by the provider.
RefundStatus = Literal["waiting", "calling", "refunded", "refused", "failed"]


class PaymentStatus(StrEnum):
    AUTHORIZING = "AUTHORIZING"
    AUTHORIZED = "AUTHORIZED"
    DECLINED = "DECLINED"
    CAPTURING = "CAPTURING"
    CAPTURED = "CAPTURED"
    CAPTURE_FAILED = "CAPTURE_FAILED"
    VOIDING = "VOIDING"
    VOIDED = "VOIDED"
    #: Voided before it was asked for: the provider never hears of it.
    REFUSED = "REFUSED"


class RefundRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One refund that was ordered, and what became of it."""

    amount: Decimal
    status: RefundStatus
    #: Why it was ordered, and by whom.
    reason: str
    ordered_by: str
    #: Why it was not given: "not_captured", "exceeds_captured", or the provider's code.
    error: str | None = None
    provider_refund_id: str | None = None


class ParkedCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call that the provider gave no answer to."""

    #: As it is made the next time.
    call: ProviderCall
    #: When that is; None while it is being made.
    due: datetime | None = None


class Method(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was paid with, as far as it may be shown."""

    type: str = "card"
    brand: str | None = None
    last4: str | None = None


class Payment(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One payment of a booking: its whole price at first, or what one change cost more."""

    payment_id: str
    booking_id: str
    revision: int
    status: PaymentStatus
    #: None while only its Void was seen; then whose it is and how much is not known either.
    created_at: datetime | None = None
    updated_at: datetime
    user_id: str = ""
    amount: Decimal = Decimal(0)
    currency: str = ""
    provider: str = "sandbox"
    provider_payment_id: str | None = None
    method: Method | None = None
    #: The booking it pays for; goes with every piece of news.
    about: About | None = None

    captured: Decimal = Decimal(0)
    refunds: dict[str, RefundRecord] = {}
    #: The settlement run that booked the provider's payout of it.
    settlement_id: str | None = None
    #: Why it was voided; set while authorizing, it is voided as soon as it is authorized.
    void_reason: str | None = None
    #: The code of the provider's last refusal of an authorization, a capture or a void.
    error: str | None = None
    #: The calls whose answers were taken, by their ids: a redelivered one need not be made again.
    answered: tuple[str, ...] = ()
    #: Authorizations at the provider that this payment does not stand on, and that were voided for that.
    strays: tuple[str, ...] = ()
    #: The calls that got no answer yet, of which the first is made again; and what is to be called once they all did.
    parked: tuple[ParkedCall, ...] = ()
    behind: tuple[ProviderCall, ...] = ()

    @property
    def call_due(self) -> datetime | None:
        """When the provider is to be asked again."""
        return self.parked[0].due if self.parked else None

    @property
    def unsettled(self) -> bool:
        """Whether money was taken whose payout no settlement run has booked."""
        return self.captured > 0 and self.settlement_id is None

    @property
    def refunded(self) -> Decimal:
        return self._sum("refunded")

    @property
    def refundable(self) -> Decimal:
        """What is left of the capture, the one under way included, after all refunds that are given or will be."""
        return self.amount - self._sum("refunded", "calling", "waiting")

    def _sum(self, *statuses: RefundStatus) -> Decimal:
        return sum((record.amount for record in self.refunds.values() if record.status in statuses), Decimal(0))
