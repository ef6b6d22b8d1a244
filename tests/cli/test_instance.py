"""DIR/vacancy.json and what stands beside it: who may read it, who may have the directory."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli import instance
from cli.instance import Instance
from cli.problem import Misuse, Problem
from config.settings import Settings

_INSTANCE = Instance("http://127.0.0.1:8080", "op1.key", "127.0.0.1:9092", "catalogue", {"broker": 1, "worker-1": 2})


def test_it_reads_as_the_contract_says(tmp_path: Path) -> None:
    _INSTANCE.write(tmp_path)
    assert json.loads((tmp_path / "vacancy.json").read_text("utf-8")) == {
        "url": "http://127.0.0.1:8080",
        "api_key": "op1.key",
        "bootstrap_servers": "127.0.0.1:9092",
        "layout": "catalogue",
        "pids": {"broker": 1, "worker-1": 2},
    }
    assert instance.find(tmp_path) == _INSTANCE


def test_only_the_owner_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        _INSTANCE.write(tmp_path)
        _INSTANCE.write(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "vacancy.json").stat().st_mode) == 0o600


def test_a_reader_never_sees_half_of_it(tmp_path: Path) -> None:
    _INSTANCE.write(tmp_path)
    with ThreadPoolExecutor(1) as writer:
        done = writer.submit(_write_often, tmp_path)
        seen = 0
        while not done.done() or not seen:
            assert instance.find(tmp_path) == _INSTANCE
            seen += 1
    assert [path.name for path in tmp_path.iterdir()] == ["vacancy.json"]


def _write_often(data: Path) -> None:
    for _ in range(300):
        _INSTANCE.write(data)


def test_what_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    _INSTANCE.write(tmp_path)
    with pytest.raises(TypeError):
        instance.write_whole(tmp_path / "vacancy.json", {"url": object()})
    assert instance.find(tmp_path) == _INSTANCE
    assert [path.name for path in tmp_path.iterdir()] == ["vacancy.json"]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misuse, match="cannot be written: Not a directory"), instance.alone(tmp_path / "file" / "data"):
        pass


def test_where_none_is_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="vacancy up --data"):
        instance.find(tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "vacancy.json").write_text('{"url": ', "utf-8")
    with pytest.raises(Problem, match=r"vacancy\.json"):
        instance.find(tmp_path)


def test_one_elsewhere_is_found_by_its_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VACANCY_API_KEY", raising=False)
    with pytest.raises(Misuse, match="VACANCY_API_KEY"):
        instance.find(tmp_path, "http://far:1/")
    monkeypatch.setenv("VACANCY_API_KEY", "k")
    found = instance.find(tmp_path, "http://far:1/")
    assert (found.url, found.api_key) == ("http://far:1", "k")


def test_a_part_started_by_hand_joins_the_instance(tmp_path: Path) -> None:
    _INSTANCE.write(tmp_path)
    instance.write_whole(instance.run_file(tmp_path, "provider"), {"pid": 3, "url": "http://127.0.0.1:4"})
    joined = instance.joined(Settings(data=tmp_path))
    assert (joined.bootstrap, joined.provider_url) == ("127.0.0.1:9092", "http://127.0.0.1:4")
    by_hand = instance.joined(Settings(data=tmp_path, broker="kafka://other:1"))
    assert (by_hand.bootstrap, by_hand.provider_url) == ("other:1", "http://127.0.0.1:4")
    given = Settings(data=tmp_path, broker="kafka://other:1", provider_url="http://127.0.0.1:5")
    assert instance.joined(given) == given


def test_a_part_started_by_hand_takes_the_directorys_layout_and_a_broker_of_its_own(tmp_path: Path) -> None:
    _INSTANCE.write(tmp_path)
    instance.claim_cluster(Settings(data=tmp_path, layout="hotel"), "cluster-1")
    instance.write_whole(instance.run_file(tmp_path, "broker"), {"pid": 3, "url": "kafka://127.0.0.1:5"})
    joined = instance.joined(Settings(data=tmp_path))
    assert (joined.layout, joined.bootstrap) == ("hotel", "127.0.0.1:5")
    assert instance.joined(Settings(data=tmp_path, layout="catalogue")).layout == "catalogue"


def test_a_directory_belongs_to_one_layout_and_one_cluster(tmp_path: Path) -> None:
    instance.claim_layout(tmp_path, "catalogue")
    instance.claim_cluster(Settings(data=tmp_path), "cluster-1")
    instance.claim_layout(tmp_path, "catalogue")
    instance.claim_cluster(Settings(data=tmp_path), "cluster-1")
    with pytest.raises(Misuse, match="belongs to layout catalogue, not hotel"):
        instance.claim_layout(tmp_path, "hotel")
    with pytest.raises(Misuse, match="cluster-1"):
        instance.claim_cluster(Settings(data=tmp_path), "cluster-2")


def test_a_directory_remembers_its_namespace_and_profile(tmp_path: Path) -> None:
    instance.claim_cluster(Settings(data=tmp_path, layout="campsite", namespace="north", profile="document"), "one")
    found = instance.belonging(Settings(data=tmp_path))
    assert (found.layout, found.namespace, found.profile) == ("campsite", "north", "document")
    assert instance.belonging(Settings(data=tmp_path, namespace="south")).namespace == "south"
    with pytest.raises(Misuse, match="VACANCY_NAMESPACE=north"):
        instance.claim_layout(tmp_path, "campsite")


def test_a_directory_of_the_first_version_is_refused(tmp_path: Path) -> None:
    instance.write_whole(tmp_path / "instance.json", {"layout": "catalogue", "cluster_id": "one"})
    with pytest.raises(Misuse, match=r"version 0\.1"):
        instance.claim_layout(tmp_path, "catalogue")


def test_one_up_at_a_time(tmp_path: Path) -> None:
    with instance.alone(tmp_path):
        assert instance.runs(tmp_path)
        with pytest.raises(Misuse, match=f"pid {os.getpid()}"), instance.alone(tmp_path):
            pass
    assert not instance.runs(tmp_path)


def test_a_killed_ups_lock_is_gone_with_it(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from cli import instance; import time\n"
        f"with instance.alone(Path({str(tmp_path)!r})): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert instance.runs(tmp_path)
        other.kill()
    assert not instance.runs(tmp_path)
