"""What the codecs of the flat documents share: a form for each type, and the rest in a header.

A form says how one canonical type stands in the document. Whatever its `read` would not give back goes into the
`vacancy-rest` header, so that no form has to think of what it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from streams.codec import Undecodable, as_event, instant_of, jsonable, read_object
from streams.envelope import derive
from streams.events import ENCODER, EVENT_TYPES, Envelope, Event
from streams.reader import Raw
from streams.signing import CORRELATION_HEADER, ID_HEADER, REST_HEADER, TIME_HEADER
from streams.topics import Topic
from streams.wire import GUESTS, USERS, Headers, Reveal
from streams.wire.rest import rest_header, rest_of

#: Under this name the rest carries what the envelope has beside its data.
_ENVELOPE = "_"
#: What it may say there, each with a value of its kind.
_BESIDE: dict[str, Any] = {"event_type": "", "source": "", "causation_id": "", "metadata": {}}
_IDS = ("booking_id", "record_id", "payment_id")

Body = dict[str, Any]
Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Read:
    """What a document says: canonical data, and personal data in clear."""

    data: Body
    personal: Body


@dataclass(frozen=True, slots=True)
class Form:
    """How one canonical type stands in a document. `write` gets the event and its personal data in clear.

    `read` gets the document's fields, and beside them under `ce_time` when it was told, for what is dated by nothing
    of its own.
    """

    write: Callable[[Any, Mapping[str, Any]], Body]
    read: Callable[[Body], Read]


@dataclass(frozen=True, slots=True)
class DocumentCodec:
    """A codec made of forms by canonical type.

    `head` gives the fields a message begins with (id, type, time), `type_of` the document's name of a message's type,
    `id_of` the message's own id, or None where the document has none.
    """

    forms: Mapping[str, Form]
    head: Callable[[Envelope, str], Body]
    type_of: Callable[[Body, Topic], str]
    id_of: Callable[[Body], str | None]
    time_of: Callable[[Body], str | None]
    reveals: tuple[type[Event], ...] = GUESTS + USERS

    def encode(self, envelope: Envelope, topic: Topic, reveal: Reveal) -> tuple[bytes, Headers]:
        event = envelope.data
        form = self.forms[event.event_type]
        body = form.write(event, reveal(str(getattr(event, "user_id", "")), sealed_of(event)))
        value = ENCODER.encode({**self.head(envelope, topic.names.get(event.event_type, event.event_type)), **body})
        said = jsonable(event)
        known = _given(_own(form, _told(body, envelope.timestamp)).data)
        rest = {name: each for name, each in said.items() if name not in known or known[name] != each}
        beside: Headers = (
            (TIME_HEADER, envelope.timestamp.astimezone(UTC).isoformat().encode()),
            (CORRELATION_HEADER, envelope.correlation_id.encode()),
        )
        return value, (*beside, *rest_header(rest | {_ENVELOPE: _envelope_rest(envelope)}))

    def decode(self, record: Raw, topic: Topic) -> Envelope:
        body, headers = read_object(record.value), dict(record.headers)
        rest = rest_of(record.headers)
        beside = _beside(rest.pop(_ENVELOPE, {}))
        # Several of our types may look alike in a document: ours say which, others are what they look like.
        kind = beside.get("event_type") or _canonical(self.type_of(body, topic), topic)
        if kind not in names_of(topic).values():
            raise Undecodable(f"{topic.name} carries no {kind!r}")
        place = derive(f"{record.topic}/{record.partition}/{record.offset}")
        event_id = self.id_of(body) or _text(headers, ID_HEADER) or place
        time = self.time_of(body) or _text(headers, TIME_HEADER)
        timestamp = instant_of(time) if time else _log_time(record)
        read = (_own if beside else _read)(self.forms[kind], _told(body, timestamp))
        return Envelope(
            event_id=event_id,
            event_type=kind,
            event_version=str(beside.get("event_version", "1.0")),
            timestamp=timestamp,
            correlation_id=_text(headers, CORRELATION_HEADER) or event_id,
            data=as_event(EVENT_TYPES[kind], {**_identified(read.data, kind, place, timestamp), **rest}),
            source=str(beside.get("source", "unknown")),
            causation_id=beside.get("causation_id"),
            metadata=beside.get("metadata", {}),
            personal=read.personal,
        )


def sealed_of(event: Event) -> str | None:
    """The sealed personal data an event carries."""
    about = getattr(event, "about", None)
    if about is not None:
        return about.guest if about.guest is None else str(about.guest)
    found = getattr(event, "personal", None) or getattr(event, "content", None)
    return str(found) if found is not None else None


def names_of(topic: Topic) -> dict[str, str]:
    """The document's names on a topic, and the canonical types they stand for."""
    return {topic.names.get(model.event_type, model.event_type): model.event_type for model in topic.carries}


def text(body: Body, field: str) -> str:
    """A field that has to be a text. Raises Undecodable."""
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise Undecodable(f"{field}: missing or not a text")
    return value


def optional_text(body: Body, field: str) -> str | None:
    return text(body, field) if body.get(field) is not None else None


def shaped(model: type[Shape], body: Body) -> Shape:
    """What another program wrote in the document's own shape. Raises Undecodable, naming the field."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Undecodable(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None


def _canonical(name: str, topic: Topic) -> str:
    kind = names_of(topic).get(name)
    if kind is None:
        raise Undecodable(f"{topic.name} carries no {name!r}")
    return kind


def _told(body: Body, timestamp: datetime) -> Body:
    return {**body, TIME_HEADER: timestamp.astimezone(UTC).isoformat()}


def _read(form: Form, body: Body) -> Read:
    try:
        return form.read(body)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise Undecodable(f"{type(error).__name__}: {error}") from None


def _own(form: Form, body: Body) -> Read:
    """What a message of ours shows; where the document's words fail it, the rest has everything."""
    try:
        return _read(form, body)
    except Undecodable:
        return Read({}, {})


def _identified(data: Body, kind: str, place: str, timestamp: datetime) -> Body:
    """What names nothing of its own gets an id from its place on the log (design 3); it happened when told."""
    fields = EVENT_TYPES[kind].__struct_fields__
    missing: Body = {name: timestamp for name in fields if name.endswith("_at")}
    missing |= {name: place for name in [name for name in _IDS if name in fields][:1]}
    return {**missing, **_given(data)}


def _given(data: Body) -> Body:
    return {name: each for name, each in data.items() if each is not None}


def _beside(found: object) -> Body:
    """What the rest says of the envelope. Raises Undecodable: a header of another program may hold anything."""
    if isinstance(found, dict) and all(isinstance(found.get(name, kind), type(kind)) for name, kind in _BESIDE.items()):
        return found
    raise Undecodable(f"{REST_HEADER}: {_ENVELOPE}: does not describe a message")


def _log_time(record: Raw) -> datetime:
    try:
        return datetime.fromtimestamp(record.timestamp / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise Undecodable(f"the record's time {record.timestamp} is none") from None


def _envelope_rest(envelope: Envelope) -> Body:
    rest: Body = {"event_type": envelope.event_type, "source": envelope.source}
    if envelope.causation_id is not None:
        rest["causation_id"] = envelope.causation_id
    if envelope.metadata:
        rest["metadata"] = dict(envelope.metadata)
    return rest


def _text(headers: Mapping[str, bytes], name: str) -> str | None:
    value = headers.get(name)
    return value.decode(errors="replace") if value else None
