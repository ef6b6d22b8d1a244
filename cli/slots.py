"""A worker's place in an instance: a number, its state directory, and the locks that keep others out of it.

A slot has two halves, for what a booking waits for and for what follows from it (docs/decisions/0027): one process may
have both, or two one each.
"""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cli.problem import Problem

Half = Literal["worker", "projector"]
WHOLE: Sequence[Half] = ("worker", "projector")


@dataclass(frozen=True)
class Slot:
    """The number is part of the worker's identity in its groups; the directory holds its rows. By its name, e.g.
    "worker-1", the other parts of the instance know it.
    """

    number: int
    directory: Path
    name: str

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
                yield cls(candidate, directory, f"{halves[0]}-{candidate}")
                return
        raise Problem(f"slot {number} is in use by another worker of this instance; leave --slot out or stop that one")


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    os.set_inheritable(file, False)
    return True
