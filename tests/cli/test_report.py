"""The demo's arithmetic: percentiles, what a tally counts, and what the report makes of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from cli.progress import counts
from cli.report import Latency, as_text, percentile, race_counts, report_of
from cli.tally import Tally


def test_percentiles_are_values_that_were_measured() -> None:
    hundred = [float(n) for n in range(1, 101)]
    assert [percentile(hundred, share) for share in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert percentile([3.0], 50) == percentile([3.0], 99) == 3.0
    assert percentile([1.0, 2.0], 50) == 1.0


@given(some.lists(some.floats(0, 1e6), min_size=1), some.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(values: list[float], share: int) -> None:
    found = percentile(sorted(values), share)
    assert sum(value <= found for value in values) * 100 >= share * len(values)
    assert sum(value < found for value in values) * 100 < share * len(values)


def test_latencies_are_milliseconds() -> None:
    assert Latency.of([0.001, 0.2]) == Latency(p50=1.0, p95=200.0, p99=200.0, max=200.0)
    assert Latency.of([]) is None


def test_races_are_counted_by_their_winners() -> None:
    races = {1: ["CONFIRMED", "REJECTED"], 2: ["REJECTED", "REJECTED"], 3: ["CONFIRMED", "CONFIRMED"]}
    assert race_counts(races) == {"one_winner": 1, "sold_before": 1, "sold_twice": 1}


def test_a_last_unit_that_is_sold_twice_is_an_error() -> None:
    tally = Tally()
    tally.finished(1, "CONFIRMED")
    tally.finished(1, "REJECTED")
    assert tally.error_count == 0
    tally.finished(2, "CONFIRMED")
    tally.finished(2, "CONFIRMED")
    assert tally.errors == ["race 2: the last unit was sold 2 times"]


def sample() -> Tally:
    tally = Tally(started=5, accepted=4)
    tally.settle("CONFIRMED", None)
    tally.settle("CONFIRMED", None)
    tally.settle("REJECTED", "card_declined")
    tally.retried("HTTP 503")
    tally.accept.append(0.01)
    tally.confirm.append(0.05)
    return tally


def test_the_report_says_what_the_tally_saw() -> None:
    report = report_of(sample(), seed=7, rate=20.0, seconds=2.0).as_dict()
    assert report["outcomes"] == {"CONFIRMED": 2, "CANCELLED": 0, "REJECTED": 1, "EXPIRED": 0}
    assert report["reasons"] == {"card_declined": 1}
    assert (report["unresolved"], report["not_accepted"], report["retries"]) == (1, 1, {"HTTP 503": 1})
    assert report["accept_ms"] == {"p50": 10.0, "p95": 10.0, "p99": 10.0, "max": 10.0}
    assert report["confirm_ms"]["p95"] == 50.0


def test_a_run_is_clean_when_every_booking_has_its_outcome_and_nothing_was_odd() -> None:
    tally = sample()
    assert not report_of(tally, seed=7, rate=20.0, seconds=2.0).clean
    tally.settle("EXPIRED", "deadline_passed")
    assert report_of(tally, seed=7, rate=20.0, seconds=2.0).clean
    tally.wrong("something else")
    assert not report_of(tally, seed=7, rate=20.0, seconds=2.0).clean


def test_only_the_first_errors_are_kept_and_all_are_counted() -> None:
    tally = Tally()
    for n in range(100):
        tally.wrong(f"error {n}")
    assert (tally.error_count, len(tally.errors), tally.errors[0]) == (100, 20, "error 0")


def test_the_report_for_people() -> None:
    text = as_text(report_of(sample(), seed=7, rate=20.0, seconds=2.0))
    assert "4 bookings accepted in 2.0 s (2.0/s), seed 7" in text
    assert "CONFIRMED 2, REJECTED 1" in text
    assert "p50 10.0 ms, p95 10.0 ms, p99 10.0 ms" in text
    assert "unresolved  1, never accepted 1" in text


def test_a_run_that_saw_nothing_has_a_report() -> None:
    text = as_text(report_of(Tally(), seed=7, rate=20.0, seconds=0.0))
    assert "0 bookings accepted" in text
    assert "accept  " not in text


def test_the_counts_of_a_run_under_way_in_one_line() -> None:
    assert counts(sample()) == "accepted 4, open 1, confirmed 2, rejected 1, retries 1"
