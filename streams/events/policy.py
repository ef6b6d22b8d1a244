"""Cancellation policies: declared with a resource, and frozen in every booking that is made of it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from streams.events.base import Amount, Count, NonNegative


class Before(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An instant before a booking begins: some days before the date of arrival, `at` an hour there, or some hours."""

    #: Local calendar days: two days before are two dates before, whatever the clocks do in between.
    days: NonNegative | None = None
    #: "HH:MM" in the property's time zone; only days have it.
    at: str = "00:00"
    #: Elapsed hours before the instant it begins at: for a stay, the midnight before its first night.
    hours: NonNegative | None = None


class Fee(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is kept: a share of the price, the price of so many nights, or an amount. Exactly one of them."""

    percent: NonNegative | None = None
    nights: Count | None = None
    #: In the resource's currency.
    amount: Amount | None = None


class Tier(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A fee, and until when it is the one; for good without an end."""

    fee: Fee
    until: Before | None = None


class CancellationPolicy(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What cancelling costs, in the order of time: nothing until `free_until`, then each tier until its end, and
    everything once the last tier has ended. One that says nothing keeps everything from the start.
    """

    free_until: Before | None = None
    then: tuple[Tier, ...] = ()
    #: What goes back of the nights that a guest who leaves early gives up, in percent of their price.
    early_departure_refund: NonNegative = 0

    @property
    def non_refundable(self) -> bool:
        return self.free_until is None and not self.then


class Deposit(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken at booking of what is sold by the night; the rest is the guest's balance until check-in."""

    #: Of the price.
    percent: Annotated[int, msgspec.Meta(ge=1, le=99)]
