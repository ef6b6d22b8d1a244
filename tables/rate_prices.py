"""What the rate service keeps of prices, beside what it counts (`tables.rates`).

Rows: `t|{resource}` how a resource is priced without a plan; `p|{resource}` the plans that can be booked;
`c|{resource}|{milliseconds}|{inbox offset}` what they were from a time on; `s|{resource}|{slot}|{plan}` the occupancy
step a night is on, dropped once the night is over; `e|{resource}|{slot}|{milliseconds}|{inbox offset}|{plan}` each
change of step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice, takewhile

from domain.dynamic_prices import (
    KnownPlan,
    KnownPlans,
    StepChange,
    Stepped,
    Terms,
    TermsChange,
    Watched,
    first_night,
    follow_occupancy,
)
from domain.rates import Outlook
from streams.events import Event
from streams.events.rate import KeepRates, ReviewPlan, ReviewRate
from streams.events.rate_plans import NightStepped
from streams.keys import KEYS, quoted
from streams.working import WorkingRows

#: How many nights one message looks at, and how many that are over it forgets.
NIGHTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class At:
    """The rows a message is decided on, and its place in the inbox."""

    rows: WorkingRows
    now: datetime
    offset: int


def keep(at: At, message: KeepRates) -> Sequence[Event]:
    """Takes over the terms and the plan, and has the plan's nights looked at again where that changes it."""
    resource = KEYS["resource"](message)
    terms = Terms(message.price_amount, message.price_currency, message.slots, message.time_zone)
    if at.rows.get(f"t|{resource}", Terms) != terms:
        at.rows.put(f"t|{resource}", terms)
        _remember(at, resource, TermsChange(at.now, terms=terms), "")
    if message.rate_plan is None or not _keep_plan(at, resource, message.rate_plan, message):
        return ()
    return (_review(message, message.rate_plan),)


def _keep_plan(at: At, resource: str, rate_plan: str, message: KeepRates) -> bool:
    """Whether the plan is another one than before."""
    known = _known(at, resource)
    plan = KnownPlan(rate_plan, message.plan, message.plan_currency) if message.plan is not None else None
    if known.plans.get(rate_plan) == plan:
        return False
    others = {name: each for name, each in known.plans.items() if name != rate_plan}
    plans = {**others, rate_plan: plan} if plan is not None else others
    at.rows.put(f"p|{resource}", KnownPlans(plans, known.forgotten))
    change = TermsChange(at.now, rate_plan=rate_plan, plan=message.plan, currency=message.plan_currency)
    _remember(at, resource, change, f"|{quoted(rate_plan)}")
    return True


def review_plan(at: At, message: ReviewPlan) -> Sequence[Event]:
    """Puts the next nights of a plan on the steps they belong on."""
    resource = KEYS["resource"](message)
    terms = at.rows.get(f"t|{resource}", Terms)
    first = first_night(terms, at.now) if terms is not None else None
    if terms is None or first is None:
        return ()
    plan = _known(at, resource).plans.get(message.rate_plan)
    outlooks = (
        (slot, outlook)
        for key, outlook in at.rows.scan(f"o|{resource}|", Outlook)
        if (slot := key.rpartition("|")[2]) >= first and slot > message.after
    )
    some = list(islice(outlooks, NIGHTS_AT_ONCE))
    said: list[Event] = []
    for slot, outlook in some:
        night = Watched(message.provider_id, message.product_id, slot, message.rate_plan, terms, plan)
        said += _follow(at, resource, night, outlook)
    return (*said, _review(message, message.rate_plan, some[-1][0])) if len(some) == NIGHTS_AT_ONCE else said


def review_night(at: At, message: ReviewRate, outlook: Outlook) -> Sequence[Event]:
    """Puts a night on the steps it belongs on by now, under every plan, and forgets those that are over."""
    resource = KEYS["resource"](message)
    terms = at.rows.get(f"t|{resource}", Terms)
    first = first_night(terms, at.now) if terms is not None else None
    known = at.rows.get(f"p|{resource}", KnownPlans)
    if terms is None or first is None or known is None:
        return ()
    said: list[Event] = []
    for plan in known.plans.values() if message.slot >= first else ():
        who = message.provider_id, message.product_id
        said += _follow(at, resource, Watched(*who, message.slot, plan.rate_plan, terms, plan), outlook)
    if known.forgotten < first:
        said += _forget(at, resource, message, first)
    return said


def _known(at: At, resource: str) -> KnownPlans:
    return at.rows.get(f"p|{resource}", KnownPlans) or KnownPlans()


def _follow(at: At, resource: str, night: Watched, outlook: Outlook) -> Sequence[Event]:
    name = f"s|{resource}|{night.slot}|{quoted(night.rate_plan)}"
    before = at.rows.get(name, Stepped)
    who = night.provider_id, night.product_id, night.slot, night.rate_plan
    decision = follow_occupancy(Watched(*who, night.terms, night.plan, before), outlook, at.now)
    after = decision.state
    if after == before:
        return ()
    if after is not None:
        at.rows.put(name, after)
    else:
        at.rows.delete(name)
    step = after.from_percent if after is not None else Decimal(0)
    change = StepChange(at.now, night.rate_plan, step, outlook.held, outlook.capacity)
    row = f"e|{resource}|{night.slot}|{_moment(at)}|{quoted(night.rate_plan)}"
    at.rows.put(row, change, keep=False)
    return decision.events


def _forget(at: At, resource: str, message: ReviewRate, first: str) -> Iterable[Event]:
    """The gateways forget nights that are over: their keys leave the compacted topic. Once a day, some at a time."""
    prefix = f"s|{resource}|"
    steps = ((key, key.removeprefix(prefix).partition("|")[0], step) for key, step in at.rows.scan(prefix, Stepped))
    over = list(islice(takewhile(lambda each: each[1] < first, steps), NIGHTS_AT_ONCE))
    if len(over) < NIGHTS_AT_ONCE:
        at.rows.put(f"p|{resource}", KnownPlans(_known(at, resource).plans, first))
    for key, slot, step in over:
        at.rows.delete(key)
        yield NightStepped(
            provider_id=message.provider_id,
            product_id=message.product_id,
            rate_plan=step.rate_plan,
            slot=slot,
            from_percent=Decimal(0),
        )


def _review(message: KeepRates | ReviewPlan, rate_plan: str, after: str = "") -> ReviewPlan:
    who = {"provider_id": message.provider_id, "product_id": message.product_id}
    return ReviewPlan(**who, rate_plan=rate_plan, after=after)


def _remember(at: At, resource: str, change: TermsChange, what: str) -> None:
    at.rows.put(f"c|{resource}|{_moment(at)}{what}", change, keep=False)


def _moment(at: At) -> str:
    """A place in time that sorts: rows of one resource lie in the order of its inbox."""
    return f"{int(at.now.timestamp() * 1000):015}|{at.offset:016}"
