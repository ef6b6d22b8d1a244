"""The sandbox as a process: where it listens, how it ends, and what a killed one still knows."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Process:
    """The sandbox as `vacancy provider` runs it."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self._announced = data / "run" / "provider.json"
        self._announced.unlink(missing_ok=True)
        command = [sys.executable, "-m", "cli.main", "provider", "--data", str(data), *arguments]
        self.popen = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.communicate()

    @property
    def url(self) -> str:
        while not self._announced.exists():
            assert self.popen.poll() is None, "it ended"
            time.sleep(0.02)
        said = json.loads(self._announced.read_text())
        assert said["pid"] == self.popen.pid
        return str(said["url"])

    def end(self, how: signal.Signals) -> int:
        self.popen.send_signal(how)
        return self.popen.wait(10)


def post(url: str, body: Json, key: str) -> Json:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Idempotency-Key": key})
    with urllib.request.urlopen(request, timeout=10) as response:
        return dict(json.load(response))


def test_a_killed_provider_comes_back_under_its_url_with_its_books(tmp_path: Path) -> None:
    asked = {"reference": "pay-1", "amount": "100.00", "currency": "EUR", "token": "tok_visa"}
    with Process(tmp_path) as first:
        url = first.url
        before = post(f"{url}/v1/authorizations", asked, "k")
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
    with Process(tmp_path) as second:
        assert second.url == url
        assert post(f"{url}/v1/authorizations", asked, "k") == before
        with urllib.request.urlopen(f"{url}/v1/ledger", timeout=10) as response:
            assert len(json.load(response)["entries"]) == 1
        assert second.end(signal.SIGTERM) == 0
    assert not (tmp_path / "run" / "provider.json").exists()


def test_a_taken_port_is_left_for_a_free_one_unless_it_was_asked_for(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "provider").mkdir()
        (tmp_path / "provider" / "port.json").write_text(json.dumps({"port": port}))
        with Process(tmp_path) as remembering:
            assert not remembering.url.endswith(f":{port}")
            assert remembering.end(signal.SIGTERM) == 0
        with Process(tmp_path, "--port", str(port)) as asking:
            _, said = asking.popen.communicate(timeout=30)
            assert asking.popen.returncode == 1
            assert b"is taken" in said
