"""Prices: what a night, slot or item costs, and which price a booking was made at."""

from __future__ import annotations

from streams.events.base import Amount, Currency, Event, Id, Instant


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
