"""From an envelope to the record that carries it: topic, partition, key, bytes."""

from __future__ import annotations

from streams.codec import encode
from streams.events import Envelope
from streams.layout import Layout
from streams.publisher import Acknowledgement, Publisher, Record
from streams.topics import partition_of


def say(publisher: Publisher, layout: Layout, envelope: Envelope) -> Acknowledgement:
    """Sends an envelope where its layout says."""
    topic, key = layout.route(envelope.data)
    return publisher.send(topic.name, partition_of(key, topic.partitions), Record(key.encode(), encode(envelope)))
