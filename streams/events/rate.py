"""Prices: what a night, slot or item costs, and which price a booking was made at."""

from __future__ import annotations

from streams.events.availability import Slots
from streams.events.base import Amount, Currency, Event, Id, Instant, Whole
from streams.events.rate_plans import RatePlan

# --- asked of the rate service (its inbox, keyed by resource) ---


class RecordRate(Event, type="rate.usage.record"):
    """A booking was made at a price (HTL-22)."""

    provider_id: Id
    product_id: Id
    booking_id: Id
    price_amount: Amount
    price_currency: Currency
    units: Whole
    #: The plan it was made under; none stands for the resource's base price.
    rate_plan: str | None = None


class ReviewRate(Event, type="rate.rate.review"):
    """What is left of a night has changed (HTL-25)."""

    provider_id: Id
    product_id: Id
    slot: str
    capacity: Whole
    held: Whole
    #: When that was so.
    updated_at: Instant | None = None


class KeepRates(Event, type="rate.terms.keep"):
    """How a resource is priced now, and one of its plans where that is what changed."""

    provider_id: Id
    product_id: Id
    price_amount: Amount
    price_currency: Currency
    slots: Slots
    time_zone: str
    rate_plan: str | None = None
    #: None once it was withdrawn.
    plan: RatePlan | None = None
    plan_currency: str = ""


class ReviewPlan(Event, type="rate.plan.review"):
    """A plan's rules have changed: its nights are looked at again, some at a time."""

    provider_id: Id
    product_id: Id
    rate_plan: Id
    #: The last night that was looked at already.
    after: str = ""


# --- told to the world ---


class RateUpdated(Event, type="rate.rate.updated"):
    """The base price of a resource, or the price of one of its nights under a plan."""

    provider_id: Id
    product_id: Id
    price_amount: Amount
    price_currency: Currency
    updated_at: Instant
    slot: str | None = None
    rate_plan: str | None = None
    #: What the night cost before.
    previous_price: Amount | None = None


class RateApplied(Event, type="rate.rate.applied"):
    provider_id: Id
    product_id: Id
    booking_id: Id
    price_amount: Amount
    price_currency: Currency
    applied_at: Instant
