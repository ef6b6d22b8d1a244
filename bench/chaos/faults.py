"""What a fault is, when the faults of a run strike, and what came of each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from bench.chaos.stage import Stage


class Blow(NamedTuple):
    """A fault as it was dealt: what was hit, and the moment (monotonic) from which its recovery counts."""

    target: str
    since: float


class Fault(Protocol):
    """Something that goes wrong, and is over after `takes` seconds."""

    @property
    def name(self) -> str: ...

    @property
    def takes(self) -> float: ...

    #: Seconds that it is left alone for afterwards, so that its recovery can be told from the next one's.
    @property
    def rests(self) -> float: ...

    def missing(self, stage: Stage) -> str:
        """Why it cannot be dealt on this stage, as a sentence; "" where it can."""

    async def strike(self, stage: Stage, choose: random.Random) -> Blow:
        """Returns once it is over; the choice is seeded."""


@dataclass(frozen=True)
class Due:
    """A fault and its time, in seconds after the load began."""

    at: float
    fault: Fault


@dataclass(frozen=True)
class Struck:
    """A fault as it happened. `flow` is the seconds until every partition moved again; None: that was not seen."""

    fault: str
    target: str
    #: Seconds after the load began, and those that it took.
    at: float
    flow: float | None
    lasted: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "fault": self.fault,
            "target": self.target,
            "at": round(self.at, 2),
            "lasted": round(self.lasted, 2),
            "flow": None if self.flow is None else round(self.flow, 2),
        }


def schedule(faults: Sequence[Fault], *, seed: int, first: float) -> list[Due]:
    """The faults in an order and at moments drawn from `seed`, each over and left alone before the next one strikes."""
    drawn = random.Random(seed)
    due, window = [], first
    for fault in drawn.sample(list(faults), len(faults)):
        due.append(Due(window + drawn.uniform(0, fault.rests / 3), fault))
        window += fault.takes + fault.rests
    return due


def length(faults: Sequence[Fault]) -> float:
    """The seconds that these take one after the other."""
    return sum(fault.takes + fault.rests for fault in faults)
