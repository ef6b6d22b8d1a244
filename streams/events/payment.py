"""Payments: what is asked of one, and what the provider is asked and answers. News stand in `payment_news`."""

from __future__ import annotations

from typing import Literal

import msgspec

from streams.events.about import About
from streams.events.base import (
    Amount,
    Currency,
    Event,
    Id,
    Instant,
    NonNegative,
    NonNegativeAmount,
    PositiveAmount,
    Sealed,
    Whole,
)

Operation = Literal["authorize", "capture", "void", "refund"]


class PaymentMethod(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "card"
    brand: str | None = None
    last4: str | None = None


# --- asked of the payment service (its inbox, keyed by payment_id) ---


class Authorize(Event, type="payment.payment.authorize"):
    payment_id: Id
    booking_id: Id
    revision: Whole
    user_id: Id
    amount: NonNegativeAmount
    currency: Currency
    payment_token: Sealed
    about: About | None = None


class Capture(Event, type="payment.payment.capture"):
    payment_id: Id
    booking_id: Id
    revision: Whole


class Void(Event, type="payment.payment.void"):
    """Ends exactly this revision's authorization, whether it was seen before or comes after."""

    payment_id: Id
    booking_id: Id
    revision: Whole
    reason: str


class Refund(Event, type="payment.payment.refund"):
    """Give back `amount`. `ordered_by` is "policy" for a cancellation, else the operator who asked."""

    payment_id: Id
    booking_id: Id
    refund_id: Id
    amount: PositiveAmount
    reason: str
    ordered_by: str = "policy"
    #: Whether the booking hears of what this payment cannot give any more.
    tell_rest: bool = False


class Settle(Event, type="payment.payment.settle"):
    """The provider's payout of this payment is booked, by the settlement run of that id."""

    payment_id: Id
    settlement_id: Id


class AuthorizationExpired(Event, type="payment.authorization.expired"):
    """The provider let go of an authorization by itself, because it was neither captured nor voided in its time."""

    payment_id: Id
    provider_reference: str


class ProviderAnswered(Event, type="payment.effect.answered"):
    """The result of one call to the provider, appended by the agent that made it."""

    payment_id: Id
    #: The id of the call this answers (`ProviderCall`).
    effect_id: str
    operation: Operation
    approved: bool
    provider: str = "sandbox"
    #: The provider's id of the payment or of the refund.
    provider_reference: str | None = None
    method: PaymentMethod | None = None
    error_code: str | None = None
    error_message: str | None = None
    refund_id: Id | None = None


# --- the payment service's effects (`vacancy.payment.effects`, keyed by payment_id) ---


class ProviderCall(Event, type="payment.effect.call"):
    """One call to make outside. What it is known by, to the provider and in its answer, is the event id under which it
    was first asked for: however often it is asked for again, the provider sees one key.
    """

    payment_id: Id
    operation: Operation
    user_id: Id
    amount: Amount
    currency: Currency
    payment_token: Sealed | None = None
    provider_payment_id: str | None = None
    refund_id: Id | None = None
    #: The id of the call; None where it is asked for first: then its envelope's event id is.
    call_id: str | None = None
    #: How often it was parked before.
    attempt: NonNegative = 0


# --- what the two say to the inbox of a call that got no answer ---


class CallParked(Event, type="payment.effect.parked"):
    """The provider could not be asked now: the row asks for the call again, later."""

    payment_id: Id
    call_id: str
    attempt: NonNegative = 0
    #: The call as it was.
    call: ProviderCall
    #: The seconds after which the provider wants to be asked again.
    retry_after: float | None = None


class CallDue(Event, type="payment.call.due"):
    """A clock's belief that a parked call is to be made again."""

    payment_id: Id
    due: Instant
