"""The booking event catalogue (CAT-22): the canonical envelope, with just the data its schemas show (CAT-16..21)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from streams.codec import encode as encode_envelope
from streams.codec import envelope_of, fields_of, joined, read_message
from streams.events import Envelope
from streams.events.users import UserCreated, UserNews, UserUpdated
from streams.reader import Raw
from streams.topics import Topic
from streams.wire import USERS, Headers, Reveal
from streams.wire.rest import rest_header, rest_text

#: CAT-14: what the user events show of a user.
_PERSONAL = ("email", "first_name", "last_name", "phone")
#: Stands for the sealed text where a user is shown in clear.
_UNSEALED = b'{"personal":""}'
_USERS = (UserCreated.event_type, UserUpdated.event_type)


class CatalogueCodec:
    """The catalogue's own format."""

    reveals = USERS

    def encode(self, envelope: Envelope, topic: Topic, reveal: Reveal) -> tuple[bytes, Headers]:
        event = envelope.data
        if not event.beyond:
            return encode_envelope(envelope), ()
        shown = fields_of(event, without=event.beyond | event.in_metadata)
        if isinstance(event, UserNews):
            shown |= _shown(reveal(event.user_id, event.personal))
        beyond = {name: getattr(event, name) for name in sorted(event.beyond)}
        said = {name: value for name, value in beyond.items() if value is not None}
        return encode_envelope(envelope, shown), rest_header(said)

    def decode(self, record: Raw, topic: Topic) -> Envelope:
        message, rest = read_message(record.value), rest_text(record.headers)
        data, personal = bytes(message.data), {}
        if message.event_type in _USERS:
            data, personal = joined(_UNSEALED, data), _personal(data)
        if rest is not None:
            data = joined(data, rest)
        found = envelope_of(message, data)
        return msgspec.structs.replace(found, personal=personal) if personal else found


def _shown(personal: Mapping[str, Any]) -> dict[str, Any]:
    return {name: personal.get(name) for name in _PERSONAL}


def _personal(data: bytes) -> dict[str, Any]:
    """What another program's user event shows in clear; nothing of what is no object."""
    try:
        shown = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return {name: shown[name] for name in _PERSONAL if shown.get(name) is not None} if isinstance(shown, dict) else {}


CODEC = CatalogueCodec()
