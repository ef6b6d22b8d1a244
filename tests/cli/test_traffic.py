"""The demo's plan: what a seed fixes, and what every plan keeps to."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import date, timedelta

import pytest

from cli.houses import ATTICS, CLOSURES, LAST_ONES, UNITS
from cli.traffic import HORIZON, MIX, Journey, plan

TODAY = date(2026, 5, 1)


def journeys(seed: int = 7, rate: float = 100, duration: float = 30) -> list[Journey]:
    return list(plan(seed, rate, TODAY, duration))


def test_the_same_seed_makes_the_same_plan() -> None:
    assert journeys(seed=7) == journeys(seed=7)
    assert journeys(seed=7) != journeys(seed=8)


@pytest.mark.parametrize(("rate", "duration", "bookings"), [(167, 60, 10_020), (20, 1, 20), (0.5, 10, 5)])
def test_a_plan_is_as_long_as_it_should_be(rate: float, duration: float, bookings: int) -> None:
    planned = journeys(rate=rate, duration=duration)
    assert list(itertools.chain.from_iterable(map(numbers, planned))) == list(range(bookings))


def numbers(journey: Journey) -> tuple[int, ...]:
    """Whose bookings it makes: of a waitlist two guests'."""
    return (journey.n, journey.n + 1) if journey.kind == "waitlist" else (journey.n,)


def test_a_plan_without_end_goes_on() -> None:
    start = list(itertools.islice(plan(7, 100, TODAY), 3000))
    planned = journeys()
    assert start[: len(planned) - 1] == planned[:-1]
    assert len(start) == 3000


def test_bookings_are_due_in_order_and_at_the_rate() -> None:
    planned = journeys(rate=100, duration=30)
    assert planned == sorted(planned, key=lambda journey: journey.at)
    for second in range(30):
        due = [journey for journey in planned if second <= journey.at < second + 1]
        assert 99 <= sum(map(len, map(numbers, due))) <= 102


def test_every_kind_is_there_and_most_just_book() -> None:
    counts = Counter(journey.kind for journey in journeys(rate=167, duration=60))
    assert counts.keys() == MIX.keys()
    assert counts["book"] > 7_500
    assert min(counts.values()) >= 10
    # So few that the 99th percentile is not theirs.
    assert counts["slow"] + counts["flaky"] < 100


def test_a_race_is_two_guests_at_one_moment_for_one_night_of_a_unit_there_is_one_of() -> None:
    single = {(unit.property_id, unit.unit_type) for unit in LAST_ONES}
    assert all(unit.capacity == 1 for unit in LAST_ONES)
    races = [journey for journey in journeys(rate=167, duration=60) if journey.kind == "race"]
    pairs = [(races[i], races[i + 1]) for i in range(0, len(races), 2)]
    assert len(pairs) > 100
    for one, other in pairs:
        assert (one.race, one.at) == (other.race, other.at)
        assert (one.stay.property_id, one.stay.unit_type) in single
        assert one.stay.check_in == other.stay.check_in
        assert one.stay.check_out == other.stay.check_out == one.stay.check_in + timedelta(days=1)
    nights = {(one.stay.property_id, one.stay.check_in) for one, _ in pairs}
    assert len(nights) == len(pairs)


def test_a_kind_that_a_layout_has_not_just_books() -> None:
    all_kinds, few = journeys(), list(plan(7, 100, TODAY, 30, ("book", "decline")))
    assert {journey.kind for journey in few} == {"book", "decline"}
    assert {journey.kind for journey in all_kinds} == MIX.keys()


def test_every_rule_that_closes_nights_is_asked_for_on_its_days() -> None:
    closed = [journey for journey in journeys(rate=167, duration=60) if journey.kind == "closed"]
    assert {journey.closed for journey in closed} == {closure.reason for closure in CLOSURES}
    for journey in closed:
        stay = journey.stay
        wanted = stay.unit_type, stay.check_in.weekday(), (stay.check_out - stay.check_in).days
        assert (journey.closed, *wanted) in {
            (closure.reason, closure.unit.unit_type, closure.weekday, closure.nights) for closure in CLOSURES
        }


def test_who_waits_does_so_for_nights_of_their_own() -> None:
    waits = [journey.stay for journey in journeys(rate=167, duration=60) if journey.kind == "waitlist"]
    assert {stay.unit_type for stay in waits} <= {unit.unit_type for unit in ATTICS}
    assert len({(stay.unit_type, stay.check_in) for stay in waits}) == len(waits)


def test_guests_stay_in_units_that_were_declared_and_in_nights_to_come() -> None:
    declared = {(unit.property_id, unit.unit_type) for unit in UNITS}
    for journey in journeys():
        stay = journey.stay
        assert (stay.property_id, stay.unit_type) in declared
        assert TODAY + timedelta(days=2) <= stay.check_in < stay.check_out
        assert stay.check_in < TODAY + timedelta(days=2 + HORIZON)


def test_a_run_over_midnight_never_asks_for_a_past_night() -> None:
    for journey in journeys(rate=0.001, duration=40 * 86_400):
        assert journey.stay.check_in >= TODAY + timedelta(days=1 + journey.at // 86_400)


def test_ten_thousand_bookings_sell_nothing_out_by_chance() -> None:
    sold: Counter[tuple[str, str, date]] = Counter()
    for journey in journeys(rate=167, duration=60):
        stay = journey.stay
        if journey.kind != "race":
            for day in range((stay.check_out - stay.check_in).days):
                sold[stay.property_id, stay.unit_type, stay.check_in + timedelta(days=day)] += 1
    assert max(sold.values()) <= 40
