"""Rate plans: what a property asks for its nights, as rules. They are declared with the resource they price."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from streams.events.base import Amount, Count, Currency, Event, Id, NonNegative

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
#: What is added to a price, in hundredths of it: 10 makes it dearer by a tenth, -10 cheaper.
Percent = Decimal


class Season(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The nights `[from, to)` at another price, or so many percent dearer. One of both is given."""

    from_: date = msgspec.field(name="from")
    to: date
    percent: Percent | None = None
    price: Amount | None = None


class Weekend(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The nights of these days (of the evening they begin in), dearer by percent or by an amount. One is given."""

    days: tuple[Day, ...]
    percent: Percent | None = None
    amount: Amount | None = None


class LongStay(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A stay of so many nights or more: percent of the sum of its nights, nothing or less."""

    min_nights: Count
    percent: Percent


class EarlyBooking(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A stay booked so many days or more before it begins: percent of the sum of its nights, nothing or less."""

    min_days: NonNegative
    percent: Percent


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """From this occupancy on (in percent of the capacity), so many percent dearer."""

    from_percent: Percent
    percent: Percent


class Occupancy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How a night's price follows its occupancy, and between which prices it stays."""

    #: In rising order of `from_percent`.
    steps: tuple[Step, ...]
    #: A step is left only when occupancy falls by more than this below where it begins.
    hysteresis_percent: Percent = Decimal(0)
    floor: Amount | None = None
    ceiling: Amount | None = None


class RatePlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """All rules of a plan. Without any, a stay costs the unit's base price for each night."""

    name: str | None = None
    #: Of one night, instead of the unit's base price.
    base: Amount | None = None
    seasons: tuple[Season, ...] = ()
    weekend: Weekend | None = None
    occupancy: Occupancy | None = None
    length_of_stay: tuple[LongStay, ...] = ()
    advance_purchase: tuple[EarlyBooking, ...] = ()


# --- asked of the availability service (its inbox, keyed by resource) ---


class DeclareRatePlan(Event, type="availability.plan.declare"):
    """Says how a resource is priced under a plan, whatever it said before."""

    provider_id: Id
    product_id: Id
    rate_plan: Id
    plan: RatePlan
    #: What its amounts are in: the resource's own currency.
    price_currency: Currency


class WithdrawRatePlan(Event, type="availability.plan.withdraw"):
    """Nobody books under the plan any more; bookings that have it keep it."""

    provider_id: Id
    product_id: Id
    rate_plan: Id


# --- told to the gateways (`vacancy.rates`, compacted, keyed by resource, plan and night) ---


class PlanNews(Event):
    """What a gateway keeps in mind of plans."""

    provider_id: Id
    product_id: Id
    rate_plan: Id


class RatePlanDeclared(PlanNews, type="availability.plan.declared"):
    """A plan as it stands; one that was withdrawn keeps its rules for the bookings that have it."""

    plan: RatePlan
    price_currency: Currency
    withdrawn: bool = False


class NightStepped(PlanNews, type="rate.night.stepped"):
    """Which step of a plan's occupancy rule a night is on. Those on none are not kept in mind."""

    slot: str
    #: Where the step begins; 0 for none.
    from_percent: Percent

    @property
    def ends_its_key(self) -> bool:
        return self.from_percent == 0
