"""Quotes and bookings are priced by the same function, of whatever plan and on whatever steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import night_bounds
from streams.events.availability import ResourceDeclared
from streams.events.rate_plans import NightStepped, PlanNews, RatePlan, RatePlanDeclared
from streams.keys import KEYS
from tests.domain.plans import DAY, plans
from tests.domain.test_rate_plans import naive_stay
from web.context import Context
from web.stay_prices import stay_line, stay_price_of

ROOM = ResourceDeclared(
    provider_id="a/b",
    product_id="c",
    capacity=5,
    overbooking_limit=0,
    slots="nights",
    time_zone="Pacific/Auckland",
    price_amount=Decimal("100.00"),
    price_currency="EUR",
    min_stay=1,
)


@dataclass
class Gateway:
    """What pricing looks at of a gateway."""

    now: datetime
    plans: dict[str, PlanNews] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now

    def hear(self, news: PlanNews) -> None:
        self.plans[KEYS["resource/plan/night"](news)] = news


@given(plans(), st.integers(0, 10), st.integers(1, 10), st.integers(1, 4), st.integers(0, 25), st.data())
def test_booking_at_once_costs_what_was_quoted(
    plan: RatePlan, offset: int, count: int, quantity: int, ahead: int, data: st.DataObject
) -> None:
    first = DAY + timedelta(days=offset)
    # Noon in Auckland is the day before in UTC: days ahead are the property's.
    begin, _ = night_bounds(first - timedelta(days=ahead), first, ROOM.time_zone)
    gateway = Gateway((begin + timedelta(hours=12)).astimezone(UTC))
    who: dict[str, Any] = {"provider_id": "a/b", "product_id": "c", "rate_plan": "f/x"}
    gateway.hear(RatePlanDeclared(**who, plan=plan, price_currency="EUR"))
    begins = [each.from_percent for each in plan.occupancy.steps] if plan.occupancy else []
    step = data.draw(st.sampled_from([Decimal(0), *begins]))
    for number in range(count if step else 0):
        night = (first + timedelta(days=number)).isoformat()
        gateway.hear(NightStepped(**who, slot=night, from_percent=step))
    context = cast("Context", gateway)
    period = night_bounds(first, first + timedelta(days=count), ROOM.time_zone)
    quoted = stay_price_of(context, ROOM, *period, quantity, "f/x")
    line = stay_line(context, ROOM, *period, quantity, "f/x")
    assert line.price_amount == quoted.total
    assert Fraction(quoted.total) == naive_stay(plan, first, count, quantity, ahead, step)
