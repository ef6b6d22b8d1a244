"""What a worker counts of its own work, under the names that the catalogue gives it (CAT-36) and ours beside them.

A batch of a thousand records costs what one record costs: nothing here is called for each of them.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from faust.types import TP
from prometheus_client import REGISTRY, Counter, Gauge
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from streams.reader import Raw

_IN = TypeVar("_IN")
_OUT = TypeVar("_OUT")
_LABELS = ("topic", "consumer_group")
#: In seconds. Five is one of them: it is where the alert is (CAT-32).
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

_ERRORS = Counter("kafka_consumer_errors", "Records and attempts that failed.", _LABELS)
READY = Gauge("vacancy_worker_ready", "Whether a service's group is joined and its rows are restored.", ("service",))
_RECOVERED = Gauge("vacancy_recovery_rows", "Changelog records read in the latest recovery.", ("service", "partition"))
_REMAINING = Gauge(
    "vacancy_recovery_remaining",
    "Changelog offsets that the recovery under way has still to read.",
    ("service", "partition"),
)


class Durations(Collector):
    """A histogram that takes many observations of one value at once, which the library's own does not."""

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self._sums: defaultdict[tuple[str, str], float] = defaultdict(float)

    def add(self, topic: str, group: str, seconds: float, count: int) -> None:
        series = (topic, group)
        self._counts[series][bisect_left(BUCKETS, seconds)] += count
        self._sums[series] += seconds * count

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(
            "kafka_consumer_processing_duration_seconds",
            "From the fetch of a record until all that follows from it is durable.",
            labels=_LABELS,
        )
        for series, counts in self._counts.items():
            below, buckets = 0, []
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
                below += count
                buckets.append((bound, below))
            family.add_metric(series, buckets, self._sums[series])
        yield family


DURATIONS = Durations()
REGISTRY.register(DURATIONS)


def failed(topic: str, group: str) -> None:
    """A record could not be read or decided, or an attempt at what it asks for did not succeed."""
    _ERRORS.labels(topic, group).inc()


def counted(call: Callable[[_IN], Awaitable[_OUT]], topic: str, group: str) -> Callable[[_IN], Awaitable[_OUT]]:
    """`call`, each failure of which counts as one of the topic and the group."""

    async def calling(asked: _IN) -> _OUT:
        try:
            return await call(asked)
        except Exception:
            failed(topic, group)
            raise

    return calling


@dataclass(slots=True)
class _Fetched:
    """Records of one fetch that are not done yet: so many, from one offset to before another."""

    first: int
    end: int
    left: int
    at: float


class Underway:
    """What one group has fetched and not finished: how long a record took is known once offsets are done below it."""

    def __init__(
        self, group: str, durations: Durations = DURATIONS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._group = group
        self._durations = durations
        self._clock = clock
        self._fetched: defaultdict[TP, deque[_Fetched]] = defaultdict(deque)

    def fetched(self, tp: TP, records: Sequence[Raw]) -> None:
        """Consecutive records of a partition were handed over."""
        taken = _Fetched(records[0].offset, records[-1].offset + 1, len(records), self._clock())
        self._fetched[tp].append(taken)

    def done_below(self, tp: TP, offset: int) -> None:
        """Everything of a partition below `offset` is done for good."""
        fetched, now = self._fetched[tp], self._clock()
        while fetched and fetched[0].first < offset:
            oldest = fetched[0]
            whole = offset >= oldest.end
            # Offsets may be left out on a log, records never come twice in one fetch.
            done = oldest.left if whole else min(oldest.left, offset - oldest.first)
            self._durations.add(tp.topic, self._group, now - oldest.at, done)
            if whole:
                fetched.popleft()
            else:
                oldest.first, oldest.left = offset, oldest.left - done

    def forget(self) -> None:
        """Fetching begins anew: what was under way is fetched again, here or elsewhere."""
        self._fetched.clear()


class Recovery:
    """How far the restore of one service's rows is."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._ends: dict[int, int] = {}

    def begins(self, partition: int, start: int, end: int) -> None:
        self._ends[partition] = end
        _RECOVERED.labels(self._service, str(partition)).set(0)
        _REMAINING.labels(self._service, str(partition)).set(max(0, end - start))

    def read(self, partition: int, records: Sequence[Raw]) -> None:
        _RECOVERED.labels(self._service, str(partition)).inc(len(records))
        left = self._ends[partition] - records[-1].offset - 1
        _REMAINING.labels(self._service, str(partition)).set(max(0, left))
