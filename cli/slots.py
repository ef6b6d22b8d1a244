"""A worker's place in an instance: a number, its state directory, and the lock that keeps others out of it."""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.problem import Problem


@dataclass(frozen=True)
class Slot:
    """The number is part of the worker's identity in its groups; the directory holds its rows."""

    number: int
    directory: Path

    @classmethod
    @contextmanager
    def take(cls, state: Path, number: int | None) -> Iterator[Slot]:
        """The slot of this number, or the lowest free one. Raises Problem if it is taken."""
        for candidate in itertools.count(1) if number is None else (number,):
            directory = state / str(candidate)
            directory.mkdir(parents=True, exist_ok=True)
            with (directory / "lock").open("a") as lock:
                if not _locked(lock.fileno()):
                    continue
                yield cls(candidate, directory)
                return
        raise Problem(f"slot {number} is in use by another worker of this instance; leave --slot out or stop that one")


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    os.set_inheritable(file, False)
    return True
