"""A worker's place in an instance: a number, its state directory, and the locks that keep others out of it.

A slot has two halves, for what a booking waits for and for what follows from it (docs/decisions/0027): one process may
have both, or two one each.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cli.problem import Problem

Half = Literal["worker", "projector"]
WHOLE: Sequence[Half] = ("worker", "projector")
#: How the one before us in a slot ended: in order, by itself or by a kill, or with the machine (a power cut).
Ended = Literal["clean", "killed", "machine"]
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Slot:
    """The number is part of the worker's identity in its groups; the directory holds its rows. By its name, e.g.
    "worker-1", the other parts of the instance know it.
    """

    number: int
    directory: Path
    name: str
    before: Ended = "clean"

    @classmethod
    @contextmanager
    def take(cls, state: Path, number: int | None, halves: Sequence[Half] = WHOLE) -> Iterator[Slot]:
        """These halves of the slot of this number, or of the lowest free one. Raises Problem if one is taken."""
        for candidate in itertools.count(1) if number is None else (number,):
            directory = state / str(candidate)
            directory.mkdir(parents=True, exist_ok=True)
            with ExitStack() as locks:
                files = [locks.enter_context((directory / f"{half}.lock").open("a")) for half in halves]
                if not all(_locked(file.fileno()) for file in files):
                    continue
                with _running([directory / f"{half}.running" for half in halves]) as before:
                    yield cls(candidate, directory, f"{halves[0]}-{candidate}", before)
                return
        raise Problem(f"slot {number} is in use by another worker of this instance; leave --slot out or stop that one")


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    os.set_inheritable(file, False)
    return True


@contextmanager
def _running(markers: Sequence[Path]) -> Iterator[Ended]:
    """Says that we run, for as long as we do; a marker found at the start is of one that never came to its end."""
    boot = _BOOT.read_text().strip() if _BOOT.exists() else ""
    before = _ended(markers, boot)
    for marker in markers:
        _write(marker, json.dumps({"pid": os.getpid(), "boot": boot}))
    try:
        yield before
    except SystemExit as end:
        if not end.code:
            _remove(markers)
        raise
    _remove(markers)


def _write(marker: Path, said: str) -> None:
    """Beside and renamed: one cut short by a full disk would look like a power cut, and cost all rows."""
    beside = marker.with_suffix(".new")
    beside.write_text(said, "utf-8")
    beside.replace(marker)


def _ended(markers: Sequence[Path], boot: str) -> Ended:
    said = [_said(marker) for marker in markers if marker.exists()]
    if not said:
        return "clean"
    # A marker that cannot be read was not written to the end, as after a power cut.
    return "killed" if all(one.get("boot") == boot for one in said) else "machine"


def _said(marker: Path) -> dict[str, object]:
    with suppress(OSError, ValueError):
        said = json.loads(marker.read_text("utf-8"))
        return said if isinstance(said, dict) else {}
    return {}


def _remove(markers: Sequence[Path]) -> None:
    for marker in markers:
        marker.unlink(missing_ok=True)
