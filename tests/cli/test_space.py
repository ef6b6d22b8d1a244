"""What a full disk hinders: what writes to it, and nothing else."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from cli import space
from config.settings import Settings

Usage = namedtuple("Usage", "total used free")
Fill = Callable[[str, int], None]
_MIB = 1024 * 1024


@pytest.fixture
def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fill:
    """Leaves so many MiB of a disk of its own mounted below the data directory."""
    for name in ("state", "broker", "broker-1", "broker-2", "broker-3"):
        (tmp_path / name).mkdir()
    left: dict[Path, int] = {}
    monkeypatch.setattr("shutil.disk_usage", lambda place: Usage(0, 0, left.get(place, 10_000) * _MIB))
    return lambda name, free: left.update({tmp_path / name: free})


@pytest.mark.parametrize(
    ("place", "hindered", "free"),
    [
        ("state", ("worker-1", "projector-2"), ("broker", "gateway", "provider")),
        ("broker", ("broker",), ("worker-1", "projector-1", "gateway")),
        ("", ("broker", "worker-1", "projector-1", "gateway", "inbox"), ()),
    ],
)
def test_a_part_waits_for_the_disks_it_writes_to(
    place: str, hindered: tuple[str, ...], free: tuple[str, ...], fill: Fill, tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path)
    fill(place, 1)
    assert all("only 1 MiB left" in space.full(settings, part) for part in hindered)
    assert not any(space.full(settings, part) for part in free)
    assert space.full(settings)  # the gateway takes nothing new, whichever disk is full


def test_one_of_several_brokers_waits_for_its_own_disk(fill: Fill, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, broker_nodes=3)
    fill("broker-2", 0)
    assert space.full(settings, "broker-2")
    assert not space.full(settings, "broker-1")
    assert space.full(settings)


def test_a_start_wants_as_much_again(fill: Fill, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, stop_below_mb=64)
    fill("state", 100)
    assert not space.full(settings, "worker-1")
    assert space.full(settings, "worker-1", times=2)
    fill("state", 10)
    with pytest.raises(space.DiskFull, match="only 10 MiB left"):
        space.check_room(settings)
    space.check_room(settings, "broker")
