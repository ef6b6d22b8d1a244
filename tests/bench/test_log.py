"""The journey from the log: what is asked for, and what is made of what was seen."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.progress import Progress

from bench.log import as_many_as, declared, made, standing
from bench.log_drain import drain_waiting, outcome_topics, rates, thinned
from bench.log_sampler import Sample, Samples
from bench.log_traffic import Traffic, stays, unit_names
from streams.layout import load_layout

TODAY = date(2026, 5, 1)


def test_the_same_traffic_asks_for_the_same_stays() -> None:
    traffic = Traffic(bookings=50, seed=3)
    assert list(stays(traffic, TODAY)) == list(stays(traffic, TODAY))
    assert list(stays(traffic, TODAY)) != list(stays(Traffic(bookings=50, seed=4), TODAY))


def test_a_hot_night_is_one_night_of_one_unit_type() -> None:
    asked = list(stays(Traffic(bookings=20, unit_types=1, nights=1, longest=1), TODAY))
    assert len({(stay.property_id, stay.unit_type, stay.check_in, stay.check_out) for stay in asked}) == 1


def test_cards_fail_and_are_slow_as_often_as_was_asked_for() -> None:
    tokens = [stay.token for stay in stays(Traffic(bookings=1_000, slow=1_000), TODAY)]
    assert set(tokens) == {"tok_slow"}
    tokens = [stay.token for stay in stays(Traffic(bookings=1_000, declined=0), TODAY)]
    assert set(tokens) == {"tok_visa"}


def test_unit_types_have_names_of_their_own() -> None:
    assert len(set(unit_names(1_000))) == 1_000


@pytest.mark.parametrize(
    ("per_second", "expected"),
    [(10.0, 5_000), (1.0, 1_000), (100_000.0, 100_000)],
)
def test_as_many_bookings_are_drained_as_there_is_time_for(per_second: float, expected: int) -> None:
    assert as_many_as(per_second, 540.0, 100_000) == expected


def test_rates_count_from_the_first_message() -> None:
    told = rates(100, outcome_s=4.0, rest_s=5.0)
    assert (told["bookings_per_s"], told["bookings_per_s_to_rest"]) == (25.0, 20.0)


@pytest.mark.parametrize("bookings", [1, 99, 100, 101, 1_000])
def test_a_curve_has_few_points_and_ends_with_the_last_booking(bookings: int) -> None:
    curve = thinned([float(number) for number in range(bookings)], points=100)
    assert len(curve) <= 101
    assert curve[-1] == (float(bookings - 1), bookings)


def test_outcomes_are_counted_on_their_own_topics() -> None:
    layout = load_layout("catalogue")
    topics = outcome_topics(layout)
    assert sorted(topics.values()) == ["confirmed", "expired", "rejected"]
    assert all(len(layout.named[name].carries) == 1 for name in topics)


def test_cpu_is_what_was_spent_between_two_moments_by_all_processes_of_a_part() -> None:
    samples = Samples(
        [
            Sample(1.0, {("worker-1", 7): 5.0, ("broker", 1): 1.0}, {("worker-1", 7): 100.0, ("broker", 1): 300.0}),
            Sample(2.0, {("worker-1", 7): 6.0, ("broker", 1): 1.5}, {("worker-1", 7): 180.0, ("broker", 1): 300.0}),
            Sample(3.0, {("worker-1", 8): 0.5, ("broker", 1): 2.0}, {("worker-1", 8): 90.0, ("broker", 1): 310.0}),
        ]
    )
    assert samples.cpu_between(1.1, 2.2) == {"worker-1": 1.0, "broker": 0.5}
    assert samples.cpu_between(1.1, 3.0) == {"worker-1": 0.5, "broker": 1.0}
    assert samples.peak() == {"worker-1": 180.0, "broker": 310.0}
    assert samples.resident_at(3.1) == {"worker-1": 90.0, "broker": 310.0}
    assert samples.restarts() == 1


@pytest.mark.soak  # `vacancy bench log` does it with a thousand times as many; most of it is waiting for rest
@pytest.mark.broker
@pytest.mark.timeout(240)
def test_bookings_on_the_log_are_drained_to_rest(tmp_path: Path) -> None:
    with standing(tmp_path / "log") as settings, Progress(disable=True) as progress:
        declared(settings, 3, progress)
        records = made(settings, Traffic(bookings=20, unit_types=3, seed=int(datetime.now(UTC).timestamp())), progress)
        seen: list[int] = []
        drain = drain_waiting(settings, records, 1, seen.append)
    assert json.loads(json.dumps(drain))["bookings"] == 20
    assert sum(drain["outcomes"].values()) == sum(seen) == 20
    assert 0 < drain["outcome_s"] <= drain["rest_s"]
    assert drain["restarts"] == 0
    assert {"broker", "gateway", "provider", "worker-1"} <= set(drain["cpu_ms_per_booking"])
    assert drain["resident_mib"]["worker-1"] > 0
