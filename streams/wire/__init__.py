"""How a layout's document writes the canonical types on its topics: one codec for each document.

A codec turns an envelope into the document's own JSON and back. What the document has no place for travels in one
header (`rest`), so that a message of ours read back is the message that was said; a message of another program has
only what its document shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from streams.events import Envelope, Event
from streams.events.booking_news import BookingNews
from streams.events.payment_news import PaymentNews
from streams.events.records import RecordNews
from streams.events.users import UserNews
from streams.reader import Raw
from streams.topics import Topic

#: Personal data in clear: (user_id, sealed text) -> its fields; none once the user is erased.
Reveal = Callable[[str, str | None], Mapping[str, Any]]
Headers = tuple[tuple[str, bytes], ...]


#: News that carries personal data, which a document may show.
GUESTS: tuple[type[Event], ...] = (BookingNews, PaymentNews)
USERS: tuple[type[Event], ...] = (UserNews,)
RECORDS: tuple[type[Event], ...] = (RecordNews,)


class Codec(Protocol):
    """One document's wire format."""

    @property
    def reveals(self) -> tuple[type[Event], ...]:
        """The news whose personal data the document shows."""
        ...

    def encode(self, envelope: Envelope, topic: Topic, reveal: Reveal) -> tuple[bytes, Headers]:
        """The message's bytes as the document shows it, and what goes beside them in headers."""
        ...

    def decode(self, record: Raw, topic: Topic) -> Envelope:
        """The envelope a record holds. An id the format does not carry follows from the record's place.

        Raises:
            Undecodable: it is not one of the document's messages.
        """
        ...


def codec_of(name: str) -> Codec:
    """The codec of that module of this package."""
    return cast("Codec", import_module(f"streams.wire.{name}").CODEC)
