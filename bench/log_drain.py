"""Bookings that are on the log drained through every service, and what that took as the log itself tells it.

When a booking caused its first message and when it had its outcome is read from the records afterwards: watching costs
the two cores nothing but a look at the ends of the topics now and then.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.instance import running
from bench.lag import watching
from bench.log_sampler import Samples, sampling
from bench.log_traffic import Made
from bench.parts import CannotMeasure
from config.settings import Settings
from streams.events.booking_news import BookingConfirmed, BookingExpired, BookingRejected
from streams.layout import Layout, load_layout
from streams.publisher import KafkaPublisher
from streams.reader import Raw, consumer, first_records, read_to_end
from streams.services import AVAILABILITY, PAYMENT, Service

#: Seconds between two looks, and how many in a row must show nothing new before it counts as rest.
_LOOK_S, _LOOKS = 0.5, 3
#: Seconds without any new record, and with work left, after which a drain is given up.
_STUCK_S = 120.0
_OUTCOMES: dict[str, str] = {
    BookingConfirmed.event_type: "confirmed",
    BookingRejected.event_type: "rejected",
    BookingExpired.event_type: "expired",
}
#: The first messages that a booking causes.
_FIRST = (AVAILABILITY.inbox, PAYMENT.inbox)
_POINTS = 100

Ends = Mapping[TopicPartition, int]
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Drained:
    """The ends of all topics before so many bookings were appended, and when everything was at rest."""

    bookings: int
    before: Ends
    after: Ends
    #: Wall clock.
    at: float


async def append(settings: Settings, made: Sequence[Made]) -> Ends:
    """Appends the bookings as fast as the broker takes them; the ends of all topics as they were before."""
    publisher = KafkaPublisher(settings.bootstrap)
    await publisher.start()
    try:
        before = await _all_ends(settings)
        for acknowledged in [publisher.send(*each) for each in made]:
            await acknowledged
    finally:
        await publisher.stop()
    return before


def drain_waiting(settings: Settings, made: Sequence[Made], workers: int, progress: Progress) -> dict[str, Any]:
    """Appends the bookings while nobody works on them, starts the instance, and drains them."""
    before = asyncio.run(append(settings, made))
    began, load = time.time(), os.getloadavg()[0]
    with sampling(settings.data) as samples, running(settings.data, "--workers", str(workers)):
        seen = asyncio.run(_watch(settings, before, len(made), progress))
    told = asyncio.run(_tell(settings, seen, samples))
    return {"workers": workers, "load_before": round(load, 1), "start_s": round(told.pop("first") - began, 2), **told}


def drain_appended(settings: Settings, made: Sequence[Made], workers: int, progress: Progress) -> dict[str, Any]:
    """Appends the bookings to the log of an instance that runs and waits, and drains them."""
    load = os.getloadavg()[0]
    with sampling(settings.data) as samples:
        before = asyncio.run(append(settings, made))
        seen = asyncio.run(_watch(settings, before, len(made), progress))
    told = asyncio.run(_tell(settings, seen, samples))
    del told["first"]
    return {"workers": workers, "load_before": round(load, 1), **told}


async def mean_row_size(settings: Settings, service: Service, prefix: str, newest: int) -> int:
    """The mean bytes of rows whose keys begin so, key and value, among the newest of each changelog partition."""
    ends = {tp: end for tp, end in (await _all_ends(settings)).items() if tp.topic == service.rows}
    records = await _records(settings, {tp: max(0, end - newest) for tp, end in ends.items()})
    sizes = [
        len(record.key or b"") + len(record.value or b"")
        for record in records
        if (record.key or b"").startswith(prefix.encode())
    ]
    return round(sum(sizes) / len(sizes))


async def _watch(settings: Settings, before: Ends, bookings: int, progress: Progress) -> Drained:
    """The ends of all topics once every booking has its outcome and nothing moves any more."""
    layout = load_layout(settings)
    counted = outcome_topics(layout)
    async with _reading(settings) as reader, watching(settings.bootstrap) as lag:
        seen, decided, still, moved = before, 0, 0, time.monotonic()
        while True:
            ends = await _ends(reader, layout)
            now_decided = sum(end - before[tp] for tp, end in ends.items() if tp.topic in counted)
            progress(now_decided - decided)
            if ends != seen:
                moved = time.monotonic()
            decided, still = now_decided, still + 1 if ends == seen and not (await lag()).total else 0
            if still >= _LOOKS and decided >= bookings:
                return Drained(bookings, before, ends, time.time())
            if time.monotonic() - moved > _STUCK_S:
                raise CannotMeasure(
                    f"{decided} of {bookings} bookings had an outcome after {_STUCK_S:.0f} s of nothing"
                )
            seen = ends
            await asyncio.sleep(_LOOK_S)


async def _tell(settings: Settings, seen: Drained, samples: Samples) -> dict[str, Any]:
    """What the records say of a drain, and what the processes spent on it; `first` is when it began (wall clock)."""
    counted = outcome_topics(load_layout(settings))
    bookings, before, after = seen.bookings, seen.before, seen.after
    grown = {tp: end for tp, end in after.items() if end > before[tp]}
    caused = await first_records(settings.bootstrap, {tp: before[tp] for tp in grown if tp.topic in _FIRST})
    last = await first_records(settings.bootstrap, {tp: end - 1 for tp, end in grown.items()})
    outcomes = await _records(settings, {tp: before[tp] for tp in grown if tp.topic in counted})
    first = min(record.timestamp for record in caused.values()) / 1000
    rest = max(record.timestamp for record in last.values()) / 1000
    moments = sorted(record.timestamp / 1000 - first for record in outcomes)
    cpu = samples.cpu_between(first, rest)
    return {
        "first": first,
        "bookings": bookings,
        "outcomes": dict(Counter(counted[record.topic] for record in outcomes)),
        **rates(bookings, moments[-1], rest - first),
        "records_per_booking": round(sum(end - before[tp] for tp, end in grown.items()) / bookings, 1),
        "progress": thinned(moments),
        "cpu_ms_per_booking": {name: round(spent / bookings * 1000, 2) for name, spent in sorted(cpu.items())},
        "resident_mib": {name: round(size) for name, size in sorted(samples.resident_at(seen.at).items())},
        "peak_mib": {name: round(size) for name, size in sorted(samples.peak().items())},
        "restarts": samples.restarts(),
    }


def rates(bookings: int, outcome_s: float, rest_s: float) -> dict[str, float]:
    """How long it took from the first message a booking caused, and how many bookings a second that is."""
    return {
        "outcome_s": round(outcome_s, 2),
        "rest_s": round(rest_s, 2),
        "bookings_per_s": round(bookings / outcome_s, 1),
        "bookings_per_s_to_rest": round(bookings / rest_s, 1),
    }


def thinned(moments: Sequence[float], points: int = _POINTS) -> list[tuple[float, int]]:
    """How many had their outcome by when, in so many points at most, the last one among them; `moments` rise."""
    step = -(-len(moments) // points)
    return [
        (round(at, 2), number) for number, at in enumerate(moments, 1) if number % step == 0 or number == len(moments)
    ]


def outcome_topics(layout: Layout) -> dict[str, str]:
    """The topics that carry the outcomes of bookings, each a kind of its own as the catalogue has it."""
    return {layout.route_table()[kind].name: name for kind, name in _OUTCOMES.items()}


async def _all_ends(settings: Settings) -> Ends:
    async with _reading(settings) as reader:
        return await _ends(reader, load_layout(settings))


async def _ends(reader: AIOKafkaConsumer, layout: Layout) -> Ends:
    found = [TopicPartition(topic.name, number) for topic in layout.all_topics for number in range(topic.partitions)]
    return {tp: int(end) for tp, end in (await reader.end_offsets(found)).items()}


async def _records(settings: Settings, starts: Ends) -> list[Raw]:
    """Everything on these partitions from these offsets on."""
    async with _reading(settings) as reader:
        reader.assign(list(starts))
        for tp, offset in starts.items():
            reader.seek(tp, offset)
        return [record async for _, records in read_to_end(reader, list(starts)) for record in records]


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    reader = consumer(settings.bootstrap)
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()
