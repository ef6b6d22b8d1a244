"""The parts of `vacancy bench`: what each measures, and where it stands. A part's module is imported when it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.progress import Progress


class CannotMeasure(Exception):
    """A part cannot be measured here; one sentence that says what is missing."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure. `short` is for trying it out: the same steps on less, in about a minute a part."""

    #: An empty directory for data, logs and whatever else is thrown away.
    scratch: Path
    short: bool = False
    #: Measurements of each thing that is compared, interleaved.
    repeats: int = 3
    seed: int = 1


#: What a part sees goes into the JSON under its name, and only what it saw.
Run = Callable[[Options, Progress], dict[str, Any]]

#: name: (module with `run`, what it measures)
PARTS: dict[str, tuple[str, str]] = {
    "micro": ("bench.micro.compare", "the same pipeline on Vacancy's processor and on its peers"),
    "journey": ("bench.journey", "bookings through HTTP: the highest rate that is held, and where the time goes"),
    "profile": ("bench.profile", "where a worker's processor time goes, sampled"),
    "log": ("bench.log", "bookings that are on the log already, drained through every service"),
    "growth": ("bench.growth", "more resources, bookings and workers; recovery; a hot resource; larger rows"),
    "synchronous": ("bench.synchronous", "the same journey as calls between services, one after the other"),
}


def part(name: str) -> Run:
    """The part of that name."""
    run: Run = import_module(PARTS[name][0]).run
    return run
