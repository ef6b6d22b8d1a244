"""Tables of any size: what is written is what the product restores."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from rich.progress import Progress

from bench.growth_rows import booking_rows, resource_rows
from bench.growth_tables import Table, figures, measure, row_sizes, tables
from bench.parts import Options
from bench.recovery import grown
from domain.booking_state import Booking
from domain.inventory import Resource
from streams.keys import partition_of


def test_rows_of_resources_are_the_products_own() -> None:
    rows = list(resource_rows(200, 4))
    assert len({key for _, key, _ in rows}) == 200
    for partition, key, payload in rows:
        assert partition == partition_of(key.removeprefix("r|"), 4)
        assert msgspec.json.decode(payload, type=Resource).capacity > 0


@pytest.mark.parametrize("size", [1_024, 4_096, 8_192])
def test_rows_of_bookings_are_as_large_as_was_asked_for(size: int) -> None:
    for partition, key, payload in booking_rows(20, size, 4, seed=1):
        assert partition == partition_of(key.removeprefix("b|"), 4)
        assert msgspec.json.decode(payload, type=Booking).booking_id == key.removeprefix("b|")
        assert abs(len(key) + len(payload) - size) <= 2


def test_a_short_run_measures_the_same_on_less(tmp_path: Path) -> None:
    short, full = (Options(scratch=tmp_path, short=each) for each in (True, False))
    assert [table.rows for table in tables(full)] == [1_000, 10_000, 100_000, 1_000_000]
    assert {table.rows for table in tables(short)} < {table.rows for table in tables(full)}
    assert [table.row_bytes for table in row_sizes(short)] == [table.row_bytes for table in row_sizes(full)]


def test_figures_of_a_table_are_medians_with_their_spread() -> None:
    restored = [{"restore_s": seconds, "restore_cpu_s": 1.0, "resident_mib": 90} for seconds in (2.0, 4.0, 3.0)]
    decided = [{**restored[0], "decisions": 100, "decide_s": 0.5, "decide_cpu_s": 0.2}]
    told = figures(Table(grown("availability", "x"), 1_000, 100), 200_000, restored, restored, decided)
    assert told["cold_s"] == {"min": 2.0, "median": 3.0, "max": 4.0, "runs": 3}
    assert (told["row_bytes"], told["cold_rows_per_s"]) == (200, 333)
    assert told["decisions_per_s"]["median"] == 200
    assert told["decision_cpu_us"]["median"] == 2_000
    assert figures(Table(grown("booking", "x"), 1_000), 1, restored, restored, [])["decisions_per_s"] is None


@pytest.mark.broker
@pytest.mark.timeout(120)
def test_a_table_is_restored_cold_and_warm_and_decided_on(kafka: str, tmp_path: Path) -> None:
    table = Table(grown("availability", "smoke"), 300)
    with Progress(disable=True) as progress:
        told = measure(kafka, table, Options(scratch=tmp_path, repeats=1), progress)
    assert json.loads(json.dumps(told))["rows"] == 300
    assert told["cold_s"]["median"] > 0
    assert told["warm_s"]["median"] > 0
    assert told["decisions_per_s"] is None
