"""The booking event catalogue (CAT-22): the canonical envelope, with just the data its schemas show (CAT-16..21)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from streams.codec import encode as encode_envelope
from streams.codec import from_body, read_object
from streams.events import Envelope
from streams.events.users import UserNews
from streams.reader import Raw
from streams.topics import Topic
from streams.wire import USERS, Headers, Reveal
from streams.wire.rest import rest_header, rest_of

#: CAT-14: what the user events show of a user.
_PERSONAL = ("email", "first_name", "last_name", "phone")


class CatalogueCodec:
    """The catalogue's own format."""

    reveals = USERS

    def encode(self, envelope: Envelope, topic: Topic, reveal: Reveal) -> tuple[bytes, Headers]:
        event = envelope.data
        if not event.beyond:
            return encode_envelope(envelope), ()
        serializer = event.__pydantic_serializer__
        shown = serializer.to_json(event, exclude=set(event.beyond))
        if isinstance(event, UserNews):
            shown = orjson.dumps(orjson.loads(shown) | _shown(reveal(event.user_id, event.personal)))
        beyond = orjson.loads(serializer.to_json(event, include=set(event.beyond), exclude_none=True))
        return encode_envelope(envelope, shown), rest_header(beyond)

    def decode(self, record: Raw, topic: Topic) -> Envelope:
        body = read_object(record.value)
        data, rest = body.get("data"), rest_of(record.headers)
        personal: dict[str, Any] = {}
        if isinstance(data, dict):
            if body.get("event_type") in ("user.user.created", "user.user.updated"):
                personal = {name: data[name] for name in _PERSONAL if data.get(name) is not None}
                data = {"personal": ""} | data
            body = {**body, "data": data | rest}
        return replace(from_body(body), personal=personal)


def _shown(personal: Any) -> dict[str, Any]:
    return {name: personal.get(name) for name in _PERSONAL}


CODEC = CatalogueCodec()
