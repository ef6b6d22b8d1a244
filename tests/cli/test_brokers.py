"""Which brokers a directory has, which of them run, and what is refused; no broker is needed to know."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli import brokers, instance
from cli.problem import Misuse, Problem
from config.settings import Settings
from streams import kafka_config
from tests.cli.command import vacancy

_PORTS = {1: 9092, 2: 9093, 3: 9094}


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A directory that was made with three brokers, none of which runs."""
    for node, port in _PORTS.items():
        kafka_config.write(tmp_path / f"broker-{node}", node=node, port=port, controllers={1: 1, 2: 2, 3: 3})
    return tmp_path


@pytest.fixture
def runs(three: Path) -> Iterator[Callable[[int], int]]:
    """Has a node said to run: some process in its directory; its pid."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin(node: int) -> int:
        processes.append(subprocess.Popen(["sleep", "600"], cwd=three / f"broker-{node}"))
        said = {"pid": processes[-1].pid, "url": f"kafka://127.0.0.1:{_PORTS[node]}"}
        instance.write_whole(instance.run_file(three, f"broker-{node}"), said)
        return processes[-1].pid

    yield begin
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def all_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(bootstrap: str) -> str:
        return "a cluster"

    monkeypatch.setattr(brokers, "cluster_id", answer)


def test_a_directory_keeps_the_number_it_was_made_with(three: Path, tmp_path: Path) -> None:
    assert brokers.nodes_for(Settings(data=three)) == 3
    assert brokers.nodes_for(Settings(data=three, broker_nodes=3)) == 3
    with pytest.raises(Misuse, match="made with 3 brokers, not 1"):
        brokers.nodes_for(Settings(data=three, broker_nodes=1))
    alone = tmp_path / "alone"
    assert brokers.nodes_for(Settings(data=alone)) == 1
    assert brokers.nodes_for(Settings(data=alone, broker_nodes=3)) == 3
    (alone / "broker" / "data").mkdir(parents=True)
    with pytest.raises(Misuse, match="made with 1 broker, not 3"):
        brokers.nodes_for(Settings(data=alone, broker_nodes=3))


async def test_the_heap_of_each_of_several_is_smaller_unless_it_is_set(three: Path, tmp_path: Path) -> None:
    async def heaps(settings: Settings) -> set[int]:
        cluster = brokers.embedded(settings)
        found = {broker.memory for broker in cluster.brokers}
        await cluster.stop()
        return found

    assert await heaps(Settings(data=three)) == {320}
    assert await heaps(Settings(data=three, broker_memory=400)) == {400}
    assert await heaps(Settings(data=tmp_path / "alone")) == {512}


def test_a_process_that_is_no_broker_of_this_directory_is_none_that_runs(
    three: Path, runs: Callable[[int], int]
) -> None:
    first, second = runs(1), runs(2)
    # As after a restart of the machine: the number is somebody else's now.
    said = {"pid": second, "url": "kafka://127.0.0.1:9094"}
    instance.write_whole(instance.run_file(three, "broker-3"), said)
    assert {name: said["pid"] for name, said in brokers.running(three).items()} == {
        "broker-1": first,
        "broker-2": second,
    }


@pytest.mark.usefixtures("all_answer")
async def test_an_instance_uses_a_majority_and_refuses_less(three: Path, runs: Callable[[int], int]) -> None:
    assert await brokers.standing(three) is None
    runs(3)
    with pytest.raises(Problem, match=r"broker-1, broker-2 of .* do not answer: `vacancy broker start"):
        await brokers.standing(three)
    runs(1)
    assert await brokers.standing(three) == "kafka://127.0.0.1:9092,127.0.0.1:9094"


def test_a_part_started_by_hand_finds_them_all(three: Path, runs: Callable[[int], int]) -> None:
    for node in _PORTS:
        runs(node)
    joined = instance.joined(Settings(data=three, provider_url="http://127.0.0.1:1"))
    assert joined.bootstrap == "127.0.0.1:9092,127.0.0.1:9093,127.0.0.1:9094"


def test_status_names_each_that_does_not_answer(three: Path) -> None:
    ran = vacancy("broker", "status", "--data", three)
    assert (ran.code, ran.out.splitlines()) == (1, [f"broker-{node}: does not answer" for node in _PORTS])


def test_another_number_than_the_directorys_is_refused_before_anything_starts(three: Path) -> None:
    for arguments in (("broker", "start", "--nodes", "1"), ("up", "--port", "0", "--set", "broker_nodes=5")):
        ran = vacancy(*arguments, "--data", three)
        assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1), ran.err
        assert "made with 3 brokers" in ran.err
    ran = vacancy("broker", "start", "--nodes", "2", "--data", three / "new")
    assert (ran.code, "should be odd" in ran.err) == (2, True)
