"""`vacancy up` for real, seen from outside: what it refuses, what it restarts, and that its end leaves no process."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from cli.parts import command
from streams import ports
from tests.cli.command import vacancy

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

_PATIENCE = 120.0


@dataclass
class Up:
    """A `vacancy up` that runs; its standard output is read line by line."""

    data: Path
    port: int = field(default_factory=ports.any_free)
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        with (self.data / "err.txt").open("w") as err:
            self.process = subprocess.Popen(
                command("up", "--data", str(self.data), "--port", str(self.port)),
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
                start_new_session=True,
            )

    def said(self) -> str:
        return (self.data / "err.txt").read_text("utf-8")

    def wait_for(self, words: str) -> None:
        _until(lambda: words in self.said())

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self, *signals: signal.Signals) -> int:
        """Sends the signals one after the other; the exit code."""
        for number in signals:
            self.process.send_signal(number)
            time.sleep(0.1)
        self.process.communicate(timeout=_PATIENCE)
        return self.process.returncode

    def written(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "vacancy.json").read_text("utf-8"))
        return found

    def processes(self) -> list[psutil.Process]:
        """Whatever still has to do with the directory: by its command line, or by working in it."""
        return [process for process in psutil.process_iter() if self._ours(process)]

    def _ours(self, process: psutil.Process) -> bool:
        try:
            words, place = process.cmdline(), process.cwd()
        except psutil.Error:
            return False
        return str(self.data) in words or place.startswith(str(self.data))


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.kill()
    running.process.communicate()


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)


def test_it_runs_restarts_what_is_killed_and_ends_whole(up: Up) -> None:
    assert up.line() == f"ready http://127.0.0.1:{up.port}\n", up.said()
    first = up.written()
    assert set(first["pids"]) == {"broker", "gateway", "provider", "inbox", "worker-1", "projector-1", "projections"}

    second = vacancy("up", "--data", up.data, "--port", str(ports.any_free()))
    assert (second.code, second.out) == (2, "")
    assert f"already runs on {up.data}" in second.err

    for name in ("broker", "worker-1", "projector-1", "projections", "gateway", "provider", "inbox"):
        os.kill(first["pids"][name], signal.SIGKILL)
    _until(lambda: all(up.written()["pids"][name] != pid for name, pid in first["pids"].items()))
    assert {**up.written(), "pids": 0} == {**first, "pids": 0}
    _until(lambda: vacancy("broker", "status", "--data", up.data).code == 0)

    assert up.end(signal.SIGTERM) == 0
    assert up.processes() == []
    assert up.written()["pids"] == {}


def test_ctrl_c_at_any_moment_of_the_start_leaves_nothing(tmp_path: Path) -> None:
    chance = random.Random(3)
    for moment in (0.0, 0.3, 1.0, chance.uniform(0, 6), chance.uniform(0, 10)):
        up = Up(tmp_path)
        # Before its first word Python itself may answer the signal.
        if moment:
            up.wait_for("starting Kafka")
        time.sleep(moment)
        code = up.end(signal.SIGINT)
        assert code == 0 or not moment, up.said()
        assert up.processes() == []


def test_ctrl_c_twice_leaves_nothing(up: Up) -> None:
    assert up.line().startswith("ready "), up.said()
    assert up.end(signal.SIGINT, signal.SIGINT) == 0
    assert up.processes() == []


def test_a_killed_up_takes_everything_with_it_and_the_next_one_goes_on(up: Up) -> None:
    assert up.line().startswith("ready "), up.said()
    up.end(signal.SIGKILL)
    _until(lambda: up.processes() == [])

    again = Up(up.data, up.port)
    assert again.line() == f"ready http://127.0.0.1:{up.port}\n", again.said()
    assert again.end(signal.SIGTERM) == 0
    assert again.processes() == []


def test_a_taken_public_port_is_a_question_to_the_user(tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = str(server.getsockname()[1])
        ran = vacancy("up", "--data", tmp_path, "--port", port)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert f"port {port} is taken" in ran.err


def test_a_directory_of_another_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "instance.json").write_text('{"layout": "hotel", "namespace": "", "cluster_id": "x"}', "utf-8")
    ran = vacancy("up", "--data", tmp_path, "--port", str(ports.any_free()))
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert "belongs to layout hotel" in ran.err


def test_a_broker_of_ones_own_is_used_and_left_alone(tmp_path: Path) -> None:
    started = vacancy("broker", "start", "--data", tmp_path, VACANCY_BROKER_PORT=str(ports.any_free()))
    assert started.code == 0, started.err
    try:
        up = Up(tmp_path)
        assert up.line().startswith("ready "), up.said()
        assert f"kafka://{up.written()['bootstrap_servers']}" == started.out.strip()
        assert "broker" not in up.written()["pids"]
        assert vacancy("broker", "stop", "--data", tmp_path).code == 2
        assert up.end(signal.SIGTERM) == 0
        assert vacancy("broker", "status", "--data", tmp_path).code == 0
    finally:
        assert vacancy("broker", "stop", "--data", tmp_path).code == 0
    assert vacancy("broker", "status", "--data", tmp_path).code == 1
