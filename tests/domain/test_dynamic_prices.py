"""How the price of a night follows its occupancy, and what is told of it (HTL-25)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from domain.dynamic_prices import (
    KnownPlan,
    StepChange,
    Stepped,
    Terms,
    TermsChange,
    Watched,
    first_night,
    follow_occupancy,
)
from domain.price_history import PriceChange, base_history, plan_history, plans_named
from domain.rates import Outlook, rate_messages_of
from streams.events.rate import RateUpdated
from streams.events.rate_plans import NightStepped, Occupancy, RatePlan
from streams.layout import load_layout
from tests.domain.plans import FLEX
from tests.domain.test_analytics import envelope

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
#: A Monday outside of every season of FLEX.
NIGHT = "2026-12-14"
TERMS = Terms(Decimal("100.00"), "EUR", "nights", "UTC")


def watched(plan: RatePlan | None = FLEX, step: str | None = None, terms: Terms = TERMS) -> Watched:
    known = KnownPlan("flex", plan, "EUR") if plan is not None else None
    before = Stepped("flex", Decimal(step), NOW) if step is not None else None
    return Watched("hotel", "double", NIGHT, "flex", terms, known, before)


def outlook(held: int, capacity: int = 10) -> Outlook:
    return Outlook(capacity, held, NOW, NOW)


def stepped(begins: str) -> NightStepped:
    return NightStepped(
        provider_id="hotel", product_id="double", rate_plan="flex", slot=NIGHT, from_percent=Decimal(begins)
    )


def updated(price: str, before: str) -> RateUpdated:
    return RateUpdated(
        provider_id="hotel",
        product_id="double",
        price_amount=Decimal(price),
        price_currency="EUR",
        updated_at=NOW,
        slot=NIGHT,
        rate_plan="flex",
        previous_price=Decimal(before),
    )


@pytest.mark.proves("HTL-25")
def test_a_night_that_reaches_a_step_is_told_with_its_price_before() -> None:
    """Half of ten rooms: 110.00 instead of 100.00."""
    decision = follow_occupancy(watched(), outlook(5), NOW)
    assert decision.events == (stepped("50"), updated("110.00", "100.00"))
    assert decision.state == Stepped("flex", Decimal(50), NOW)


def test_a_night_on_its_step_says_nothing() -> None:
    night = watched(step="50")
    decision = follow_occupancy(night, outlook(6), NOW + timedelta(hours=1))
    assert (decision.state, decision.events) == (night.step, ())


def test_a_step_is_left_only_below_the_hysteresis() -> None:
    """Of a hundred rooms 46 hold the step of 50, which is left by more than 5; 44 leave it."""
    assert follow_occupancy(watched(step="50"), outlook(46, 100), NOW).events == ()
    left = follow_occupancy(watched(step="50"), outlook(44, 100), NOW)
    assert (left.state, left.events) == (None, (stepped("0"), updated("100.00", "110.00")))
    assert left.events[0].ends_its_key


def test_what_the_ceiling_holds_is_no_news() -> None:
    held = msgspec.structs.replace(FLEX, base=Decimal("400.00"))
    assert follow_occupancy(watched(held), outlook(5), NOW).events == (stepped("50"),)


def test_a_plan_that_is_gone_leaves_its_steps() -> None:
    assert follow_occupancy(watched(None, "50"), outlook(9), NOW).events == (stepped("0"),)
    assert follow_occupancy(watched(None), outlook(9), NOW).events == ()
    dollars = Terms(Decimal("100.00"), "USD", "nights", "UTC")
    assert follow_occupancy(watched(FLEX, "50", dollars), outlook(9), NOW).events == (stepped("0"),)


@pytest.mark.proves("C14")
def test_a_rate_that_was_updated_asks_nobody_for_anything() -> None:
    assert rate_messages_of(envelope(updated("110.00", "100.00"))) == []
    for name in ("catalogue", "hotel"):
        heard = [model for topic in load_layout(name).subscriptions("availability") for model in topic.carries]
        assert not any(model.event_type.startswith("rate.") for model in heard)
        own = [model for topic in load_layout(name).subscriptions("rate") for model in topic.carries]
        assert not any(model.event_type.startswith("rate.") for model in own)


def hour(number: int) -> datetime:
    return NOW + timedelta(hours=number)


HISTORY = [
    TermsChange(hour(0), terms=TERMS),
    TermsChange(hour(1), rate_plan="flex", plan=FLEX, currency="EUR"),
    TermsChange(hour(3), terms=Terms(Decimal("90.00"), "EUR", "nights", "UTC")),
    TermsChange(hour(5), rate_plan="flex"),
]
STEPS = [StepChange(hour(2), "flex", Decimal(50), 5, 10), StepChange(hour(2), "other", Decimal(80), 5, 10)]


@pytest.mark.proves("HTL-04")
def test_the_history_of_a_night_is_told_from_what_changed() -> None:
    assert [(each.at, each.price, each.why) for each in plan_history(HISTORY, STEPS, "flex", NIGHT)] == [
        (hour(1), Decimal("100.00"), "rate plan"),
        (hour(2), Decimal("110.00"), "occupancy 5 of 10: the step from 50%"),
        (hour(3), Decimal("99.00"), "base price"),
        (hour(5), None, "rate plan withdrawn"),
    ]
    assert [each.price for each in base_history(HISTORY)] == [Decimal("100.00"), Decimal("90.00")]
    assert plans_named(HISTORY) == ["flex"]


def test_what_leaves_the_price_as_it_was_is_no_history() -> None:
    free = RatePlan(base=Decimal("50.00"), occupancy=Occupancy(steps=()))
    history = [HISTORY[0], TermsChange(hour(1), rate_plan="flex", plan=free, currency="EUR"), HISTORY[2]]
    assert plan_history(history, STEPS, "flex", NIGHT) == [PriceChange(hour(1), Decimal("50.00"), "EUR", "rate plan")]
    assert plan_history([HISTORY[1]], [], "flex", NIGHT)[0].price is None


def test_the_night_that_runs_is_known_where_plans_price_nights() -> None:
    terms = Terms(Decimal(100), "EUR", "nights", "Europe/Amsterdam")
    late = datetime(2026, 12, 24, 23, 30, tzinfo=UTC)
    assert first_night(terms, late) == "2026-12-25"
    assert first_night(msgspec.structs.replace(terms, slots=15), late) is None
    assert first_night(msgspec.structs.replace(terms, time_zone="Nowhere/Land"), late) is None


def test_the_history_of_a_plan_leaves_other_plans_out() -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    changes = [
        TermsChange(at, terms=Terms(Decimal(100), "EUR")),
        TermsChange(at, rate_plan="flex", plan=RatePlan(), currency="EUR"),
        TermsChange(at, rate_plan="other", plan=RatePlan(), currency="EUR"),
    ]
    assert [price.why for price in plan_history(changes, [], "flex", "2026-12-24")] == ["rate plan"]
