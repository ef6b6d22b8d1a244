"""Bookings: what is asked of one, what answers it, and what the world hears of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from streams.events.base import Amount, Currency, Event, Id, Instant, Sealed

Kind = Literal["stay", "booking", "order", "appointment"]


class Line(BaseModel):
    """One thing a booking takes: a quantity of a resource over `[start, end)`."""

    model_config = ConfigDict(frozen=True)

    line: int = Field(ge=1)
    provider_id: Id
    product_id: Id
    start: Instant
    end: Instant
    quantity: int = Field(ge=1)
    #: The price of this line as quoted, for its whole length and quantity.
    price_amount: Amount


class Location(BaseModel):
    model_config = ConfigDict(frozen=True)

    lat: float | None = None
    lon: float | None = None
    address: str | None = None


# --- asked of the booking service (its inbox, keyed by booking_id) ---


class RequestBooking(Event, type="booking.booking.request"):
    """The originating event of a booking, as the gateway accepted it."""

    booking_id: Id
    kind: Kind
    #: SHA-256 of the request's body: a retry with the same key must ask for the same thing.
    fingerprint: str
    confirmation_number: str
    user_id: Id
    #: The guest's name, e-mail and phone as JSON, encrypted under the user's key.
    guest: Sealed | None = None
    lines: tuple[Line, ...] = Field(min_length=1)
    price_amount: Amount
    price_currency: Currency
    #: The provider's token of the payment method, encrypted under the user's key.
    payment_token: Sealed
    #: When a booking that is still PENDING expires.
    deadline: Instant
    #: Cancelling before this instant costs nothing; from then on nothing is given back.
    free_until: Instant
    location: Location | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class CancelBooking(Event, type="booking.booking.cancel"):
    booking_id: Id
    reason: str
    cancelled_by: str


class DeadlinePassed(Event, type="booking.deadline.passed"):
    """A tick: some clock believes the deadline is over. The row and the record's time decide whether it is."""

    booking_id: Id


class LineReserved(Event, type="booking.line.reserved"):
    booking_id: Id
    revision: int
    line: int


class LineRejected(Event, type="booking.line.rejected"):
    booking_id: Id
    revision: int
    line: int
    reason: str


class PaymentAuthorized(Event, type="booking.payment.authorized"):
    booking_id: Id
    revision: int
    payment_id: Id


class PaymentDeclined(Event, type="booking.payment.declined"):
    booking_id: Id
    revision: int
    payment_id: Id
    reason: str


class PaymentCaptured(Event, type="booking.payment.captured"):
    booking_id: Id
    revision: int
    payment_id: Id
    amount: Amount


class CaptureFailed(Event, type="booking.payment.capture_failed"):
    booking_id: Id
    revision: int
    payment_id: Id
    reason: str


class PaymentRefunded(Event, type="booking.payment.refunded"):
    booking_id: Id
    payment_id: Id
    refund_id: Id
    amount: Amount


# --- told to the world (CAT-02..05, 16..18) ---


class BookingCreated(Event, type="booking.booking.created"):
    booking_id: Id
    user_id: Id
    product_id: Id
    provider_id: Id
    start_time: Instant
    end_time: Instant
    quantity: int
    price_amount: Amount
    price_currency: Currency
    status: Literal["PENDING"] = "PENDING"
    location: Location | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class BookingUpdated(Event, type="booking.booking.updated"):
    """CAT-37: the document names the topic without a schema; these are the booking's values after the change."""

    booking_id: Id
    user_id: Id
    product_id: Id
    start_time: Instant
    end_time: Instant
    quantity: int
    price_amount: Amount
    price_currency: Currency
    status: str
    revision: int
    updated_at: Instant


class BookingConfirmed(Event, type="booking.booking.confirmed"):
    booking_id: Id
    user_id: Id
    product_id: Id
    payment_id: Id
    confirmed_at: Instant
    price_amount: Amount
    price_currency: Currency


class BookingCancelled(Event, type="booking.booking.cancelled"):
    booking_id: Id
    user_id: Id
    product_id: Id
    payment_id: Id
    cancelled_at: Instant
    cancellation_reason: str
    refund_eligible: bool
    refund_amount: Amount
    refund_currency: Currency
    #: Travels as `metadata.cancelled_by` on the wire, as the document shows it.
    cancelled_by: str = Field(default="system", exclude=True)


class BookingRejected(Event, type="booking.booking.rejected"):
    """Ours, beside the document's: a request that was refused, and why."""

    booking_id: Id
    user_id: Id
    product_id: Id
    rejected_at: Instant
    reason: str


class BookingExpired(Event, type="booking.booking.expired"):
    """Ours, beside the document's: no answer came before the deadline."""

    booking_id: Id
    user_id: Id
    product_id: Id
    expired_at: Instant
    reason: str = "deadline_passed"
