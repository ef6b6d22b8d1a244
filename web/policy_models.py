"""Cancellation policies as the API takes and answers them, with a unit type."""

from __future__ import annotations

from datetime import time
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from streams.events.policy import Before, CancellationPolicy, Deposit, Fee, Tier
from web.money import SumIn, fits, written
from web.problems import invalid
from web.shapes import Answer, Request

MOST_TIERS = 10


def _hour(value: str) -> str:
    try:
        time.fromisoformat(value)
    except ValueError:
        raise ValueError("should be a local hour like 18:00") from None
    return value


HourIn = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}:[0-9]{2}$"), AfterValidator(_hour)]


class BeforeIn(Request):
    """Days before the date of arrival at an hour of the property, or hours before it begins."""

    days: int | None = Field(default=None, ge=0, le=730)
    at: HourIn | None = None
    hours: int | None = Field(default=None, ge=0, le=730 * 24)

    @model_validator(mode="after")
    def _one_of_two(self) -> BeforeIn:
        if (self.days is None) == (self.hours is None):
            raise ValueError("should have either days or hours")
        if self.at is not None and self.days is None:
            raise ValueError("has an hour: send days with it")
        return self

    @property
    def minutes(self) -> int:
        """How long before a midnight, where no clock is changed."""
        at = time.fromisoformat(self.at or "00:00")
        return (self.hours or 0) * 60 + (self.days or 0) * 24 * 60 - at.hour * 60 - at.minute


class FeeIn(Request):
    """A share of the price, the price of so many nights, or an amount in the unit's currency."""

    percent: int | None = Field(default=None, ge=0, le=100)
    nights: int | None = Field(default=None, ge=1, le=366)
    amount: SumIn | None = None

    @model_validator(mode="after")
    def _one_of_three(self) -> FeeIn:
        if sum(given is not None for given in (self.percent, self.nights, self.amount)) != 1:
            raise ValueError("should have one of percent, nights and amount")
        return self


class TierIn(Request):
    """A fee until a time; the last one may be for good."""

    fee: FeeIn
    until: BeforeIn | None = None


class PolicyIn(Request):
    """What cancelling costs, in the order of time. From the end of the last tier on everything is kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"free_until": {"days": 2, "at": "18:00"}, "then": [{"fee": {"nights": 1}}]},
                {"non_refundable": True},
            ]
        }
    )

    free_until: BeforeIn | None = None
    then: list[TierIn] = Field(default_factory=list, max_length=MOST_TIERS)
    non_refundable: bool = False
    #: Percent of the price of the nights that a guest who leaves early gives up.
    early_departure_refund: int = Field(default=0, ge=0, le=100)

    @model_validator(mode="after")
    def _says_one_thing(self) -> PolicyIn:
        terms = self.free_until is not None or bool(self.then)
        if self.non_refundable and terms:
            raise ValueError("cannot be non_refundable and have free_until or then")
        if not (self.non_refundable or terms):
            raise ValueError("should have free_until, then, or non_refundable")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> PolicyIn:
        if any(tier.until is None for tier in self.then[:-1]):
            raise ValueError("has a tier without until that is not the last")
        ends = [end.minutes for end in (self.free_until, *(tier.until for tier in self.then)) if end is not None]
        if any(later >= earlier for earlier, later in pairwise(ends)):
            raise ValueError("has a tier that ends before the one before it")
        return self


def policy_of(asked: PolicyIn | None, currency: str, *, by_night: bool) -> CancellationPolicy | None:
    """The policy of a unit type that is priced in `currency`. Raises Problem 422 for a fee that it cannot have."""
    if asked is None:
        return None
    return CancellationPolicy(
        free_until=_before(asked.free_until),
        then=tuple(
            Tier(
                fee=_fee(tier.fee, currency, f"cancellation.then.{number}.fee", by_night=by_night),
                until=_before(tier.until),
            )
            for number, tier in enumerate(asked.then)
        ),
        early_departure_refund=asked.early_departure_refund,
    )


def _before(asked: BeforeIn | None) -> Before | None:
    if asked is None:
        return None
    return Before(hours=asked.hours) if asked.days is None else Before(days=asked.days, at=asked.at or "00:00")


def _fee(asked: FeeIn, currency: str, field: str, *, by_night: bool) -> Fee:
    if asked.nights is not None and not by_night:
        raise invalid(f"{field}.nights", "is for what is booked by the night; send percent or amount")
    try:
        amount = fits(asked.amount, currency) if asked.amount is not None else None
    except ValueError as error:
        raise invalid(f"{field}.amount", str(error)) from None
    return Fee(percent=asked.percent, nights=asked.nights, amount=amount)


class DepositIn(Request):
    """What is paid at booking, of what is sold by the night; the rest at check-in."""

    percent: int = Field(ge=1, le=99)


def deposit_in(asked: DepositIn | None, *, by_night: bool) -> Deposit | None:
    """Raises Problem 422 where nothing is checked in."""
    if asked is None:
        return None
    if not by_night:
        raise invalid("deposit", "is for what is booked by the night; leave it out")
    return Deposit(percent=asked.percent)


class BeforeOut(Answer):
    days: int | None = None
    at: str | None = None
    hours: int | None = None


class FeeOut(Answer):
    percent: int | None = None
    nights: int | None = None
    amount: str | None = None


class TierOut(Answer):
    fee: FeeOut
    until: BeforeOut | None = None


class PolicyOut(Answer):
    """What cancelling costs, in the order of time."""

    free_until: BeforeOut | None = None
    then: list[TierOut] = Field(default_factory=list)
    non_refundable: bool
    early_departure_refund: int


def policy_out(policy: CancellationPolicy | None, currency: str) -> PolicyOut | None:
    if policy is None:
        return None
    return PolicyOut(
        free_until=_before_out(policy.free_until),
        then=[TierOut(fee=fee_out(tier.fee, currency), until=_before_out(tier.until)) for tier in policy.then],
        non_refundable=policy.non_refundable,
        early_departure_refund=policy.early_departure_refund,
    )


def fee_out(fee: Fee, currency: str) -> FeeOut:
    amount = written(fee.amount, currency) if fee.amount is not None else None
    return FeeOut(percent=fee.percent, nights=fee.nights, amount=amount)


class DepositOut(Answer):
    percent: int


def deposit_out(deposit: Deposit | None) -> DepositOut | None:
    return DepositOut(percent=deposit.percent) if deposit is not None else None


def _before_out(before: Before | None) -> BeforeOut | None:
    if before is None:
        return None
    return BeforeOut(hours=before.hours) if before.days is None else BeforeOut(days=before.days, at=before.at)
