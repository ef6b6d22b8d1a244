"""Reading a record of a public topic: in the document's words, or canonical on `vacancy.events`."""

from __future__ import annotations

from streams.codec import Undecodable, decode, identified
from streams.events import Envelope
from streams.layout import Layout
from streams.reader import Raw
from streams.wire import Codec


def read(codec: Codec, layout: Layout, record: Raw) -> Envelope:
    """The envelope a record holds.

    Raises:
        Undecodable: it is none, or of a type that this topic does not carry.
    """
    topic = layout.named[record.topic]
    found = decode(record.value) if topic.name == layout.events.name else codec.decode(record, topic)
    if not isinstance(found.data, topic.carries):
        raise Undecodable(f"{found.event_type} does not belong on {topic.name}")
    return identified(found)
