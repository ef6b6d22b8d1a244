"""What `vacancy up` does before its first part: looks at the disk, makes its directories."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from cli.bring_up import BringUp
from cli.doctor import examine
from cli.problem import Misuse, Problem
from config.settings import Settings
from streams import ports
from tests.cli.command import vacancy

_MORE_THAN_THERE_IS = 10**9


def test_a_disk_that_is_nearly_full_is_refused_and_found_by_the_doctor(tmp_path: Path) -> None:
    few = str(_MORE_THAN_THERE_IS)
    ran = vacancy("up", "--data", tmp_path / "new", "--port", str(ports.any_free()), VACANCY_MIN_FREE_MB=few)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert "min_free_mb" in ran.err
    settings = Settings(data=tmp_path, min_free_mb=_MORE_THAN_THERE_IS)
    (disk,) = (found for found in examine(settings) if found.check == "disk")
    assert not disk.ok
    assert disk.advice in ran.err.replace(str(tmp_path / "new"), str(tmp_path))


async def test_nothing_is_made_on_a_disk_that_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="use --data on another"):
        BringUp(Settings(data=tmp_path / "new", min_free_mb=_MORE_THAN_THERE_IS), None)
    assert os.listdir(tmp_path) == []


async def test_its_directories_are_the_owners(tmp_path: Path) -> None:
    data = tmp_path / "new"
    BringUp(Settings(data=data, min_free_mb=0), None)
    made = (data, data / "broker", data / "provider", data / "state")
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o700] * 4


async def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match="Not a directory"):
        BringUp(Settings(data=tmp_path / "file" / "new", min_free_mb=0), None)
