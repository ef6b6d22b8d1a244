"""`vacancy doctor`: what is wrong is said with what to do, and the exit code tells."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path

import pytest

from cli.doctor import examine
from config.settings import Settings
from streams import ports
from tests.cli.command import vacancy

_CHECKS = ["python", "java", "kafka", "disk", "port", "rocksdb", "open files"]


def test_every_check_has_an_answer(tmp_path: Path) -> None:
    findings = examine(Settings(data=tmp_path / "not" / "there", port=ports.any_free()))
    assert [finding.check for finding in findings] == _CHECKS
    assert all(finding.found for finding in findings)
    assert not (tmp_path / "not").exists()


def test_a_taken_port_is_found(tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        ran = vacancy("doctor", "--data", tmp_path, "--json", VACANCY_PORT=str(port))
    assert ran.code == 1
    said = json.loads(ran.out)
    assert not said["ok"]
    (finding,) = (check for check in said["checks"] if check["check"] == "port")
    assert finding["found"] == f"{port} is taken"
    assert "VACANCY_PORT" in finding["advice"]


def test_a_missing_registry_is_found_before_it_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (finding,) = (found for found in examine(Settings(data=tmp_path)) if found.check == "kafka")
    assert not finding.ok
    assert "check the network" in finding.advice


def test_with_a_broker_of_ones_own_neither_java_nor_kafka_matters(tmp_path: Path) -> None:
    findings = {found.check: found for found in examine(Settings(data=tmp_path, broker="kafka://h:1"))}
    assert findings["java"].ok
    assert findings["kafka"].found.startswith("not needed")


def test_it_reads_well(tmp_path: Path) -> None:
    ran = vacancy("doctor", "--data", tmp_path, "--config", "/dev/null", VACANCY_PORT=str(ports.any_free()))
    assert [line[7:20].strip() for line in ran.out.splitlines() if line.startswith(("ok", "WRONG"))] == _CHECKS
