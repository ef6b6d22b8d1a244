"""The workers' counters as one: the catalogue's metrics name a topic and a group (CAT-36), whoever did the work.

A sum never falls, as Prometheus wants it of a counter: what a worker had counted stays when it ends and begins anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.registry import Collector

#: A sample's name and its labels.
Series = tuple[str, tuple[tuple[str, str], ...]]
_SUMMED = "kafka_consumer_"
_STARTED = "process_start_time_seconds"


def is_summed(family: Metric) -> bool:
    return family.name.startswith(_SUMMED)


@dataclass(slots=True)
class _Life:
    """What one process has counted since it started."""

    started: float
    counts: dict[Series, float] = field(default_factory=dict)


class Sums(Collector):
    def __init__(self) -> None:
        self._ended: defaultdict[Series, float] = defaultdict(float)
        self._lives: dict[str, _Life] = {}
        self._families: dict[str, Metric] = {}
        self._of_family: defaultdict[str, dict[Series, None]] = defaultdict(dict)

    def take(self, part: str, families: Iterable[Metric]) -> None:
        """What a worker's page says now. One that came late, after a newer one, changes nothing."""
        families = list(families)
        life = self._life(part, _started(families))
        if life is None:
            return
        for family in families:
            if not is_summed(family) or family.name.endswith("_created"):  # when a series began means nothing in a sum
                continue
            self._families[family.name] = family
            for sample in family.samples:
                series = (sample.name, tuple(sample.labels.items()))
                self._of_family[family.name][series] = None
                life.counts[series] = max(sample.value, life.counts.get(series, 0.0))

    def collect(self) -> Iterator[Metric]:
        for name, family in self._families.items():
            summed = Metric(name, family.documentation, family.type)
            for series in self._of_family[name]:
                living = sum(life.counts.get(series, 0.0) for life in self._lives.values())
                summed.add_sample(series[0], dict(series[1]), self._ended[series] + living)
            yield summed

    def _life(self, part: str, started: float) -> _Life | None:
        known = self._lives.get(part)
        if known is not None and started < known.started:
            return None
        if known is None or started > known.started:
            for series, count in known.counts.items() if known is not None else ():
                self._ended[series] += count
            known = self._lives[part] = _Life(started)
        return known


def _started(families: Iterable[Metric]) -> float:
    """When the process began that wrote the page; 0 where its system does not say."""
    return next((each.samples[0].value for each in families if each.name == _STARTED and each.samples), 0.0)
