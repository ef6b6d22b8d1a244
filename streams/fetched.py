"""Batches as Faust events: what a fetch brought is handed to its agent as one message (design 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP


class Batches(DefaultSchedulingStrategy):
    """Hands on as one message what one fetch brought for one agent: a list of records for each partition.

    An agent reads one topic, or all of those that are `gathered`. Faust takes the message for one of the first
    partition's, at the offset of its last record. `fetched` is told of what is handed on of each partition.
    """

    def __init__(
        self, gathered: Collection[str] = (), fetched: Callable[[TP, list[Any]], object] = lambda tp, records: None
    ) -> None:
        self._gathered = gathered
        self._fetched = fetched

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        by_agent: defaultdict[str, list[TP]] = defaultdict(list)
        for tp, fetched in records.items():
            if fetched:
                self._fetched(tp, fetched)
                by_agent["" if tp.topic in self._gathered else tp.topic].append(tp)
        for tps in by_agent.values():
            yield tps[0], _as_one([records[tp] for tp in tps])


def _as_one(fetched: list[list[Any]]) -> SimpleNamespace:
    last = fetched[0][-1]
    return SimpleNamespace(
        topic=last.topic,
        partition=last.partition,
        offset=last.offset,
        timestamp=last.timestamp,
        timestamp_type=last.timestamp_type,
        headers=(),
        key=None,
        value=fetched,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
    )
