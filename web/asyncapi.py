"""The AsyncAPI 3.0 document, generated from the layout: its channels are the topics other programs may read.

What the catalogue's envelope carries is described by its schemas, what the other documents show by an example that
their own codec wrote.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import msgspec
import orjson

from streams.events import Event
from streams.events.about import Kind
from streams.events.users import UserNews
from streams.layout import Layout
from streams.topics import Topic
from streams.wire import codec_of
from web.samples import PERSON, envelope_of

_REF = "#/components/schemas/{name}"
_TEXT = {"type": "string"}
#: The one codec whose messages are canonical envelopes.
_CANONICAL = "catalogue"
#: What the bookings of a document are, by its codec.
_KINDS: dict[str, Kind] = {"orders": "order", "clinic": "appointment"}
_HEADERS = {
    "ce_id": {"type": "string", "description": "The message's own id."},
    "vacancy-sig": {"type": "string", "description": "Marks a message of this instance."},
}
_REST = {"type": "string", "contentMediaType": "application/json", "description": "What the document has no place for."}
_BESIDE = {"ce_time": {"type": "string", "format": "date-time"}, "correlation_id": _TEXT}

logger = logging.getLogger("vacancy.gateway")


def document(layout: Layout, version: str, bootstrap: str) -> dict[str, Any]:
    """The whole document as JSON-ready values."""
    topics = layout.public
    messages = {model.event_type: _message(layout, topic, model) for topic in layout.public for model in topic.carries}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"Vacancy: {layout.title}", "version": version},
        "defaultContentType": "application/json",
        "servers": {"kafka": {"host": bootstrap.split(",")[0], "protocol": "kafka"}},
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {f"send {topic.name}": _operation(topic) for topic in topics},
        "components": {"messages": dict(sorted(messages.items())), "schemas": _schemas(layout)},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"Keyed by {topic.key}.",
        "messages": {
            _name(topic, model): {"$ref": f"#/components/messages/{model.event_type}"} for model in topic.carries
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"retention.ms": topic.retention_ms},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(topic: Topic) -> dict[str, Any]:
    return {"action": "send", "channel": {"$ref": f"#/channels/{topic.name}"}}


def _message(layout: Layout, topic: Topic, model: type[Event]) -> dict[str, Any]:
    known = {
        "name": _name(topic, model),
        "summary": (model.__doc__ or model.__name__).strip().splitlines()[0],
        "contentType": "application/json",
    }
    if topic is layout.events:
        return {**known, "headers": _headers(_HEADERS), "payload": _envelope(model)}
    if layout.codec == _CANONICAL:
        return {**known, "headers": _headers({**_HEADERS, "vacancy-rest": _REST}), "payload": _envelope(model)}
    headers, example = {**_HEADERS, **_BESIDE, "vacancy-rest": _REST}, _example(layout.codec, topic, model)
    examples = {"examples": [{"payload": example}]} if example is not None else {}
    return {**known, "headers": _headers(headers), "payload": {"type": "object"}, **examples}


def _name(topic: Topic, model: type[Event]) -> str:
    """The document's name of a type."""
    return topic.names.get(model.event_type, model.event_type)


def _headers(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _example(codec: str, topic: Topic, model: type[Event]) -> Any:
    """A message as the document shows it; None where nothing can be made up that it would show."""
    try:
        envelope = envelope_of(model, _KINDS.get(codec, "stay"))
        value, _ = codec_of(codec).encode(envelope, topic, lambda user_id, sealed: PERSON)
        return orjson.loads(value)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        logger.debug("no example of %s: %s", model.event_type, error)
        return None


def _envelope(model: type[Event]) -> dict[str, Any]:
    """The envelope of CAT-22 around the model's data."""
    return {
        "type": "object",
        "required": ["event_id", "event_type", "event_version", "timestamp", "correlation_id", "data"],
        "properties": {
            "event_id": {"type": "string", "format": "uuid"},
            "event_type": {"const": model.event_type},
            "event_version": {"const": model.event_version},
            "timestamp": {"type": "string", "format": "date-time"},
            "correlation_id": _TEXT,
            "data": {"$ref": _REF.format(name=model.__name__)},
            "metadata": {"type": "object", "properties": {"source": _TEXT, "causation_id": _TEXT}},
        },
    }


def _schemas(layout: Layout) -> dict[str, Any]:
    """The data of every canonical envelope: of the catalogue's own just what its schemas show."""
    shown = [model for topic in layout.topics.values() for model in topic.carries] if _is_canonical(layout) else []
    models = sorted((*shown, *layout.events.carries), key=lambda model: model.event_type)
    if not models:
        return {}
    _, described = msgspec.json.schema_components(models, ref_template=_REF)
    found: dict[str, Any] = _with_numbers(described)
    for model in models:
        found[model.__name__] = _without(found[model.__name__], model.in_metadata)
    for model in shown:
        found[model.__name__] = _shown(found[model.__name__], model)
    used = set(_reachable(found, [model.__name__ for model in models]))
    return {name: each for name, each in found.items() if name in used}


def _is_canonical(layout: Layout) -> bool:
    return layout.codec == _CANONICAL


def _shown(schema: dict[str, Any], model: type[Event]) -> dict[str, Any]:
    """A type's schema without what travels beside it, and with what its personal data is spread to."""
    found = _without(schema, model.beyond)
    if issubclass(model, UserNews):
        found["properties"] |= {name: {"type": ["string", "null"]} for name in PERSON}
    return found


def _without(schema: dict[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    properties = {name: each for name, each in schema["properties"].items() if name not in fields}
    return {**schema, "properties": properties, "required": [name for name in schema["required"] if name not in fields]}


def _with_numbers(schema: Any) -> Any:
    """A schema whose sums are the JSON numbers we write; msgspec, which reads texts too, calls them those."""
    if isinstance(schema, dict):
        sums = {"type": "number"} if schema.get("format") == "decimal" else {}
        return {name: _with_numbers(each) for name, each in schema.items() if not sums or name != "format"} | sums
    return [_with_numbers(each) for each in schema] if isinstance(schema, list) else schema


def _reachable(schemas: dict[str, Any], names: list[str]) -> Iterator[str]:
    seen: set[str] = set()
    while names:
        name = names.pop()
        if name not in seen:
            seen.add(name)
            yield name
            names.extend(_named(schemas[name]))


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for each in value.values():
            yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)
