"""A real `vacancy up` to measure: started in a directory of its own, watched by process, and ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.parts import CannotMeasure

_READY_S, _END_S = 180.0, 20.0
#: The processes of one worker with all services.
WORKER = ("worker-1", "projector-1")


@dataclass(frozen=True, slots=True)
class Measured:
    """A running instance. What it is made of stands in DIR/vacancy.json, which is kept current."""

    data: Path

    @property
    def written(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "vacancy.json").read_text("utf-8"))
        return found

    @property
    def bootstrap(self) -> str:
        return str(self.written["bootstrap_servers"])

    def cpu_seconds(self) -> dict[str, float]:
        """The CPU time each part has spent since it was started, user and system."""
        return {name: sum(process.cpu_times()[:2]) for name, process in self._processes()}

    def resident_mib(self) -> dict[str, int]:
        return {name: process.memory_info().rss // 2**20 for name, process in self._processes()}

    def demo(self, rate: float, duration: float, seed: int, *more: str) -> dict[str, Any]:
        """The closing report of `vacancy demo` on it."""
        asked = ["demo", "--data", str(self.data), "--rate", f"{rate:g}", "--duration", f"{duration:g}"]
        done = subprocess.run(
            vacancy(*asked, "--seed", str(seed), *more, "--json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if not done.stdout.strip():
            raise CannotMeasure(f"`vacancy demo` at {rate:g}/s ended with {done.returncode} and no report")
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def audit(self) -> int:
        """The exit code of `vacancy audit`: 0 is clean."""
        asked = vacancy("audit", "--data", str(self.data), "--json")
        return subprocess.run(asked, capture_output=True, check=False).returncode

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        for name, pid in self.written["pids"].items():
            yield name, psutil.Process(pid)


@contextmanager
def running(data: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> Iterator[Measured]:
    """A fresh `vacancy up` with these arguments and settings (VACANCY_*), gone afterwards with all its parts."""
    data.mkdir(parents=True, exist_ok=True)
    log = data / "up.log"
    with log.open("wb") as out:
        up = subprocess.Popen(
            vacancy("up", "--data", str(data), "--port", "0", *arguments),
            stdout=out,
            stderr=subprocess.STDOUT,
            env=_environment(settings or {}),
        )
    try:
        _until_ready(up, log)
        yield Measured(data)
    finally:
        up.send_signal(signal.SIGTERM)
        try:
            up.wait(_END_S)
        except subprocess.TimeoutExpired:
            up.kill()
            up.wait()


def vacancy(*arguments: str) -> Sequence[str]:
    """The command line of a `vacancy` command in this environment."""
    return [sys.executable, "-P", "-m", "cli.main", *arguments]


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **settings}


def _until_ready(up: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _READY_S
    while b"ready http" not in log.read_bytes():
        if up.poll() is not None or time.monotonic() > until:
            raise CannotMeasure(f"`vacancy up` was not ready: {log.read_text('utf-8', 'replace')[-500:]}")
        time.sleep(0.1)
