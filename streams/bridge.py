"""From one layout's words to another's: one record of a public topic as the record of a public topic elsewhere.

What a message is stays: its id, time, correlation and cause, and everything it says; only its shape and place change.
To the target it is another program's message: this instance's signature and sealed texts mean nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from streams.codec import MAX_MESSAGE_BYTES, encode
from streams.dead_letters import Class
from streams.events import Envelope, Event
from streams.events.records import RecordNews
from streams.events.users import UserNews
from streams.layout import Layout
from streams.publisher import Record
from streams.reader import Raw
from streams.signing import ID_HEADER
from streams.topics import Topic
from streams.wire import Codec, Headers, Reveal, codec_of
from streams.wire.document import sealed_of
from streams.wire.reading import read

#: The layouts, each with its instance's namespace, that a message came through: `catalogue@,hotel@berlin`.
BRIDGE_HEADER = "vacancy-bridge"
#: What every topic takes, headers included; the broker's own limit is 1 MiB.
_LARGEST = 900 * 1024

#: What a message keeps whichever layouts it crosses, by its canonical name: whose booking, payment or record it is
#: news of, where and when, how much of what, for what price, and how it stands. `shared` adds the message's own id,
#: type, time and correlation, and what its booking is about. Sealed personal data is not among it.
SHARED = (
    *("booking_id", "payment_id", "record_id", "user_id", "provider_id", "product_id", "slot"),
    *("start_time", "end_time", "quantity", "price_amount", "price_currency", "amount", "currency"),
    *("status", "reason", "revision"),
)
SHARED_ABOUT = ("kind", "confirmation_number", "lines", "price_amount", "price_currency", "time_zone")


class Untranslatable(Exception):
    """A message the target's document cannot say. The text says why; `kind` is its class among the dead letters."""

    def __init__(self, kind: Class, reason: str) -> None:
        super().__init__(reason)
        self.kind: Class = kind


@dataclass(frozen=True)
class Side:
    """One end of a bridge: a layout in its namespace."""

    layout: Layout

    @cached_property
    def codec(self) -> Codec:
        return codec_of(self.layout.codec)

    @property
    def name(self) -> str:
        return f"{self.layout.name}@{self.layout.namespace}"

    @property
    def label(self) -> str:
        """The name as part of a consumer group's."""
        return f"{self.layout.namespace}.{self.layout.name}" if self.layout.namespace else self.layout.name


@dataclass(frozen=True, slots=True)
class Carried:
    """A record, and where the target wants it."""

    topic: str
    partition: int
    record: Record


@dataclass(frozen=True, slots=True)
class Bridge:
    """The way from one side to another. Without `reveal` nothing personal is shown there."""

    source: Side
    target: Side
    reveal: Reveal | None = None
    #: Both sides belong to an instance with the same secret: sealed texts go along.
    same_secret: bool = False
    #: Both sides are on one cluster, where a topic of the same name is the same topic.
    same_cluster: bool = False

    def translate(self, record: Raw) -> Carried | None:
        """The record in the target's words; None when it is there already: it came from there, or was carried here.

        Raises:
            Undecodable: it is no message of the source's layout.
            Untranslatable: the target's document cannot say it.
        """
        path = came_through(record.headers)
        if self.target.name in path or self.source.name in path:
            return None
        envelope = read(self.source.codec, self.source.layout, record)
        topic, key = self.target.layout.route(envelope.data)
        if self.same_cluster and topic.name == record.topic:
            return None
        data = envelope.data if self.same_secret else _opened(envelope.data)
        said = msgspec.structs.replace(envelope, data=data, personal={})
        value, headers = self._encode(said, topic, self._personal(envelope))
        beside: Headers = (
            (ID_HEADER, envelope.event_id.encode()),
            *headers,
            (BRIDGE_HEADER, ",".join((*path, self.source.name)).encode()),
        )
        if len(value) > MAX_MESSAGE_BYTES or len(value) + sum(len(each) for _, each in beside) > _LARGEST:
            raise Untranslatable("too-large", f"{envelope.event_type} {envelope.event_id} is too large there")
        return Carried(topic.name, topic.partition(key), Record(key.encode(), value, beside))

    def _encode(self, envelope: Envelope, topic: Topic, personal: Mapping[str, Any]) -> tuple[bytes, Headers]:
        if topic.name not in self.target.layout.topics:
            return encode(envelope), ()
        try:
            return self.target.codec.encode(envelope, topic, lambda user_id, sealed: personal)
        except Exception as error:  # another program's message may lack whatever its own document lets it
            reason = f"{envelope.event_type} cannot be said there: {type(error).__name__}: {error}"
            raise Untranslatable("refused", reason) from error

    def _personal(self, envelope: Envelope) -> Mapping[str, Any]:
        """What the source shows of somebody, and what only its instance can read."""
        if self.reveal is None:
            return {}
        sealed = sealed_of(envelope.data) or None
        unsealed = self.reveal(str(getattr(envelope.data, "user_id", "")), sealed)
        return {**unsealed, **envelope.personal}


def came_through(headers: Sequence[tuple[str, bytes]]) -> tuple[str, ...]:
    """The names of the sides that a record came through, the first first."""
    path = (dict(headers).get(BRIDGE_HEADER) or b"").decode(errors="replace")
    return tuple(path.split(",")) if path else ()


def shared(envelope: Envelope) -> dict[str, Any]:
    """What a message keeps across any bridge (`SHARED`), by name; what it does not have is left out."""
    event, about = envelope.data, getattr(envelope.data, "about", None)
    facts = {name: getattr(event, name) for name in SHARED if hasattr(event, name)}
    if about is not None:
        facts |= {f"about.{name}": getattr(about, name) for name in SHARED_ABOUT}
    return facts | {
        "event_id": envelope.event_id,
        "event_type": envelope.event_type,
        "timestamp": envelope.timestamp,
        "correlation_id": envelope.correlation_id,
        "causation_id": envelope.causation_id,
    }


def _opened(event: Event) -> Event:
    """The event without its sealed texts, which are noise where their keys are not."""
    if isinstance(event, RecordNews):
        return msgspec.structs.replace(event, content="")
    if isinstance(event, UserNews):
        return msgspec.structs.replace(event, personal="")
    about = getattr(event, "about", None)
    if about is None or about.guest is None:
        return event
    return msgspec.structs.replace(event, about=msgspec.structs.replace(about, guest=None))
