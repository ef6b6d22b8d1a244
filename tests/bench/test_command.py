"""`vacancy bench`: which parts it runs, what it keeps, and what is left when it is interrupted."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import typer

from bench.command import command
from bench.parts import PARTS
from bench.progress import shown
from cli.problem import Misuse, Problem
from tests.cli.command import vacancy

_FAKE = ("tests.bench.fake_part", "nothing")
#: The command with a part that measures nothing, as a program of its own.
_PROGRAM = f"""
import sys
from bench.parts import PARTS
PARTS["fake"] = {_FAKE!r}
from cli.main import run
sys.argv = ["vacancy", "bench", *sys.argv[1:]]
run()
"""


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fake", "other"):
        monkeypatch.setitem(PARTS, name, _FAKE)


@pytest.mark.usefixtures("fakes")
def test_each_part_is_measured_once_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    command(["fake", "other", "fake"], short=True, as_json=True, repeats=5, seed=7)
    said = json.loads(capsys.readouterr().out)
    assert list(said["parts"]) == ["fake", "other"]
    part = said["parts"]["fake"]
    assert {name: part[name] for name in ("short", "repeats", "seed")} == {"short": True, "repeats": 5, "seed": 7}
    assert (part["result"]["seed"], part["result"]["repeats"], part["result"]["short"]) == (7, 5, True)
    assert part["machine"]["cores"] == os.cpu_count()
    assert not Path(part["result"]["scratch"]).exists()


@pytest.mark.usefixtures("fakes")
def test_a_part_that_cannot_be_measured_is_left_out_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(["fake"], to=tmp_path)
    monkeypatch.setenv("FAKE_PART", "cannot")
    with pytest.raises(typer.Exit):
        command(["fake"], to=tmp_path)
    monkeypatch.setitem(PARTS, "log", _FAKE)
    assert "fake was not measured: there is no fairy dust here" in capsys.readouterr().err
    kept = json.loads((tmp_path / "performance.json").read_text("utf-8"))["parts"]
    assert list(kept) == ["fake"]


@pytest.mark.usefixtures("fakes")
def test_without_a_directory_the_page_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    command(["fake"])
    assert "## Targets" in capsys.readouterr().out


def test_what_is_asked_wrongly_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="no part 'speed' of the bench; there are: micro, journey"):
        command(["speed"])
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(Misuse, match="--write"):
        command(["journey"], to=tmp_path / "file")
    (tmp_path / "performance.json").write_text("{", "utf-8")
    with pytest.raises(Problem, match=r"performance\.json"):
        command(["journey"], to=tmp_path)


def test_help_names_every_part_and_an_example() -> None:
    found = vacancy("bench", "--help")
    assert found.code == 0
    assert "Example: vacancy bench" in found.out
    assert all(part in found.out for part in PARTS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_no_process_and_no_directory(number: signal.Signals) -> None:
    started = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "fake"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "FAKE_PART": "endless"},
    )
    assert started.stdout is not None
    pid, _, directory = started.stdout.readline().strip().partition(" ")
    started.send_signal(number)
    _, errors = started.communicate()
    assert started.returncode == 130, errors
    assert "Traceback" not in errors
    assert not psutil.pid_exists(int(pid))
    assert not Path(directory).exists()


def test_where_nobody_watches_a_line_is_said_now_and_then() -> None:
    stream = io.StringIO()
    with shown(stream, period=0.01) as progress:
        progress.add_task("counting sheep", total=4, completed=1)
        while "counting sheep (25 %)" not in stream.getvalue():
            time.sleep(0.01)
    assert "\x1b" not in stream.getvalue()
