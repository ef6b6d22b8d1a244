"""The AsyncAPI 3.0 document, generated from the layout: its channels are the topics other programs may read."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from streams.events import Event
from streams.layout import Layout
from streams.topics import Topic

_REF = "#/components/schemas/{model}"


def document(layout: Layout, version: str, bootstrap: str) -> dict[str, Any]:
    """The whole document as JSON-ready values."""
    topics = list(layout.topics.values())
    events = {model.event_type: model for topic in topics for model in topic.carries}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"Vacancy: {layout.title}", "version": version},
        "defaultContentType": "application/json",
        "servers": {"kafka": {"host": bootstrap.split(",")[0], "protocol": "kafka"}},
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {f"send {topic.name}": _operation(topic) for topic in topics},
        "components": {
            "messages": {name: _message(model) for name, model in sorted(events.items())},
            "schemas": _schemas([model for _, model in sorted(events.items())]),
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    names = [model.event_type for model in topic.carries]
    return {
        "address": topic.name,
        "description": f"Keyed by {topic.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
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


def _message(model: type[Event]) -> dict[str, Any]:
    return {
        "name": model.event_type,
        "summary": (model.__doc__ or model.__name__).strip().splitlines()[0],
        "contentType": "application/json",
        "payload": _envelope(model),
    }


def _envelope(model: type[Event]) -> dict[str, Any]:
    """The envelope of CAT-22 around the model's data."""
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["event_id", "event_type", "event_version", "timestamp", "correlation_id", "data"],
        "properties": {
            "event_id": {"type": "string", "format": "uuid"},
            "event_type": {"const": model.event_type},
            "event_version": {"const": model.event_version},
            "timestamp": {"type": "string", "format": "date-time"},
            "correlation_id": text,
            "data": {"$ref": _REF.format(model=model.__name__)},
            "metadata": {"type": "object", "properties": {"source": text, "causation_id": text}},
        },
    }


def _schemas(models: list[type[Event]]) -> dict[str, Any]:
    _, schema = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_REF, schema_generator=GenerateJsonSchema
    )
    found: dict[str, Any] = schema["$defs"]
    return found
