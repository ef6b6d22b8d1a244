"""The rate service's rows of prices: plans, steps of nights, and what is forgotten (HTL-25)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dynamic_prices import KnownPlans, StepChange, Stepped, TermsChange
from streams.envelope import originate
from streams.events import Event
from streams.events.rate import KeepRates, RateUpdated, ReviewPlan, ReviewRate
from streams.events.rate_plans import NightStepped, RatePlan
from streams.local import LocalRows
from streams.working import WorkingRows
from tables.rates import Rates
from tests.domain.plans import FLEX
from tests.domain.test_rate_plans import STEPS, walked

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
FIRST = date(2026, 12, 14)


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[WorkingRows]:
    local = LocalRows(tmp_path)
    yield WorkingRows(local)
    local.close()


class Service:
    """Decides one message after the other, and what follows for itself."""

    def __init__(self, rows: WorkingRows) -> None:
        self.rows = rows
        self.offset = 0

    def take(self, message: Event, now: datetime = NOW) -> list[Event]:
        said = list(Rates().apply(self.rows, originate(message, source="test", now=now), now, self.offset))
        self.rows.hand_over(self.rows.take_changes(), 0)
        self.offset += 1
        for event in list(said):
            if isinstance(event, ReviewPlan):
                said += self.take(event, now)
        return said


@pytest.fixture
def service(rows: WorkingRows) -> Service:
    return Service(rows)


def keep(plan: RatePlan | None = FLEX, name: str | None = "flex", price: str = "100.00") -> KeepRates:
    return KeepRates(
        provider_id="hotel",
        product_id="double",
        price_amount=Decimal(price),
        price_currency="EUR",
        slots="nights",
        time_zone="UTC",
        rate_plan=name,
        plan=plan,
        plan_currency="EUR",
    )


def review(held: int, night: date = FIRST, minutes: int = 0) -> ReviewRate:
    return ReviewRate(
        provider_id="hotel",
        product_id="double",
        slot=night.isoformat(),
        capacity=10,
        held=held,
        updated_at=NOW + timedelta(minutes=minutes),
    )


def stepped(said: list[Event]) -> list[tuple[str, int]]:
    return [(event.slot, int(event.from_percent)) for event in said if isinstance(event, NightStepped)]


@pytest.mark.proves("HTL-25", "CAT-23")
def test_a_night_follows_its_occupancy_once(service: Service) -> None:
    service.take(keep())
    said = service.take(review(5))
    assert stepped(said) == [("2026-12-14", 50)]
    assert [event.slot for event in said if isinstance(event, RateUpdated)] == ["2026-12-14"]
    assert service.take(review(5)) == []
    assert service.take(keep()) == []
    assert [row.from_percent for _, row in service.rows.scan("s|hotel/double|", Stepped)] == [50]


def test_a_plan_that_comes_later_finds_the_nights_that_are_full(service: Service) -> None:
    for number in range(230):
        service.take(review(9, FIRST + timedelta(days=number)))
    said = service.take(keep())
    assert len(stepped(said)) == 230
    assert len([event for event in said if isinstance(event, ReviewPlan)]) == 3
    assert len(list(service.rows.scan("s|hotel/double|", Stepped))) == 230


def test_a_plan_that_is_withdrawn_takes_its_steps_along(service: Service) -> None:
    service.take(keep())
    service.take(review(9))
    assert stepped(service.take(keep(None))) == [("2026-12-14", 0)]
    assert list(service.rows.scan("s|hotel/double|", Stepped)) == []
    known = service.rows.get("p|hotel/double", KnownPlans)
    assert known is not None
    assert known.plans == {}


def test_nights_that_are_over_are_forgotten(service: Service) -> None:
    service.take(keep())
    service.take(review(9))
    later = NOW + timedelta(days=20)
    said = service.take(review(5, FIRST + timedelta(days=30)), later)
    assert stepped(said) == [("2027-01-13", 50), ("2026-12-14", 0)]
    assert service.take(review(2, FIRST, minutes=9), later) == []


def test_more_nights_than_one_message_takes_are_forgotten_by_the_next(service: Service) -> None:
    service.take(keep())
    for number in range(150):
        service.take(review(9, FIRST + timedelta(days=number)))
    later = NOW + timedelta(days=400)
    some = service.take(review(1, FIRST + timedelta(days=500)), later)
    rest = service.take(review(1, FIRST + timedelta(days=501)), later)
    assert (len(stepped(some)), len(stepped(rest))) == (100, 50)
    assert service.take(review(1, FIRST + timedelta(days=502)), later) == []


def test_what_a_price_followed_from_is_remembered(service: Service) -> None:
    service.take(keep(name=None))
    service.take(keep())
    service.take(keep(price="90.00"))
    service.take(review(9))
    changes = [row for _, row in service.rows.scan("c|hotel/double|", TermsChange)]
    assert [(row.terms is not None, row.rate_plan) for row in changes] == [(True, None), (False, "flex"), (True, None)]
    (step,) = [row for _, row in service.rows.scan("e|hotel/double|2026-12-14|", StepChange)]
    assert (step.held, step.capacity, int(step.from_percent)) == (9, 10, 80)


def test_nights_are_not_followed_before_anything_is_known_of_prices(service: Service) -> None:
    assert service.take(review(9)) == []
    assert service.take(ReviewPlan(provider_id="hotel", product_id="double", rate_plan="flex")) == []


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 10), st.integers(0, 3)), max_size=25))
def test_the_gateways_hear_what_a_naive_walk_says(asked: list[tuple[int, int, int]]) -> None:
    """Whatever comes twice or late: only news that is newer counts, and what is told adds up to it."""
    naive: dict[str, Decimal] = {}
    newest: dict[str, tuple[int, int]] = {}
    heard: dict[str, Decimal] = {}
    with TemporaryDirectory() as directory:
        local = LocalRows(Path(directory))
        service = Service(WorkingRows(local))
        service.take(keep())
        for number, held, minutes in asked:
            night = (FIRST + timedelta(days=number)).isoformat()
            for event in service.take(review(held, FIRST + timedelta(days=number), minutes)):
                if isinstance(event, NightStepped):
                    heard[event.slot] = event.from_percent
            seen = newest.get(night)
            if seen is None or (minutes >= seen[0] and held != seen[1]):
                newest[night] = minutes, held
                naive[night] = walked(STEPS, naive.get(night, Decimal(0)), Fraction(held * 10))
        local.close()
    assert {night: step for night, step in heard.items() if step} == {
        night: step for night, step in naive.items() if step
    }
