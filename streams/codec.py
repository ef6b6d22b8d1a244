"""The canonical wire format, which is the catalogue's (CAT-22): an envelope as JSON, and back.

Reading is tolerant of what it does not know and strict about what it needs: whatever cannot be taken as one of our
messages is `Undecodable`, with a reason an operator can act on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import ValidationError

from streams.events import EVENT_TYPES, Envelope, Event
from streams.events.booking_news import BookingCancelled

#: A message larger than this is poison, whatever it says.
MAX_MESSAGE_BYTES = 512 * 1024
#: Of a message, its cause and its correlation.
LONGEST_ID = 200


class Undecodable(Exception):
    """Poison: these bytes are not a message of ours. The text says why."""


def encode(envelope: Envelope, data: bytes | None = None) -> bytes:
    """The envelope as JSON bytes, keys in the document's order; `data` where it is to say less than the event."""
    metadata: dict[str, Any] = {"source": envelope.source, **envelope.metadata, **_metadata_of(envelope.data)}
    if envelope.causation_id is not None:
        metadata["causation_id"] = envelope.causation_id
    head = orjson.dumps(
        {
            "event_id": envelope.event_id,
            "event_type": envelope.event_type,
            "event_version": envelope.event_version,
            "timestamp": envelope.timestamp.astimezone(UTC),
            "correlation_id": envelope.correlation_id,
        },
        option=orjson.OPT_UTC_Z,
    )
    said = envelope.data.__pydantic_serializer__.to_json(envelope.data) if data is None else data
    return b"".join((head[:-1], b',"data":', said, b',"metadata":', orjson.dumps(metadata), b"}"))


def decode(raw: bytes | None) -> Envelope:
    """The envelope these bytes hold.

    Raises:
        Undecodable: empty, too large, not JSON, not an envelope, of an unknown type, or with data that does not fit.
    """
    return from_body(read_object(raw))


def read_object(raw: bytes | None) -> dict[str, Any]:
    """The JSON object these bytes hold. Raises Undecodable: empty, too large, not JSON, not an object."""
    if raw is None:
        raise Undecodable("the value is null")
    if len(raw) > MAX_MESSAGE_BYTES:
        raise Undecodable(f"{len(raw)} bytes, more than {MAX_MESSAGE_BYTES}")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise Undecodable(f"a JSON {type(body).__name__}, not an envelope")
    return body


def from_body(body: dict[str, Any]) -> Envelope:
    """The envelope an object stands for. Raises Undecodable."""
    model = EVENT_TYPES.get(_text(body, "event_type"))
    if model is None:
        raise Undecodable(f"unknown event_type {body['event_type']!r}")
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise Undecodable("metadata: not an object")
    metadata = dict(metadata)
    causation_id = metadata.pop("causation_id", None)
    if causation_id is not None and not isinstance(causation_id, str):
        raise Undecodable("metadata.causation_id: not a text")
    return Envelope(
        event_id=_text(body, "event_id"),
        event_type=model.event_type,
        event_version=str(body.get("event_version", "1.0")),
        timestamp=_instant(body),
        correlation_id=_text(body, "correlation_id"),
        data=_data(model, body, metadata),
        source=str(metadata.pop("source", "unknown")),
        causation_id=causation_id,
        metadata=metadata,
    )


def _data(model: type[Event], body: dict[str, Any], metadata: dict[str, Any]) -> Event:
    data = body.get("data")
    if model is BookingCancelled and isinstance(data, dict) and "cancelled_by" in metadata:
        data = {**data, "cancelled_by": metadata.pop("cancelled_by")}
    return as_event(model, data)


def as_event(model: type[Event], data: object) -> Event:
    """A message's data as its model. Raises Undecodable, naming the field."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in ("data", *first["loc"]))
        raise Undecodable(f"{field}: {first['msg']}") from None
    except OverflowError as error:
        raise Undecodable(f"data: {error}") from None


def _metadata_of(event: Event) -> dict[str, Any]:
    # CAT-18 shows who cancelled in the envelope's metadata, not in the data.
    return {"cancelled_by": event.cancelled_by} if isinstance(event, BookingCancelled) else {}


def identified(envelope: Envelope) -> Envelope:
    """The envelope, unless its ids are none: they are copied into everything that follows from it.

    Raises:
        Undecodable: an id is longer than `LONGEST_ID`.
    """
    for field, value in (
        ("event_id", envelope.event_id),
        ("correlation_id", envelope.correlation_id),
        ("causation_id", envelope.causation_id or ""),
        ("source", envelope.source),
    ):
        if len(value) > LONGEST_ID:
            raise Undecodable(f"{field}: longer than {LONGEST_ID} characters")
    return envelope


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise Undecodable(f"{field}: missing or not a text")
    return value


def _instant(body: dict[str, Any]) -> datetime:
    return instant_of(_text(body, "timestamp"))


def instant_of(text: str) -> datetime:
    """A timestamp as a time in UTC. Raises Undecodable."""
    try:
        value = datetime.fromisoformat(text)
        if value.tzinfo is None:
            raise Undecodable("timestamp: without a time zone")
        return value.astimezone(UTC)
    except (ValueError, OverflowError):  # the first and the last hours of the calendar have no UTC
        raise Undecodable(f"timestamp: {text!r} is not ISO 8601") from None
