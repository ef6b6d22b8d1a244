"""The page of docs/performance.md: every figure it is given, nothing else, and targets judged both ways."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import report_files
from bench.parts import PARTS
from bench.report import page, steps
from bench.report_files import Unreadable, read, write
from bench.report_markdown import generic, number, text
from bench.report_targets import Target, targets
from tests.bench import results

STEP = {
    "change": "one thing less",
    "why": "it was on top of the profile",
    "measure": "CPU a booking at 20/s",
    "before": 16.4,
    "after": 9.7,
    "unit": "ms",
    "kept": True,
}


def figures(value: Any) -> Iterator[Any]:
    """Everything measured in a result, whole and in parts; points of curves are for plots."""
    yield value
    match value:
        case dict():
            for each in value.values():
                yield from figures(each)
        case list() if not any(isinstance(each, list) for each in value):
            for each in value:
                yield from figures(each)


def cells(markdown: str) -> Iterator[str]:
    for line in markdown.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield from line.removeprefix("| ").removesuffix(" |").split(" | ")


def judged(found: dict[str, Any], what: str) -> Target:
    return next(target for target in targets(found) if what in target.what)


def test_every_figure_of_every_part_is_on_the_page() -> None:
    parts = results.everything()
    shown = page(parts, [])
    #: Said in other words, or only to tell what was measured.
    silent = {"took_s", "total_p50", "samples", "cpu_share", "machine_busy", "generator_cpu_share", "outcomes"}
    for name in ("micro", "log", "growth", "synchronous"):
        for figure in figures(parts[name]["result"]):
            if isinstance(figure, int | float) and not isinstance(figure, bool):
                assert number(figure) in shown, (name, figure)
    for load in (*parts["journey"]["result"]["rates"], parts["journey"]["result"]["highest"]):
        for figure in figures({key: each for key, each in load.items() if key not in silent}):
            if isinstance(figure, int | float) and figure != 60:
                assert text(figure) in shown, figure


def test_there_is_no_figure_that_was_not_given() -> None:
    parts = results.everything()
    shown = page(parts, [])
    below = shown.partition("## The same pipeline")[2]
    known = {text(figure) for figure in figures(parts)}
    loads = [*parts["journey"]["result"]["rates"], parts["journey"]["result"]["highest"]]
    known |= {f"{load[key] * 100:.0f} %" for load in loads for key in load if key.endswith(("share", "busy"))}
    known |= {f"{number(load['accepted'])} of {number(load['offered'])}" for load in loads}
    known |= {f"{number(load['seconds'])} s" for load in loads}
    services = parts["journey"]["result"]["services"]
    spent = [services["cpu_us_per_booking"], services["at_rest_us"], *(load["cpu_us_per_booking"] for load in loads)]
    known |= {number(sum(each.values())) for each in spent}
    assert {cell for cell in cells(below) if re.match(r"[\d.,]+($| [^:]*$)", cell)} <= known


def test_a_part_that_was_not_measured_is_not_spoken_of() -> None:
    parts = results.everything()
    for name in parts:
        without = {key: part for key, part in parts.items() if key != name}
        headings = re.findall(r"^## .+$", page(without, []), re.MULTILINE)
        assert len(headings) == len(re.findall(r"^## .+$", page(parts, []), re.MULTILINE)) - 1


def test_before_anything_was_measured_every_target_says_so() -> None:
    assert {target.measured for target in targets({})} == {"not measured"}
    assert {target.verdict for target in targets({})} == {"not measured"}
    assert "Nothing was measured yet." in page({}, [])


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [(11.0, "goal"), (12.0, "floor"), (33.0, "floor"), (34.0, "**no**")],
)
def test_our_processor_is_judged_by_its_peers(ours: float, verdict: str) -> None:
    assert judged({"micro": results.micro(ours)}, "micro pipeline").verdict == verdict


def test_without_a_peer_there_is_no_bound() -> None:
    micro = results.micro()
    del micro["systems"]["kafka-streams-exactly-once"]
    assert judged({"micro": micro}, "micro pipeline").verdict == "floor"
    del micro["systems"]["quix-exactly-once"]
    alone = judged({"micro": micro}, "micro pipeline")
    assert (alone.measured, alone.verdict) == ("10 s", "not measured")


@pytest.mark.parametrize(
    ("at_target", "highest", "verdict"),
    [
        (results.load(167.0), results.load(1_000.0), "goal"),
        (results.load(167.0), results.load(214.0), "floor"),
        (results.load(167.0, cpu=0.7), results.load(214.0), "**no**"),
        (results.load(167.0, held=False), results.load(25.0), "**no**"),
        (results.load(167.0, held=False), None, "**no**"),
    ],
)
def test_the_journey_is_held_or_it_is_not(at_target: dict[str, Any], highest: Any, verdict: str) -> None:
    found = judged({"journey": results.journey(at_target, highest)}, "through HTTP")
    assert found.verdict == verdict
    assert ("no rate held" in found.measured) is (highest is None)


@pytest.mark.parametrize(
    ("what", "found", "verdicts"),
    [
        (
            "from the log",
            [{"log": results.log(per_second=rate)} for rate in (10_000, 2_000, 1_999)],
            ["goal", "floor", "**no**"],
        ),
        (
            "confirm latency",
            [{"journey": results.journey(results.load(167.0, confirm=ms))} for ms in (25, 100, 101)],
            ["goal", "floor", "**no**"],
        ),
        (
            "consumer lag",
            [{"journey": results.journey(results.load(167.0, lag=lag))} for lag in (20, 100, 101)],
            ["goal", "floor", "**no**"],
        ),
        ("two hops p95", [{"micro": results.micro()}], ["goal"]),
        ("recovery", [{"growth": results.growth(cold)} for cold in (10, 60, 61)], ["goal", "floor", "**no**"]),
        (
            "resident memory",
            [{"log": results.log(bookings=count, mib=mib)} for count, mib in ((100_000, 230), (100_000, 570))],
            ["goal", "floor"],
        ),
        (
            "resident memory",
            [{"log": results.log(bookings=2_000, mib=mib)} for mib in (100, 580)],
            ["not measured", "**no**"],
        ),
    ],
)
def test_a_bound_itself_is_met_and_beyond_it_is_not(
    what: str, found: list[dict[str, Any]], verdicts: list[str]
) -> None:
    assert [judged(each, what).verdict for each in found] == verdicts


def test_a_pace_other_than_that_of_the_target_does_not_count() -> None:
    micro = results.micro()
    micro["latency"]["vacancy"]["events_per_second"] = 1_000
    assert judged({"micro": micro}, "two hops p95").verdict == "not measured"


def test_steps_stand_with_before_and_after() -> None:
    shown = page({}, [STEP, {**STEP, "change": "another", "kept": False, "note": "it cost more than it saved"}])
    assert "16.4 ms | 9.70 ms | yes" in shown
    assert "no | it cost more than it saved" in shown


def test_the_steps_that_are_written_down_are_complete() -> None:
    for step in steps():
        assert {*step} - {"note"} == {*STEP}


def test_two_machines_are_told_apart() -> None:
    parts = {"log": results.measured(results.log()), "growth": results.measured(results.growth())}
    parts["growth"]["machine"] = {**results.MACHINE, "processor": "Slide rule"}
    shown = page(parts, [])
    assert "Machine 1: Abacus" in shown
    assert "Machine 2: Slide rule" in shown


def test_what_nobody_described_is_a_table_all_the_same() -> None:
    shown = generic([{"rows": 12_345, "cold_s": results.spread(2.0), "curve": [[0, 1], [1, 2]], "found": None}])
    assert shown.splitlines()[0] == "| rows | cold (s) | found |"
    assert shown.splitlines()[2] == "| 12,345 | 2 (1.80 to 2.20) | - |"


def test_parts_that_ran_replace_theirs_and_leave_the_others(tmp_path: Path) -> None:
    write(tmp_path, {"log": results.measured(results.log()), "micro": results.measured(results.micro())})
    write(tmp_path, {"log": results.measured(results.log(per_second=3.0))})
    found = read(tmp_path)
    assert list(found) == [name for name in PARTS if name in found] == ["micro", "log"]
    assert found["log"]["result"]["drain"]["bookings_per_s"] == 3.0
    assert found["micro"]["result"] == results.micro()
    assert json.loads((tmp_path / "performance.json").read_text("utf-8")) == {"parts": found}
    assert "3 bookings/s" in (tmp_path / "performance.md").read_text("utf-8")


def test_figures_of_version_0_1_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "performance.json").write_text('{"machine": {}, "demo": {"rate": 167.0}}', "utf-8")
    assert read(tmp_path) == {}
    (tmp_path / "performance.json").write_text("what is this", "utf-8")
    with pytest.raises(Unreadable, match=r"performance\.json"):
        read(tmp_path)


def test_without_matplotlib_the_page_has_no_plots_and_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_files, "drawn", lambda directory, found: [])
    assert write(tmp_path, results.everything()) == []
    shown = (tmp_path / "performance.md").read_text("utf-8")
    assert "](performance/" not in shown
    assert "pip install 'vacancy[bench]'" in shown
