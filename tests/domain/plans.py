"""Rate plans that tests share: one with every rule, and any a property could declare."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from streams.events.rate_plans import (
    Day,
    EarlyBooking,
    LongStay,
    Occupancy,
    RatePlan,
    Season,
    Step,
    Weekend,
)

#: 2026-12-18 is a Friday.
FLEX = RatePlan(
    name="Flexible",
    seasons=(
        Season(from_=date(2026, 12, 24), to=date(2026, 12, 27), price=Decimal("180.00")),
        Season(from_=date(2027, 1, 4), to=date(2027, 3, 1), percent=Decimal(-15)),
    ),
    weekend=Weekend(days=("fri", "sat"), percent=Decimal(20)),
    occupancy=Occupancy(
        steps=(
            Step(from_percent=Decimal(50), percent=Decimal(10)),
            Step(from_percent=Decimal(80), percent=Decimal(25)),
        ),
        hysteresis_percent=Decimal(5),
        floor=Decimal("80.00"),
        ceiling=Decimal("250.00"),
    ),
    length_of_stay=(
        LongStay(min_nights=3, percent=Decimal(-5)),
        LongStay(min_nights=7, percent=Decimal(-10)),
    ),
    advance_purchase=(EarlyBooking(min_days=60, percent=Decimal(-5)),),
)
DAY = date(2026, 12, 1)
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

CENTS = st.decimals(0, 1000, places=2)
PERCENTS = st.decimals(-100, 200, places=1)
DISCOUNTS = st.decimals(-70, 0, places=1)


@st.composite
def seasons(draw: st.DrawFn) -> tuple[Season, ...]:
    found, begin = [], DAY + timedelta(days=draw(st.integers(-5, 5)))
    for _ in range(draw(st.integers(0, 3))):
        end = begin + timedelta(days=draw(st.integers(1, 6)))
        percent = draw(st.none() | PERCENTS)
        price = draw(CENTS) if percent is None else None
        found.append(Season(from_=begin, to=end, percent=percent, price=price))
        begin = end + timedelta(days=draw(st.integers(0, 3)))
    return tuple(found)


@st.composite
def occupancies(draw: st.DrawFn) -> Occupancy:
    begins = sorted(draw(st.sets(st.integers(1, 100), min_size=1, max_size=4)))
    bounds = sorted(draw(st.tuples(CENTS, CENTS)))
    return Occupancy(
        steps=tuple(Step(from_percent=Decimal(begin), percent=draw(PERCENTS)) for begin in begins),
        hysteresis_percent=Decimal(draw(st.integers(0, 30))),
        floor=draw(st.none() | st.just(bounds[0])),
        ceiling=draw(st.none() | st.just(bounds[1])),
    )


@st.composite
def weekends(draw: st.DrawFn) -> Weekend:
    percent = draw(st.none() | PERCENTS)
    days = tuple(draw(st.sets(st.sampled_from(_DAYS), min_size=1)))
    return Weekend(days=days, percent=percent, amount=draw(CENTS) if percent is None else None)


@st.composite
def plans(draw: st.DrawFn) -> RatePlan:
    nights = draw(st.sets(st.integers(1, 12), max_size=3))
    ahead = draw(st.sets(st.integers(0, 20), max_size=3))
    return RatePlan(
        base=draw(st.none() | CENTS),
        seasons=draw(seasons()),
        weekend=draw(st.none() | weekends()),
        occupancy=draw(st.none() | occupancies()),
        length_of_stay=tuple(LongStay(min_nights=each, percent=draw(DISCOUNTS)) for each in nights),
        advance_purchase=tuple(EarlyBooking(min_days=each, percent=draw(DISCOUNTS)) for each in ahead),
    )
