"""The canonical wire format, which is the catalogue's (CAT-22): an envelope as JSON, and back.

Reading is tolerant of what it does not know and strict about what it needs: whatever cannot be taken as one of our
messages is `Undecodable`, with a reason an operator can act on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any

import msgspec
import orjson

from streams.events import ENCODER, EVENT_TYPES, Envelope, Event
from streams.events.checks import Unfit, settle, with_times

#: A message larger than this is poison, whatever it says.
MAX_MESSAGE_BYTES = 512 * 1024
#: Of a message, its cause and its correlation.
LONGEST_ID = 200

_WHERE = re.compile(r"(?s)(?P<why>.*?)(?: - at `\$(?P<where>.*)`)?$")
_MISSING = re.compile(r"Object missing required field `(.*)`")


class Undecodable(Exception):
    """Poison: these bytes are not a message of ours. The text says why."""


_Text = Annotated[str, msgspec.Meta(min_length=1)]


class Message(msgspec.Struct, kw_only=True):
    """An envelope whose data is not read yet."""

    event_id: _Text
    event_type: str
    event_version: Any = "1.0"
    timestamp: str
    correlation_id: _Text
    data: msgspec.Raw
    metadata: dict[str, Any] | None = None


_MESSAGES = msgspec.json.Decoder(Message)


def encode(envelope: Envelope, data: Mapping[str, Any] | None = None) -> bytes:
    """The envelope as JSON bytes, keys in the document's order; `data` where it is to say less than the event."""
    event = envelope.data
    metadata: dict[str, Any] = {"source": envelope.source, **envelope.metadata}
    for name in event.in_metadata:
        metadata[name] = getattr(event, name)
    if envelope.causation_id is not None:
        metadata["causation_id"] = envelope.causation_id
    if data is None and event.in_metadata:
        data = fields_of(event, without=event.in_metadata)
    return ENCODER.encode(
        {
            "event_id": envelope.event_id,
            "event_type": envelope.event_type,
            "event_version": envelope.event_version,
            "timestamp": in_utc(envelope.timestamp),
            "correlation_id": envelope.correlation_id,
            "data": event if data is None else data,
            "metadata": metadata,
        }
    )


def fields_of(event: Event, *, without: frozenset[str]) -> dict[str, Any]:
    """An event's fields but these."""
    return {name: getattr(event, name) for name in _names(type(event), without)}


def jsonable(event: Event) -> dict[str, Any]:
    """An event's fields as JSON has them."""
    said: dict[str, Any] = orjson.loads(ENCODER.encode(event))
    return said


def decode(raw: bytes | None) -> Envelope:
    """The envelope these bytes hold.

    Raises:
        Undecodable: empty, too large, not JSON, not an envelope, of an unknown type, or with data that does not fit.
    """
    return envelope_of(read_message(raw))


def read_message(raw: bytes | None) -> Message:
    """The envelope these bytes hold, its data unread. Raises Undecodable."""
    raw = _bounded(raw)
    try:
        return _MESSAGES.decode(raw)
    except msgspec.ValidationError as error:
        field, reason = _said_of(error)
        raise Undecodable(f"{field}: {reason}" if field else f"not an envelope: {reason}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(f"not JSON: {error}") from None


def envelope_of(message: Message, data: bytes | None = None) -> Envelope:
    """The envelope of a message; `data` where it has more than the message says.

    Raises:
        Undecodable: it is of an unknown type, or its data does not fit.
    """
    model = EVENT_TYPES.get(message.event_type)
    if model is None:
        raise Undecodable(f"unknown event_type {message.event_type!r}")
    metadata = message.metadata or {}
    causation_id = metadata.pop("causation_id", None)
    if causation_id is not None and not isinstance(causation_id, str):
        raise Undecodable("metadata.causation_id: not a text")
    data = bytes(message.data) if data is None else data
    for name in model.in_metadata:
        if name in metadata:
            data = joined(data, ENCODER.encode({name: metadata.pop(name)}))
    return Envelope(
        event_id=message.event_id,
        event_type=message.event_type,
        event_version=str(message.event_version),
        timestamp=instant_of(message.timestamp),
        correlation_id=message.correlation_id,
        data=_event(model, data),
        source=str(metadata.pop("source", "unknown")),
        causation_id=causation_id,
        metadata=metadata,
    )


def joined(first: bytes, second: bytes) -> bytes:
    """Two JSON objects as one: of a field that both have, a reader takes the second's. No object stays as it is."""
    if first[:1] != b"{":
        return first
    inner = b",".join(each for each in (first[1:-1].strip(), second[1:-1].strip()) if each)
    return b"{" + inner + b"}"


def _event(model: type[Event], data: bytes) -> Event:
    try:
        event = _decoder(model).decode(data)
    except msgspec.ValidationError:
        return as_event(model, _loads(data))  # other programs write 1 as "1" or 1.0
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(f"not JSON: {error}") from None
    # Unescaped, JSON has no control character but DEL.
    return _settled(event, ids=b"\\" in data or b"\x7f" in data)


def as_event(model: type[Event], data: Any) -> Event:
    """A message's data as its model. Raises Undecodable, naming the field."""
    said = with_times(data, model) if isinstance(data, dict) else data
    try:
        return _settled(msgspec.convert(said, model, strict=False))
    except msgspec.ValidationError as error:
        field, reason = _said_of(error)
        raise Undecodable(f"data.{field}: {reason}" if field else f"data: {reason}") from None


def _settled(event: Event, *, ids: bool = True) -> Event:
    try:
        settle(event, ids=ids)
    except Unfit as error:
        raise Undecodable(f"{error.field}: {error}") from None
    return event


@cache
def _decoder(model: type[Event]) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(model)


@cache
def _names(model: type[Event], without: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in model.__struct_fields__ if name not in without)


def read_object(raw: bytes | None) -> dict[str, Any]:
    """The JSON object these bytes hold. Raises Undecodable: empty, too large, not JSON, not an object."""
    body = _loads(_bounded(raw))
    if not isinstance(body, dict):
        raise Undecodable(f"a JSON {type(body).__name__}, not an envelope")
    return body


def _loads(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"not JSON: {error}") from None


def _bounded(raw: bytes | None) -> bytes:
    if raw is None:
        raise Undecodable("the value is null")
    if len(raw) > MAX_MESSAGE_BYTES:
        raise Undecodable(f"{len(raw)} bytes, more than {MAX_MESSAGE_BYTES}")
    return raw


def _said_of(error: msgspec.ValidationError) -> tuple[str, str]:
    """The field an error is about, as `lines.0.quantity`, and what is wrong with it."""
    found = _WHERE.match(str(error))
    why, where = (found["why"], found["where"] or "") if found else (str(error), "")
    field = where.replace("[...]", "").replace("[", ".").replace("]", "").strip(".")
    missing = _MISSING.match(why)
    if missing:
        return ".".join(each for each in (field, missing[1]) if each), "missing"
    return field, why.replace("`", "")


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


def in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def instant_of(text: str) -> datetime:
    """A timestamp as a time in UTC. Raises Undecodable."""
    try:
        value = datetime.fromisoformat(text)
        if value.tzinfo is None:
            raise Undecodable("timestamp: without a time zone")
        return in_utc(value)
    except (ValueError, OverflowError):  # the first and the last hours of the calendar have no UTC
        raise Undecodable(f"timestamp: {text!r} is not ISO 8601") from None
