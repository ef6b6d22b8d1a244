"""What the gateway's metrics tell of the instance as a whole: its log, who is behind on it, and where bookings stand.

A scrape waits for neither a broker nor a database that is away: it gets what was known last, and how old that is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from streams.lag import Standing
from web.looking import Looking

#: Bookings by their kind and status.
States = Mapping[tuple[str, str], int]
_LOOK_EVERY_S = 5.0
#: The tables are counted through each time.
_COUNT_EVERY_S = 30.0
_READING = ("topic", "consumer_group")


class Watch(Collector):
    def __init__(self, look: Callable[[], Awaitable[Standing]], count: Callable[[], Awaitable[States]]) -> None:
        self.standing = Looking("how far the groups are behind", look, _LOOK_EVERY_S)
        self._states = Looking("where the bookings stand", count, _COUNT_EVERY_S)

    async def refresh(self) -> None:
        await asyncio.gather(self.standing.refresh(), self._states.refresh())

    async def close(self) -> None:
        await asyncio.gather(self.standing.close(), self._states.close())

    def collect(self) -> Iterator[Metric]:
        yield from _of_log(self.standing.answer or Standing())
        age = GaugeMetricFamily("vacancy_lag_age_seconds", "How old the lag and the counts of topics are.")
        age.add_metric((), self.standing.age)
        yield age
        states = GaugeMetricFamily("vacancy_saga_states", "Bookings by kind and status.", labels=("kind", "status"))
        for labels, count in (self._states.answer or {}).items():
            states.add_metric(labels, count)
        yield states


def _of_log(standing: Standing) -> Iterator[Metric]:
    lag = GaugeMetricFamily("kafka_consumer_lag", "Records that a group has not committed.", labels=_READING)
    for reading, count in standing.lag.items():
        lag.add_metric(reading, count)
    yield lag
    age = GaugeMetricFamily(
        "kafka_consumer_lag_seconds", "Age of the oldest record that a group has not committed.", labels=_READING
    )
    for reading, seconds in standing.age.items():
        age.add_metric(reading, seconds)
    yield age
    messages = CounterMetricFamily("kafka_topic_messages", "Records ever appended to a topic.", labels=("topic",))
    for topic, count in standing.messages.items():
        messages.add_metric((topic,), count)
    yield messages
    # A gauge by the catalogue's name for it: what is taken away is not there any more.
    letters = GaugeMetricFamily("kafka_dlq_messages_total", "Dead letters of a topic.", labels=("topic",))
    for topic, count in standing.letters.items():
        letters.add_metric((topic,), count)
    yield letters
    left = GaugeMetricFamily(
        "vacancy_dead_letters_open", "Dead letters of a topic that nothing was done to.", labels=("topic",)
    )
    for topic, count in standing.open_letters.items():
        left.add_metric((topic,), count)
    yield left
