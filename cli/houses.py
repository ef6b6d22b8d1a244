"""The units of the demo's properties: most have no rules, and a few have every kind of them.

What is said of a unit follows from the month it is said in: said again in the same month, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

CURRENCY = "EUR"
#: In percent: what goes back of the nights that are given up, and what is kept of a guest who never comes.
EARLY_REFUND, NO_SHOW_FEE = 50, 35
#: Calendars and blocks are said for so many nights from the first of the month on, the most that are said at once.
_SAID = timedelta(days=366)

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit type the demo declares before it books; `price` is per night."""

    property_id: str
    unit_type: str
    capacity: int
    price: str
    currency: str = CURRENCY
    time_zone: str = "UTC"
    #: What its declaration says besides: policy, hours, limits.
    terms: Body = field(default_factory=dict)
    #: By name.
    rate_plans: Mapping[str, Body] = field(default_factory=dict)
    #: Rules of its nights, or of those of some weekdays.
    calendar: tuple[Body, ...] = ()
    #: By name.
    blocks: Mapping[str, Body] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Closure:
    """Nights that a rule closes: so many from a weekday on (0 is Monday), and the reason that is told."""

    reason: str
    unit: Unit
    weekday: int
    nights: int


PLENTY = tuple(
    Unit(f"DEMO-{number:02}", unit_type, 40, price)
    for number in range(1, 21)
    for unit_type, price in (("standard", "95.00"), ("suite", "189.50"))
)
LAST_ONES = tuple(Unit(f"DEMO-RACE-{number}", "single", 1, "70.00") for number in range(1, 6))

_HOUSE, _ZONE = "DEMO-AMSTERDAM", "Europe/Amsterdam"

FLEXIBLE = Unit(
    _HOUSE,
    "flexible",
    2_000,
    "120.00",
    time_zone=_ZONE,
    terms={
        "cancellation": {
            "free_until": {"days": 2, "at": "18:00"},
            "then": [{"until": {"hours": 0}, "fee": {"nights": 1}}, {"fee": {"percent": 80}}],
            "early_departure_refund": EARLY_REFUND,
        },
        "check_in_from": "15:00",
        "check_out_until": "11:00",
        "no_show": "auto",
        "check_out": "auto",
    },
)
SAVER = Unit(_HOUSE, "saver", 200, "90.00", time_zone=_ZONE, terms={"cancellation": {"non_refundable": True}})
#: Its prices move: a few bookings take a night to the next step.
SEASONAL = Unit(
    _HOUSE,
    "seasonal",
    40,
    "100.00",
    time_zone=_ZONE,
    rate_plans={
        "dynamic": {
            "weekend": {"days": ["fri", "sat"], "percent": 20},
            "length_of_stay": [{"min_nights": 4, "percent": "-12.5"}],
            "advance_purchase": [{"min_days": 21, "percent": -5}],
            "occupancy": {
                "steps": [{"from_percent": 5, "percent": 10}, {"from_percent": 25, "percent": "33.3"}],
                "hysteresis_percent": 2,
                "floor": "90.00",
                "ceiling": "150.00",
            },
        },
        "weekly": {"base": "110.00", "length_of_stay": [{"min_nights": 3, "percent": -10}]},
    },
    blocks={"repairs": {"units": 1, "reason": "maintenance"}},
)
#: Yen have no minor unit. It names no hours, so that nobody waits for tomorrow to say who did not come.
TATAMI = Unit(
    "DEMO-TOKYO",
    "tatami",
    2_000,
    "18500",
    "JPY",
    "Asia/Tokyo",
    terms={
        "cancellation": {
            "free_until": {"days": 7},
            "then": [
                {"until": {"days": 1, "at": "12:00"}, "fee": {"amount": "5000"}},
                {"fee": {"percent": NO_SHOW_FEE}},
            ],
        }
    },
    rate_plans={
        "early": {
            "weekend": {"days": ["sat"], "amount": "2500"},
            "advance_purchase": [{"min_days": 14, "percent": "-7.5"}],
        }
    },
)
_RULED = Unit(
    _HOUSE,
    "ruled",
    20,
    "80.00",
    time_zone=_ZONE,
    calendar=(
        {"weekdays": ["mon"], "stop_sell": True},
        {"weekdays": ["tue"], "closed_to_arrival": True},
        {"weekdays": ["wed"], "max_advance_days": 0},
        {"weekdays": ["thu"], "closed_to_departure": True},
        {"weekdays": ["fri"], "min_stay": 2},
        {"weekdays": ["sat"], "max_stay": 1},
        {"weekdays": ["sun"], "min_advance_days": 1_000},
    ),
)
_BLOCKED = Unit(
    _HOUSE,
    "annex",
    2,
    "60.00",
    time_zone=_ZONE,
    blocks={"repairs": {"units": 1, "reason": "maintenance"}, "tour": {"units": 1, "reason": "group"}},
)
#: One of each: by its own word one more may be sold, by that of its nights none.
ATTICS = tuple(
    Unit(
        _HOUSE,
        f"attic-{number}",
        1,
        "75.00",
        time_zone=_ZONE,
        terms={"overbooking_limit": 1},
        calendar=({"overbooking_limit": 0},),
    )
    for number in range(1, 6)
)
CLOSURES = (
    Closure("stop_sell", _RULED, 0, 1),
    Closure("closed_to_arrival", _RULED, 1, 1),
    Closure("closed_to_departure", _RULED, 2, 1),
    Closure("too_far_ahead", _RULED, 2, 2),
    Closure("below_min_stay", _RULED, 4, 1),
    Closure("above_max_stay", _RULED, 5, 2),
    Closure("too_short_notice", _RULED, 6, 1),
    Closure("sold_out", _BLOCKED, 3, 1),
)
#: How many nights ahead is asked for those: no more than is said of them, however long a run goes on.
RULED_NIGHTS = 200

PLAIN = PLENTY + LAST_ONES
UNITS = (*PLAIN, FLEXIBLE, SAVER, SEASONAL, TATAMI, _RULED, _BLOCKED, *ATTICS)


def sayings(unit: Unit, today: date) -> Iterator[tuple[str, Body]]:
    """Everything that is said of a unit, in order: the path to PUT to, and the body."""
    first = today.replace(day=1)
    nights = {"from": first, "to": first + _SAID}
    path = f"/api/properties/{quote(unit.property_id, safe='')}/units/{quote(unit.unit_type, safe='')}"
    price = {"amount": unit.price, "currency": unit.currency}
    yield path, {"capacity": unit.capacity, "base_price": price, "time_zone": unit.time_zone, **unit.terms}
    for name, plan in unit.rate_plans.items():
        yield f"{path}/rate-plans/{name}", {**plan, "seasons": [_season(first)]}
    for rules in unit.calendar:
        yield f"{path}/calendar", {**nights, **rules}
    for name, block in unit.blocks.items():
        yield f"{path}/blocks/{name}", {**nights, **block, **_release(block, first)}


def _season(first: date) -> Body:
    """A fortnight in the next month that costs half as much again."""
    return {"from": first + timedelta(days=40), "to": first + timedelta(days=54), "percent": 50}


def _release(block: Body, first: date) -> Body:
    """A group keeps its units for a year; repairs are done when they are done."""
    if block["reason"] != "group":
        return {}
    return {"release_at": datetime(first.year + 1, first.month, 1, 12, tzinfo=UTC)}
