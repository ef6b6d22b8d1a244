"""Directories of an instance are its owner's."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.directories import private
from config.secrets import Secrets


@pytest.fixture
def _no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("_no_umask")
def test_what_is_made_is_the_owners_and_what_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)
    assert private(tmp_path / "there" / "data" / "state") == tmp_path / "there" / "data" / "state"
    private(tmp_path / "there")
    modes = [_mode(tmp_path / path) for path in ("there", "there/data", "there/data/state")]
    assert modes == [0o755, 0o700, 0o700]


@pytest.mark.usefixtures("_no_umask")
def test_secrets_lie_in_a_directory_of_the_owners(tmp_path: Path) -> None:
    Secrets.load_or_create(tmp_path / "data")
    assert _mode(tmp_path / "data") == 0o700
