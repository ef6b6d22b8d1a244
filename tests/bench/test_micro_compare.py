"""What the comparison makes of its runs, without running any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from bench.micro import compare, envelopes, foreign
from bench.micro.compare import described, figures
from bench.micro.latency import summary
from bench.micro.load import RESOURCES, Load
from bench.micro.measure import Spent
from bench.micro.systems import SYSTEMS, System
from bench.parts import CannotMeasure
from streams import java
from streams.codec import decode
from streams.events.availability import DeclareResource
from streams.events.booking_news import BookingCreated


def spent(seconds: float, cpu: float) -> Spent:
    return Spent(
        events=500_000, seconds=seconds, cpu=cpu, broker_cpu=1.0, others=0.1, resident_mib=80.0, start_up_cpu=0.5
    )


def named(name: str) -> System:
    return next(system for system in SYSTEMS if system.name == name)


def test_runs_become_medians_with_their_spread_per_million() -> None:
    found = figures(named("plain"), [spent(2.0, 1.0), spent(4.0, 3.0), spent(5.0, 2.0)])
    assert found["events"] == 500_000
    assert found["events_per_second"] == {"min": 100_000, "median": 125_000, "max": 250_000, "runs": 3}
    assert found["cpu_seconds_per_million"]["median"] == 4.0
    assert found["broker_cpu_seconds_per_million"]["median"] == 2.0
    assert orjson.loads(orjson.dumps(found)) == found


def test_what_does_more_says_so() -> None:
    assert "does_more" not in figures(named("vacancy"), [spent(1, 1)])
    assert "signature" in figures(named("vacancy-availability"), [spent(1, 1)])["does_more"]


def test_the_load_is_described() -> None:
    found = described(Load(1_000_000, seed=1))
    assert (found["events"], found["slots"]) == (1_000_000, 83)


def test_latency_is_in_quantiles_of_what_was_answered() -> None:
    found = summary([float(number) for number in range(1, 101)], rate=100, seconds=1.0)
    assert found["ms"] == {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}
    with pytest.raises(CannotMeasure, match="80 of 100"):
        summary([1.0] * 80, rate=100, seconds=1.0)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_every_run_has_names_of_its_own(system: System, tmp_path: Path) -> None:
    """Whatever a run leaves is removed by its name; only the shared input stays."""
    run = system.run("run7-x", "127.0.0.1:9092", "bookings-1", tmp_path)
    own = {run.middle, run.output, *(topic.name for topic in system.topics("run7-x"))}
    assert all("run7-x" in name for name in own)
    assert "{" not in "".join((*own, run.source, run.group))


def test_the_products_own_messages_are_the_same_bookings(tmp_path: Path) -> None:
    load = Load(500, seed=2)
    settings = envelopes.settings_of("127.0.0.1:9092", "run7-x", tmp_path)
    placed = list(envelopes.records(settings, load))
    events = [decode(record.value).data for _, _, record in placed]
    declared, asked = events[:RESOURCES], events[RESOURCES:]
    assert all(isinstance(event, DeclareResource) for event in declared)
    assert {event.booking_id for event in asked if isinstance(event, BookingCreated)} == {
        booking.booking_id for booking in load.bookings()
    }
    topics = {topic.name: topic.num_partitions for topic in envelopes.topics("run7-x")}
    assert all(partition < topics[topic] for topic, partition, _ in placed)


def test_without_a_compiler_kafka_streams_is_left_out_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java, "find", lambda: java.Java(tmp_path / "java", 17))
    with pytest.raises(CannotMeasure, match="no javac"):
        foreign.kafka_streams()


def test_without_a_registry_quix_is_left_out_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(command, 1, b"nobody\n  answers\n")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", failing)
    skipped: dict[str, str] = {}
    assert not compare._is_there(named("quix-exactly-once"), skipped)
    assert skipped == {"quix-exactly-once": "Quix Streams could not be set up: nobody answers"}


def test_the_peers_are_part_of_the_package() -> None:
    peers = Path(compare.__file__).parent / "peers"
    assert {"Pipeline.java", "requirements.txt", "quix.py"} <= {path.name for path in peers.iterdir()}
    assert "quixstreams" not in sys.modules
