"""Replayed records: a dead letter goes once more to the group that failed at it, and to nobody else.

An inbox or effects topic has one group, so its letters are appended to it again. A documented topic has many readers,
other companies' among them: its letters go to `vacancy.replays`, addressed to the group. Only the gate buries what
stands on a documented topic, so only the gate reads replays; intakes pass over what they cannot use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from streams.codec import Undecodable, decode
from streams.dead_letters import OURS, REPLAYS, Letter, header
from streams.keys import KEYS
from streams.layout import Layout
from streams.publisher import Headers, Record
from streams.reader import Raw
from streams.services import internal_name, service_topics
from streams.topics import REPLAYS as _REPLAYS
from streams.topics import Topic

GROUP, TOPIC = "vacancy-replay-group", "vacancy-replay-topic"
_PARTITION, _OFFSET, _TIMESTAMP = "vacancy-replay-partition", "vacancy-replay-offset", "vacancy-replay-timestamp"
_VALUE = "vacancy-replay-value"
_OF_REPLAYS = (REPLAYS, "vacancy-replay-")


class Unreplayable(Exception):
    """Nobody would take a replay of this letter. The text says why."""


class Replay(NamedTuple):
    """A record to append, and where."""

    topic: str
    partition: int
    record: Record


@dataclass(frozen=True, slots=True)
class Replayed:
    """A record of a documented topic as it came there once, read from the topic of replays."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def replays_topic(layout: Layout) -> Topic:
    """Where replays of documented topics' records lie."""
    return replace(_REPLAYS, name=internal_name("replays", layout.namespace))


def replay_of(letter: Letter, layout: Layout, count: int) -> Replay:
    """What is appended for the `count`th replay of a letter. Raises Unreplayable."""
    headers = (*came_with(letter.headers), (REPLAYS, str(count).encode()))
    value = b"" if letter.value is None else letter.value
    if letter.topic in layout.named:
        if letter.group != layout.group("gate"):
            raise Unreplayable(f"the group {letter.group or '(unknown)'} reads no replays")
        return Replay(replays_topic(layout).name, 0, Record(letter.key, value, (*headers, *_address(letter))))
    topic = own_topics(layout).get(letter.topic)
    if topic is None:
        raise Unreplayable(f"no group of the layout {layout.name} reads {letter.topic}")
    return Replay(topic.name, _partition(letter, topic), Record(letter.key, value, headers))


def own_topics(layout: Layout) -> dict[str, Topic]:
    """The inboxes and effects topics that one group each reads."""
    running = [layout.services[name] for name in layout.running if name in layout.services]
    topics = [topic for service in running for topic in service_topics(service, layout.partitions)]
    return {topic.name: topic for topic in topics if topic.carries}


def for_group(record: Raw, group: str, layout: Layout) -> Replayed | None:
    """What a record of the topic of replays says to a group: None where it is another's, or nobody's."""
    if header(record.headers, GROUP) != group or header(record.headers, TOPIC) not in layout.named:
        return None
    partition, offset, timestamp = (_number(record, name) for name in (_PARTITION, _OFFSET, _TIMESTAMP))
    value = None if header(record.headers, _VALUE) == "null" else record.value
    topic, headers = header(record.headers, TOPIC), came_with(record.headers)
    return Replayed(topic, partition, offset, timestamp, record.key, value, headers)


def came_with(headers: Headers) -> Headers:
    """The headers that a record first had: without what dead letters and replays wrote."""
    return tuple((name, value) for name, value in headers if not name.startswith((OURS, *_OF_REPLAYS)))


def _address(letter: Letter) -> Headers:
    """To whom, and the place it first had. Of a letter of a replay the headers know it, which are not repeated."""
    again = bool(header(letter.headers, TOPIC))
    first = {
        _PARTITION: str(letter.origin_partition),
        _OFFSET: str(letter.origin_offset),
        _TIMESTAMP: str(letter.timestamp),
    }
    place = {name: header(letter.headers, name) for name in first} if again else first
    shape = {_VALUE: "null" if letter.value is None else "bytes"}
    said = {GROUP: letter.group, TOPIC: letter.topic, **place, **shape}
    return tuple((name, text.encode()) for name, text in said.items())


def _partition(letter: Letter, topic: Topic) -> int:
    """Where the message belongs, so that an edited key finds its rows; where it was, if it says no such thing."""
    try:
        message = decode(letter.value)
    except Undecodable:
        message = None
    if message is not None and isinstance(message.data, topic.carries):
        return topic.partition(KEYS[topic.key](message.data))
    return letter.origin_partition if letter.origin_partition < topic.partitions else 0


def _number(record: Raw, name: str) -> int:
    text = header(record.headers, name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
