"""Prices: what a night, slot or item costs, and which price a booking was made at."""

from __future__ import annotations

from streams.events.base import Amount, Currency, Event, Id, Instant, Whole

# --- asked of the rate service (its inbox, keyed by resource) ---


class RecordRate(Event, type="rate.usage.record"):
    """A booking was made at a price (HTL-22)."""

    provider_id: Id
    product_id: Id
    booking_id: Id
    price_amount: Amount
    price_currency: Currency
    units: Whole


class ReviewRate(Event, type="rate.rate.review"):
    """What is left of a night has changed (HTL-25)."""

    provider_id: Id
    product_id: Id
    slot: str
    capacity: Whole
    held: Whole
    #: When that was so.
    updated_at: Instant | None = None


# --- told to the world ---


class RateUpdated(Event, type="rate.rate.updated"):
    provider_id: Id
    product_id: Id
    price_amount: Amount
    price_currency: Currency
    updated_at: Instant


class RateApplied(Event, type="rate.rate.applied"):
    provider_id: Id
    product_id: Id
    booking_id: Id
    price_amount: Amount
    price_currency: Currency
    applied_at: Instant
