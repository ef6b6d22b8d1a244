"""The demo's traffic: which units there are, and who asks for what and when. A pure function of a seed.

Most guests book and pay; some are declined, some cancel, change or come to stay, some race for a unit of which there is
only one, and some try each rule a property can have. What the layout's guests ask for in its words stands in
`cli.trades`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from cli.client import Stay
from cli.houses import (
    ATTICS,
    CLOSURES,
    FLEXIBLE,
    LAST_ONES,
    PLENTY,
    RULED_NIGHTS,
    SAVER,
    SEASONAL,
    TATAMI,
    Closure,
    Unit,
)

Kind = Literal[
    "book",
    "decline",
    "cancel",
    "change",
    "stay",
    "race",
    "slow",
    "flaky",
    "quote",
    "dearer",
    "policy",
    "early",
    "refund",
    "waitlist",
    "closed",
    "no_show",
]
#: How many nights ahead guests look.
HORIZON = 360
# Guests book from the day after tomorrow: a run over midnight, in any time zone, never asks for a past night.
_LEAD = 2
_DAY = 86_400

#: Of 1,000 draws, how many are of each kind; a race is one draw and two bookings, and so is a waitlist. Slow and flaky
#: payments stay under one in a hundred, so that they show in the counts and leave the 99th percentile to the platform.
MIX: dict[Kind, int] = {
    "book": 785,
    "cancel": 50,
    "decline": 40,
    "change": 20,
    "quote": 18,
    "stay": 15,
    "race": 15,
    "policy": 12,
    "dearer": 10,
    "closed": 8,
    "early": 6,
    "refund": 5,
    "waitlist": 4,
    "no_show": 3,
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
#: One in so many leaves a number for text messages.
_WITH_PHONE = 4


#: Whose rules are tried by the kinds that have units of their own.
_OFFERED: Mapping[Kind, Sequence[Unit]] = {
    "quote": (SEASONAL, SEASONAL, TATAMI),
    "dearer": (FLEXIBLE, TATAMI),
    "policy": (FLEXIBLE, SAVER, TATAMI),
    "early": (FLEXIBLE,),
    "refund": (FLEXIBLE, TATAMI),
    "no_show": (TATAMI, TATAMI, FLEXIBLE),
}
#: How many nights ahead those look who look not far: where nights fill up, or a policy keeps something already.
_AHEAD: Mapping[Kind, Sequence[int]] = {"quote": (60,), "policy": (2, 10, HORIZON)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What one guest does: begins `at` seconds after the start. Journeys of one `race` want the same last unit; of a
    `waitlist` there are two guests, who book as the n-th and the one after.
    """

    n: int
    at: float
    kind: Kind
    stay: Stay
    race: int | None = None
    #: Why these nights cannot be booked.
    closed: str | None = None


def plan(
    seed: int,
    rate: float,
    today: date,
    duration: float | None = None,
    kinds: Collection[Kind] = get_args(Kind),
) -> Iterator[Journey]:
    """`rate` bookings a second from time 0 on, `duration` seconds long or without end; the same seed, the same plan.

    The n-th booking falls somewhere in the n-th of the equal parts a second is cut into. Who is of none of these
    `kinds` just books.
    """
    chance = random.Random(seed)
    last_units, attics = _shuffled_nights(chance, LAST_ONES, HORIZON), _shuffled_nights(chance, ATTICS, RULED_NIGHTS)
    races, closures = itertools.count(1), itertools.cycle(CLOSURES)
    end = None if duration is None else round(rate * duration)
    n = 0
    while end is None or n < end:
        at = (n + chance.random()) / rate
        kind = chance.choices(list(MIX), weights=list(MIX.values()))[0]
        first_night = today + timedelta(days=_LEAD + int(at // _DAY))
        if kind not in kinds or (kind in ("race", "waitlist") and n + 1 == end):
            kind = "book"
        match kind:
            case "race":
                race, place = next(races), next(last_units)
                for runner in range(2):
                    stay = _stay(chance, kind, first_night, place)
                    yield Journey(n=n + runner, at=at, kind=kind, stay=stay, race=race)
                n += 2
            case "waitlist":
                yield Journey(n=n, at=at, kind=kind, stay=_stay(chance, kind, first_night, next(attics)))
                n += 2
            case "closed":
                yield _closed(chance, n, at, first_night, next(closures))
                n += 1
            case _:
                yield Journey(n=n, at=at, kind=kind, stay=_stay(chance, kind, first_night))
                n += 1


def _closed(chance: random.Random, n: int, at: float, first_night: date, closure: Closure) -> Journey:
    night = chance.randrange(RULED_NIGHTS)
    night += (closure.weekday - (first_night + timedelta(days=night)).weekday()) % 7
    stay = _stay(chance, "closed", first_night, (closure.unit, night), closure.nights)
    return Journey(n=n, at=at, kind="closed", stay=stay, closed=closure.reason)


def _stay(
    chance: random.Random,
    kind: Kind,
    first_night: date,
    place: tuple[Unit, int] | None = None,
    nights: int = 1,
) -> Stay:
    """Of a kind, at a place and time: a unit, and a night of it. Without one, wherever and whenever the kind goes."""
    if place is None:
        place = chance.choice(_OFFERED.get(kind, PLENTY)), chance.randrange(chance.choice(_AHEAD.get(kind, (HORIZON,))))
        nights = chance.choice((1, 1, 2, 2, 2, 3, 4))
    unit, night = place
    check_in = first_night + timedelta(days=night)
    guest = chance.randrange(_GUESTS)
    return Stay(
        property_id=unit.property_id,
        unit_type=unit.unit_type,
        check_in=check_in,
        check_out=check_in + timedelta(days=nights),
        email=f"guest-{guest}@example.com",
        first_name=_FIRST_NAMES[guest % 10],
        last_name=_LAST_NAMES[guest // 10 % 10],
        phone=f"+44 7700 90{guest:04}" if guest % _WITH_PHONE == 0 else None,
        token=_token(chance, kind),
        time_zone=unit.time_zone,
        rate_plan=chance.choice([*unit.rate_plans]) if kind == "quote" else None,
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


def _shuffled_nights(chance: random.Random, units: Sequence[Unit], ahead: int) -> Iterator[tuple[Unit, int]]:
    """Every night of every unit, in no order; over again once all are used up (then all are sold)."""
    nights = [(unit, night) for unit in units for night in range(ahead)]
    chance.shuffle(nights)
    return itertools.cycle(nights)
