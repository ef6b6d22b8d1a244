"""Bookings: what the world hears of one (CAT-02..05, 16..18), and what the other documents add.

`about` is ours in all of them: no document shows it as such, each takes from it what it shows.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from msgspec import field

from streams.events.about import About, Location
from streams.events.base import Amount, Currency, Event, Id, Instant, Whole


class BookingNews(Event):
    """Shared by all news of a booking."""

    beyond: ClassVar[frozenset[str]] = frozenset({"about"})

    booking_id: Id
    user_id: Id
    product_id: Id
    about: About | None = None


class BookingCreated(BookingNews, type="booking.booking.created"):
    provider_id: Id
    start_time: Instant
    end_time: Instant
    quantity: Whole
    price_amount: Amount
    price_currency: Currency
    status: Literal["PENDING"] = "PENDING"
    location: Location | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


class BookingUpdated(BookingNews, type="booking.booking.updated"):
    """CAT-37: the document names the topic without a schema; these are the booking's values after the change."""

    start_time: Instant
    end_time: Instant
    quantity: Whole
    price_amount: Amount
    price_currency: Currency
    status: str
    revision: Whole
    updated_at: Instant


class BookingConfirmed(BookingNews, type="booking.booking.confirmed"):
    payment_id: Id
    confirmed_at: Instant
    price_amount: Amount
    price_currency: Currency


class BookingCancelled(BookingNews, type="booking.booking.cancelled"):
    in_metadata: ClassVar[frozenset[str]] = frozenset({"cancelled_by"})

    payment_id: Id
    cancelled_at: Instant
    cancellation_reason: str
    refund_eligible: bool
    refund_amount: Amount
    refund_currency: Currency
    cancelled_by: str = "system"


class BookingCancellationCompleted(BookingNews, type="booking.booking.cancellation_completed"):
    """HTL-29, "all updates complete": inventory is free again, money is where it belongs, the figures have it."""

    cancelled_at: Instant
    completed_at: Instant
    #: All that went back of the booking.
    refunded_amount: Amount
    refund_currency: Currency


class BookingRejected(BookingNews, type="booking.booking.rejected"):
    """Ours, beside the document's: a request that was refused, and why."""

    beyond: ClassVar[frozenset[str]] = frozenset({"about", "at_entry"})

    #: Refused before anybody was asked: neither inventory nor payment has told of it.
    at_entry: bool = False
    rejected_at: Instant
    reason: str


class BookingExpired(BookingNews, type="booking.booking.expired"):
    """Ours, beside the document's: no answer came before the deadline."""

    expired_at: Instant
    reason: str = "deadline_passed"


class BookingCheckedIn(BookingNews, type="booking.booking.checked_in"):
    """HTL-08 `reservation.checkin`."""

    checked_in_at: Instant


class BookingCompleted(BookingNews, type="booking.booking.completed"):
    """The guest checked out: CAMP-02 `BookingCompleted`, HTL-08 `reservation.checkout`."""

    completed_at: Instant


class BookingNoShow(BookingNews, type="booking.booking.no_show"):
    """Ours: the guest never came. What of the price goes back is what its cancellation policy says in the end."""

    marked_at: Instant
    refund_amount: Amount | None = None
    refund_currency: Currency | None = None


class InventoryUpdated(BookingNews, type="inventory.order.updated"):
    """ORD-04 `inventory_updated`: what became of the stock that an order which is paid first asked for."""

    status: Literal["reserved", "out_of_stock"]
    reason: str | None = None
    updated_at: Instant
