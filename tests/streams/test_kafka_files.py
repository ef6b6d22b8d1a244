"""Kafka's files: what counts as complete, and what an interrupted download leaves behind. No network here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams import kafka_files


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("JGO_CACHE_DIR", str(tmp_path / "jgo"))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    kafka_files.cache().mkdir(parents=True)
    return kafka_files.cache()


def _noted(cache: Path, sizes: dict[str, int]) -> None:
    (cache / f"kafka-{kafka_files.KAFKA}-{kafka_files.LOG4J}.json").write_text(json.dumps(sizes), "utf-8")


def test_nothing_is_found_where_nothing_is(cache: Path) -> None:
    assert kafka_files.find() is None


def test_a_complete_download_is_found(cache: Path, tmp_path: Path) -> None:
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"1234")
    _noted(cache, {str(jar): 4})
    assert kafka_files.find() == [jar]


@pytest.mark.parametrize("content", [None, b"12"])
def test_a_file_that_is_gone_or_cut_makes_it_incomplete(cache: Path, tmp_path: Path, content: bytes | None) -> None:
    jar = tmp_path / "a.jar"
    if content is not None:
        jar.write_bytes(content)
    _noted(cache, {str(jar): 4})
    assert kafka_files.find() is None


def test_without_a_registry_it_says_what_to_do(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    half = tmp_path / "half.jar"
    half.write_bytes(b"12")
    (cache / "unfinished").write_text(str(half), "utf-8")

    with pytest.raises(kafka_files.KafkaMissing) as caught:
        kafka_files.fetch()

    line = str(caught.value)
    assert "\n" not in line
    assert "check the network" in line
    assert "--broker" in line
    # What a download before had left half-written is gone.
    assert not half.exists()
    assert not (cache / "unfinished").exists()
    assert kafka_files.unreachable(1.0) is not None
