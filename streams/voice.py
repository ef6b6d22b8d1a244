"""How the platform says something: to the topic its layout names, in the document's words, signed as ours."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from streams.codec import encode
from streams.events import Envelope, Event
from streams.layout import Layout
from streams.publisher import Acknowledgement, Publisher, Record
from streams.signing import Signer
from streams.wire import codec_of
from streams.wire.document import sealed_of


class Reveals(Protocol):
    """Personal data in clear, for the documents that show it."""

    def reveal(self, user_id: str, sealed: str | None) -> Mapping[str, Any]:
        """The fields of a sealed text; none once its user is erased."""
        ...

    def knows(self, user_id: str, sealed: str) -> bool:
        """Whether the key of a sealed text is at hand."""
        ...

    def caught_up(self) -> Awaitable[None]:
        """Returns once every key is at hand that was on the log at the call."""
        ...


class Voice:
    """Says envelopes for one process. Without `reveals` nothing personal is ever shown."""

    def __init__(self, publisher: Publisher, layout: Layout, signer: Signer, reveals: Reveals | None = None) -> None:
        self._publisher = publisher
        self._layout = layout
        self._signer = signer
        self._reveals = reveals
        self._codec = codec_of(layout.codec)
        self._shown = self._codec.reveals if reveals is not None else ()

    def say(self, envelope: Envelope) -> Acknowledgement:
        """Sends an envelope where its layout says."""
        topic, key = self._layout.route(envelope.data)
        value: bytes | None
        if topic.name in self._layout.topics:
            value, headers = self._codec.encode(envelope, topic, self._reveal)
            headers = self._signer.signed(envelope.event_id, value, headers)
        else:
            value, headers = None if envelope.data.ends_its_key else encode(envelope), ()
            if value is not None and topic.name == self._layout.events.name:
                headers = self._signer.signed(envelope.event_id, value)
        return self._publisher.send(topic.name, topic.partition(key), Record(key.encode(), value, headers))

    def lacks(self, event: Event) -> bool:
        """Whether saying an event would show something personal whose key is not at hand yet."""
        if self._reveals is None or not isinstance(event, self._shown):
            return False
        sealed = sealed_of(event)
        return sealed is not None and not self._reveals.knows(str(getattr(event, "user_id", "")), sealed)

    async def catch_up(self) -> None:
        """Reads the keys to their end."""
        assert self._reveals is not None
        await self._reveals.caught_up()

    def _reveal(self, user_id: str, sealed: str | None) -> Mapping[str, Any]:
        return self._reveals.reveal(user_id, sealed) if self._reveals is not None else {}
