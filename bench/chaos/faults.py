"""Which faults strike when: a schedule drawn from a seed, and what came of each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Part = Literal["worker", "projector", "projections", "broker", "gateway", "provider", "inbox"]


@dataclass(frozen=True)
class Fault:
    """A part is killed (kill -9), or paused (SIGSTOP) for some seconds and then let go on."""

    part: Part
    paused: float = 0.0

    @property
    def name(self) -> str:
        return f"SIGSTOP {self.part} {self.paused:.0f} s" if self.paused else f"kill -9 {self.part}"


@dataclass(frozen=True)
class Due:
    """A fault and its time, in seconds after the load began."""

    at: float
    fault: Fault


@dataclass(frozen=True)
class Struck:
    """A fault as it happened. `flow` is the seconds from it until every partition moved again; None: never seen."""

    fault: str
    target: str
    at: float
    flow: float | None

    def as_json(self) -> dict[str, Any]:
        return {"fault": self.fault, "target": self.target, "at": round(self.at, 2), "flow": _rounded(self.flow)}


def schedule(faults: Sequence[Fault], *, seed: int, first: float, every: float) -> list[Due]:
    """The faults in an order and at moments drawn from `seed`: one in each window of `every` seconds.

    A pause counts into its window, so that it is over before the next fault strikes.
    """
    drawn = random.Random(seed)
    order = drawn.sample(list(faults), len(faults))
    due, window = [], first
    for fault in order:
        due.append(Due(window + drawn.uniform(0, every / 2), fault))
        window += every + fault.paused
    return due


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
