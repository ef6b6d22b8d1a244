"""One real `vacancy up` as a child process, its parts by name, and the signals that hit them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from cli.parts import command
from config.settings import PREFIX
from streams import ports

_READY = 180.0
_ALIVE = 120.0
_END = 30.0


class InstanceFailed(Exception):
    """The instance did not do what a fault run needs of it; with the end of what it said."""


@dataclass
class Instance:
    """A running instance in `data`; ended by `stop`, whatever state it is in."""

    data: Path
    workers: int = 2
    settings: Mapping[str, str] = field(default_factory=dict)
    layout: str = "catalogue"
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        return self.data / "up.log"

    @property
    def bootstrap(self) -> str:
        return str(self._written()["bootstrap_servers"])

    def start(self) -> None:
        """Starts it and returns once it says that it is ready."""
        self.data.mkdir(parents=True, exist_ok=True)
        arguments = ["up", "--layout", self.layout, "--data", str(self.data), "--workers", str(self.workers)]
        arguments += ["--port", str(ports.any_free())]
        broker = {f"{PREFIX}BROKER_PORT": str(ports.any_free())}  # others on this machine begin at the usual one, too
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command(*arguments),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment({**broker, **self.settings}),
                start_new_session=True,
            )
        self._until(lambda: b"ready http" in self.log.read_bytes(), _READY, "it was not ready")

    def pids(self) -> dict[str, int]:
        """The latest process of each part, by name."""
        return dict(self._written()["pids"])

    def living(self, name: str) -> int:
        """The process of a part, waited for if it is being restarted."""
        self._until(lambda: self._lives(name), _ALIVE, f"{name} was not restarted")
        return self.pids()[name]

    def send(self, name: str, number: signal.Signals) -> int:
        """Sends a signal to a living part; its process id."""
        pid = self.living(name)
        os.kill(pid, number)
        return pid

    def stop(self) -> None:
        """Ends it as Ctrl-C would; kills what is left, and says so by raising InstanceFailed."""
        assert self._process is not None
        children = self._children()
        for child in children:
            _signal(child, signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _, left = psutil.wait_procs(children, timeout=5)
        for child in left:
            _signal(child, signal.SIGKILL)
        if left or self._process.returncode != 0:
            raise self._failed(f"it ended with {self._process.returncode} and left {len(left)} processes")

    def _lives(self, name: str) -> bool:
        # Only what `up` itself started: the file may still name a process that is gone.
        return self.pids().get(name) in {child.pid for child in self._children() if _runs(child)}

    def _children(self) -> list[psutil.Process]:
        assert self._process is not None
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.Error:
            return []

    def _written(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "vacancy.json").read_text("utf-8"))
        return found

    def _until(self, true: Callable[[], bool], patience: float, otherwise: str) -> None:
        end = time.monotonic() + patience
        while not true():
            if self._process is None or self._process.poll() is not None:
                raise self._failed("it ended")
            if time.monotonic() > end:
                raise self._failed(f"{otherwise} within {patience:.0f} s")
            time.sleep(0.05)

    def _failed(self, what: str) -> InstanceFailed:
        return InstanceFailed(f"{what}: {self.log.read_bytes()[-800:].decode('utf-8', 'replace')}")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Our own environment with these VACANCY_* variables and no others."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | dict(settings)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.Error):
        process.send_signal(number)
