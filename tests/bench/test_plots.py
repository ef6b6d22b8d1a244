"""The plots: valid, small, the same for the same figures, and only of what was measured."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.report import page
from tests.bench import results

pytest.importorskip("matplotlib", reason="the plots need matplotlib: pip install 'vacancy[bench]'")

from bench.plots import PLOTS, draw

FOUND = {name: part["result"] for name, part in results.everything().items()}


def test_every_plot_is_a_small_svg_with_its_text_as_text(tmp_path: Path) -> None:
    assert draw(tmp_path, FOUND) == list(PLOTS)
    for name in PLOTS:
        file = tmp_path / f"{name}.svg"
        root = ElementTree.parse(file).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.find(".//{http://www.w3.org/2000/svg}text") is not None
        assert file.stat().st_size < 100_000


def test_the_same_figures_make_the_same_files(tmp_path: Path) -> None:
    for place in ("first", "second"):
        draw(tmp_path / place, FOUND)
    for name in PLOTS:
        assert (tmp_path / "first" / f"{name}.svg").read_bytes() == (tmp_path / "second" / f"{name}.svg").read_bytes()


def test_what_was_not_measured_is_not_drawn_and_an_old_plot_of_it_goes(tmp_path: Path) -> None:
    draw(tmp_path, FOUND)
    left = {name: found for name, found in FOUND.items() if name != "growth"}
    assert draw(tmp_path, left) == [name for name in PLOTS if name != "growth"]
    assert not (tmp_path / "growth.svg").exists()
    assert draw(tmp_path, {}) == []


def test_a_part_that_measured_little_is_drawn_as_far_as_it_goes(tmp_path: Path) -> None:
    nothing = {**results.journey(results.load(167.0, held=False)), "probes": []}
    nothing["rates"] = [{**load, "waterfall": None} for load in nothing["rates"]]
    assert draw(tmp_path, {"journey": nothing, "growth": {}, "micro": {"systems": {}}}) == ["latency"]


def test_the_page_shows_every_plot_and_no_other() -> None:
    shown = page(results.everything(), [], list(PLOTS))
    assert re.findall(r"\]\(performance/(\w+)\.svg\)", shown) == ["systems", "waterfall", "latency", "growth"]
    assert "There are no plots" not in shown
