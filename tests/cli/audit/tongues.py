"""Writes news as a layout's document has it, from canonical fields: what it has no place for goes beside it."""

from __future__ import annotations

from typing import Any

import orjson

from cli.audit import names
from cli.audit.dialect import Dialect

Said = tuple[str, bytes, tuple[tuple[str, bytes], ...]]


def topic_of(dialect: Dialect, kind: str) -> str:
    """Where a layout has news of this canonical type."""
    (topic,) = dialect.topics_of([kind])
    return topic


def speak(dialect: Dialect, kind: str, event_id: str, cause: str | None, data: dict[str, Any]) -> Said:
    """The topic, the bytes and the headers of one piece of news that is ours."""
    topic = topic_of(dialect, kind)
    ours = (("ce_id", event_id.encode()), ("vacancy-sig", b"5168"))
    if topic == names.EVENTS or dialect.kind_of is None:
        return topic, canonical(kind, event_id, cause, data), ours
    body: dict[str, Any] = {}
    for field in data.keys() & dialect.fields.keys():
        _put(body, dialect.fields[field][0], data[field])
    if dialect.id:
        _put(body, dialect.id, event_id)
    body |= _kind(dialect, topic, kind)
    rest: dict[str, Any] = {field: value for field, value in data.items() if field not in dialect.fields}
    rest["_"] = {"event_type": kind, "source": "story"} | ({"causation_id": cause} if cause else {})
    return topic, orjson.dumps(body), (*ours, ("vacancy-rest", orjson.dumps(rest)))


def canonical(kind: str, event_id: str, cause: str | None, data: dict[str, Any]) -> bytes:
    """The catalogue's envelope, which is that of everything inside as well."""
    envelope = {
        "event_id": event_id,
        "event_type": kind,
        "event_version": "1.0",
        "timestamp": "2026-01-01T00:00:00Z",
        "correlation_id": event_id,
        "data": data,
        "metadata": {"source": "story"} | ({"causation_id": cause} if cause else {}),
    }
    return orjson.dumps(envelope)


def _kind(dialect: Dialect, topic: str, kind: str) -> dict[str, str]:
    said = next(name for name, likely in dialect.topics[topic].items() if kind in likely)
    match dialect.name:
        case "campsite":
            return {"EventType": said}
        case "hotel":
            return {"eventType": said}
        case "clinic":
            action, _, status = said.partition("/")
            return {"action": action, "status": status or ("scheduled" if action == "created" else action)}
        case _:
            return {}


def _put(body: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        body = body.setdefault(name, {})
    body[path[-1]] = value
