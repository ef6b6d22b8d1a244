"""How the prices of nights follow their occupancy under the plans of a resource, and what is remembered of it (HTL-25).

What is decided here is said to the gateways and to the world, and never changes what is available (C14).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.calendar import Unbookable, current_slot
from domain.decision import Decision
from domain.rate_plans import Base, night_price, step_in_force
from domain.rates import Outlook
from streams.events import Event
from streams.events.availability import Slots
from streams.events.rate import RateUpdated
from streams.events.rate_plans import NightStepped, RatePlan


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a resource is priced without a plan."""

    price_amount: Decimal
    price_currency: str
    slots: Slots = "nights"
    time_zone: str = "UTC"

    @property
    def base(self) -> Base:
        return Base(self.price_amount, self.price_currency)


class KnownPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plan that can be booked."""

    rate_plan: str
    plan: RatePlan
    currency: str


class KnownPlans(msgspec.Struct, frozen=True, omit_defaults=True):
    """The plans of a resource by name, in one row: every night that changes is looked at under all of them."""

    plans: dict[str, KnownPlan] = {}
    #: Nights before this one were forgotten.
    forgotten: str = ""


class TermsChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the price of every night follows from, as it was from a time on: the resource's terms or one plan."""

    at: datetime
    terms: Terms | None = None
    rate_plan: str | None = None
    #: None once it was withdrawn.
    plan: RatePlan | None = None
    currency: str = ""


class Stepped(msgspec.Struct, frozen=True, omit_defaults=True):
    """The occupancy step one night is on under a plan, and since when."""

    rate_plan: str
    from_percent: Decimal
    since: datetime


class StepChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A night came onto another step of a plan; 0 stands for none."""

    at: datetime
    rate_plan: str
    from_percent: Decimal
    held: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Watched:
    """One night of a resource under one of its plans. `plan` is None for one that cannot be booked any more."""

    provider_id: str
    product_id: str
    slot: str
    rate_plan: str
    terms: Terms
    plan: KnownPlan | None
    step: Stepped | None = None


def follow_occupancy(night: Watched, outlook: Outlook, now: datetime) -> Decision[Stepped | None]:
    """The step the night is on by now. A change is said to the gateways, and to the world where it is one of price."""
    plan = night.plan.plan if night.plan and night.plan.currency == night.terms.price_currency else None
    before = night.step.from_percent if night.step else Decimal(0)
    after = step_in_force(plan.occupancy if plan else None, before, outlook.held, outlook.capacity)
    if after == before:
        return Decision(night.step)
    said: tuple[Event, ...] = (
        NightStepped(
            provider_id=night.provider_id,
            product_id=night.product_id,
            rate_plan=night.rate_plan,
            slot=night.slot,
            from_percent=after,
        ),
    )
    if plan is not None:
        said = (*said, *_told(night, plan, before, after, now))
    return Decision(Stepped(night.rate_plan, after, now) if after else None, said)


def _told(night: Watched, plan: RatePlan, before: Decimal, after: Decimal, now: datetime) -> tuple[RateUpdated, ...]:
    was, price = (night_price(plan, night.terms.base, night.slot, step).price for step in (before, after))
    if was == price:  # the floor or the ceiling holds it where it was
        return ()
    updated = RateUpdated(
        provider_id=night.provider_id,
        product_id=night.product_id,
        price_amount=price,
        price_currency=night.terms.price_currency,
        updated_at=now,
        slot=night.slot,
        rate_plan=night.rate_plan,
        previous_price=was,
    )
    return (updated,)


def first_night(terms: Terms, now: datetime) -> str | None:
    """The night that runs: those before it are over. None where plans price nothing."""
    if terms.slots != "nights":
        return None
    try:
        return current_slot(terms.slots, terms.time_zone, now)
    except Unbookable:
        return None
