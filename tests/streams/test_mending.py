"""A local store that is broken is wiped once, and only then; what fails otherwise is left alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.ending import MUST_NOT_GO_ON, STORAGE, code_of
from streams.local import LocalRows, Row, StoreBroken, StoreFailed
from streams.mending import Mender, Wiped
from streams.restore import RestoreStuck, StoreAhead


class Service:
    """A service's directory with rows in it, and how its process would have ended."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.ends = directory, list[BaseException]()
        self.fail = Mender(directory, self.ends.append)
        self.fill()

    def fill(self) -> None:
        rows = LocalRows(self.directory / "rows" / "0")
        rows.write({"b1": Row(b"{}", 1, 1)}, 2)
        rows.close()

    def break_(self) -> StoreBroken:
        for file in (self.directory / "rows" / "0").glob("*.sst"):
            file.write_bytes(b"\x00" * file.stat().st_size)
        with pytest.raises(StoreBroken) as caught:
            LocalRows(self.directory / "rows" / "0").get("b1")
        return caught.value


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path / "booking")


def test_a_broken_store_is_wiped_once(service: Service) -> None:
    service.fail(service.break_())
    assert not (service.directory / "rows").exists()
    service.fill()
    service.fail(service.break_())
    assert (service.directory / "rows").exists(), "the second time there is another reason, and somebody has to look"
    assert [type(end) for end in service.ends] == [Wiped, StoreFailed]
    assert [code_of(end) for end in service.ends] == [MUST_NOT_GO_ON, STORAGE]
    assert "remove that directory, start again" in str(service.ends[1])


def test_who_was_well_for_a_while_may_be_wiped_again(service: Service) -> None:
    service.fail(service.break_())
    service.fail.well()
    service.fill()
    service.fail(service.break_())
    assert [type(end) for end in service.ends] == [Wiped, Wiped]


@pytest.mark.parametrize("error", [StoreAhead("shorter"), RestoreStuck("nothing comes")])
def test_what_the_changelog_does_not_bear_out_is_wiped(service: Service, error: StoreBroken) -> None:
    service.fail(error)
    assert [type(end) for end in service.ends] == [Wiped]


def test_a_lock_or_a_lost_lease_wipes_nothing(service: Service) -> None:
    rows = LocalRows(service.directory / "rows" / "0")
    with pytest.raises(StoreFailed) as caught:
        LocalRows(service.directory / "rows" / "0")
    rows.close()
    assert not isinstance(caught.value, StoreBroken)
    for error in (caught.value, OSError(28, "No space left on device"), ValueError()):
        service.fail(error)
    assert (service.directory / "rows").exists()
    assert [code_of(end) for end in service.ends] == [STORAGE, STORAGE, MUST_NOT_GO_ON]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    try:
        subprocess.run(words, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no tmpfs may be mounted here: run the tests as root, in a machine or container that allows it")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_a_failure_and_not_a_broken_store(disk: Path) -> None:
    rows = LocalRows(disk / "0")
    with pytest.raises(StoreFailed, match="No space left on device") as caught:
        _write(rows, megabytes=10)
    assert not isinstance(caught.value, StoreBroken)
    assert code_of(caught.value) == STORAGE


def _write(rows: LocalRows, megabytes: int) -> None:
    for number in range(megabytes * 10):
        rows.write({f"b{number}": Row(os.urandom(100_000), number, number)}, number)
    rows.close()
