"""Runs the `vacancy` command as a user does, for tests of what it prints and how it ends."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cli.parts import command
from config.settings import PREFIX


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str


def vacancy(*arguments: str | Path, **environment: str) -> Ran:
    """Runs it to its end; of our own environment it gets everything but VACANCY_*."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    done = subprocess.run(
        command(*(str(argument) for argument in arguments)),
        capture_output=True,
        text=True,
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
