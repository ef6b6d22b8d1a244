"""The demo's traffic: which units there are, and who asks for what and when. A pure function of a seed.

Most guests book and pay; some are declined, some cancel, change or come to stay, some race for a unit of which there is
only one. What the layout's guests ask for in its words stands in `cli.trades`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from cli.client import Stay

Kind = Literal["book", "decline", "cancel", "change", "stay", "race", "slow", "flaky"]
CURRENCY = "EUR"
#: How many nights ahead guests look.
HORIZON = 360
# Guests book from the day after tomorrow: a run over midnight, in any time zone, never asks for a past night.
_LEAD = 2
_DAY = 86_400

#: Of 1,000 draws, how many are of each kind; a race is one draw and two bookings. Slow and flaky payments stay under
#: one in a hundred, so that they show in the counts and leave the 99th percentile to the platform.
MIX: dict[Kind, int] = {
    "book": 791,
    "cancel": 70,
    "decline": 60,
    "change": 30,
    "stay": 20,
    "race": 20,
    "flaky": 6,
    "slow": 3,
}
_APPROVED = ("tok_visa", "tok_visa", "tok_visa", "tok_mastercard")
_DECLINED = ("tok_declined", "tok_insufficient_funds", "tok_expired_card")

_FIRST_NAMES = ("Ada", "Alan", "Barbara", "Edsger", "Frances", "Grace", "Ken", "Leslie", "Margaret", "Niklaus")
_LAST_NAMES = (
    "Allen",
    "Dijkstra",
    "Hamilton",
    "Hopper",
    "Lamport",
    "Liskov",
    "Lovelace",
    "Thompson",
    "Turing",
    "Wirth",
)
#: Guests come back: this many of them make up all the traffic.
_GUESTS = 5_000


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit type the demo declares before it books; `price` is per night."""

    property_id: str
    unit_type: str
    capacity: int
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What one guest does: begins `at` seconds after the start. Journeys of one `race` want the same last unit."""

    n: int
    at: float
    kind: Kind
    stay: Stay
    race: int | None = None


PLENTY = tuple(
    Unit(f"DEMO-{number:02}", unit_type, 40, price)
    for number in range(1, 21)
    for unit_type, price in (("standard", "95.00"), ("suite", "189.50"))
)
LAST_ONES = tuple(Unit(f"DEMO-RACE-{number}", "single", 1, "70.00") for number in range(1, 6))
UNITS = PLENTY + LAST_ONES


def plan(seed: int, rate: float, today: date, duration: float | None = None) -> Iterator[Journey]:
    """`rate` bookings a second from time 0 on, `duration` seconds long or without end; the same seed, the same plan.

    The n-th booking falls somewhere in the n-th of the equal parts a second is cut into.
    """
    chance = random.Random(seed)
    last_units = _shuffled_nights(chance)
    races = itertools.count(1)
    end = None if duration is None else round(rate * duration)
    n = 0
    while end is None or n < end:
        at = (n + chance.random()) / rate
        kind = chance.choices(list(MIX), weights=list(MIX.values()))[0]
        first_night = today + timedelta(days=_LEAD + int(at // _DAY))
        if kind != "race" or n + 1 == end:
            kind = "book" if kind == "race" else kind
            yield Journey(n=n, at=at, kind=kind, stay=_stay(chance, kind, first_night))
            n += 1
            continue
        unit, night = next(last_units)
        race = next(races)
        for runner in range(2):
            stay = _stay(chance, kind, first_night, unit, night)
            yield Journey(n=n + runner, at=at, kind=kind, stay=stay, race=race)
        n += 2


def _stay(
    chance: random.Random, kind: Kind, first_night: date, unit: Unit | None = None, night: int | None = None
) -> Stay:
    unit = unit or chance.choice(PLENTY)
    check_in = first_night + timedelta(days=chance.randrange(HORIZON) if night is None else night)
    nights = chance.choice((1, 1, 2, 2, 2, 3, 4)) if night is None else 1
    guest = chance.randrange(_GUESTS)
    return Stay(
        property_id=unit.property_id,
        unit_type=unit.unit_type,
        check_in=check_in,
        check_out=check_in + timedelta(days=nights),
        email=f"guest-{guest}@example.com",
        first_name=_FIRST_NAMES[guest % 10],
        last_name=_LAST_NAMES[guest // 10 % 10],
        token=_token(chance, kind),
    )


def _token(chance: random.Random, kind: Kind) -> str:
    match kind:
        case "decline":
            return chance.choice(_DECLINED)
        case "slow":
            return "tok_slow"
        case "flaky":
            return "tok_flaky"
    return chance.choice(_APPROVED)


def _shuffled_nights(chance: random.Random) -> Iterator[tuple[Unit, int]]:
    """Every night of every unit there is one of, in no order; over again once all are used up (then all are sold)."""
    nights = [(unit, night) for unit in LAST_ONES for night in range(HORIZON)]
    chance.shuffle(nights)
    return itertools.cycle(nights)
