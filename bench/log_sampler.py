"""What the parts of an instance spend, looked at from outside while they run, from before they are ready."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: the CPU seconds and resident MiB of each part, by its name and process."""

    at: float
    cpu: dict[tuple[str, int], float]
    resident: dict[tuple[str, int], float]


@dataclass
class Samples:
    """What was seen, in order. Times are wall clock, as records on the log have them."""

    seen: list[Sample] = field(default_factory=list)

    def cpu_between(self, first: float, last: float) -> dict[str, float]:
        """CPU seconds by part; to a quarter of a second, which is how often was looked."""
        before, after = _nearest(self.seen, first), _nearest(self.seen, last)
        spent: dict[str, float] = {}
        for process, seconds in after.cpu.items():
            spent[process[0]] = spent.get(process[0], 0.0) + seconds - before.cpu.get(process, 0.0)
        return spent

    def peak(self) -> dict[str, float]:
        """The most that was resident of each part, in MiB."""
        most: dict[str, float] = {}
        for sample in self.seen:
            for (name, _), size in sample.resident.items():
                most[name] = max(most.get(name, 0.0), size)
        return most

    def resident_at(self, moment: float) -> dict[str, float]:
        """What was resident of each part then, in MiB."""
        return {name: size for (name, _), size in _nearest(self.seen, moment).resident.items()}

    def restarts(self) -> int:
        """Processes that took the place of another one of the same part."""
        processes = {process for sample in self.seen for process in sample.cpu}
        return len(processes) - len({name for name, _ in processes})


@contextmanager
def sampling(data: Path) -> Iterator[Samples]:
    """Looks at the parts of the instance in DIR for as long as the block lasts. Each says in DIR/run what it is."""
    samples, ended = Samples(), threading.Event()
    known: dict[int, psutil.Process] = {}

    def look_on() -> None:
        while not ended.wait(_EVERY_S):
            samples.seen.append(_look(data, known))

    looking = threading.Thread(target=look_on, name="sampler", daemon=True)
    looking.start()
    try:
        yield samples
    finally:
        ended.set()
        looking.join()


def _look(data: Path, known: dict[int, psutil.Process]) -> Sample:
    sample = Sample(time.time(), {}, {})
    for path in (data / "run").glob("*.json"):
        # A part may end, or be just being written down, while it is looked at.
        with suppress(OSError, ValueError, KeyError, TypeError, psutil.Error):
            pid = int(json.loads(path.read_text("utf-8"))["pid"])
            process = known.setdefault(pid, psutil.Process(pid))
            with process.oneshot():
                sample.cpu[path.stem, pid] = sum(process.cpu_times()[:2])
                sample.resident[path.stem, pid] = process.memory_info().rss / 2**20
    return sample


def _nearest(seen: Sequence[Sample], moment: float) -> Sample:
    return min(seen, key=lambda sample: abs(sample.at - moment))
