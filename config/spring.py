"""Spring's names for our settings: `application.properties` as the clinic document layers it (CLN-09..14).

A property that sets something we fix for good (serializers, commits) is accepted and noted, so that a file made for
another program can be used as it is; one that would promise something we do not do is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Read from the instance's directory, the one of the environment over the general one.
FILES = ("application.properties", "application-{environment}.properties")

_NAMES = {
    "spring.kafka.bootstrap-servers": "broker",
    "spring.kafka.producer.bootstrap-servers": "broker",
    "spring.kafka.consumer.bootstrap-servers": "broker",
    "spring.kafka.producer.acks": "producer_acks",
    "spring.kafka.producer.compression-type": "producer_compression",
    "spring.kafka.producer.batch-size": "producer_batch_bytes",
    "spring.kafka.producer.properties.linger.ms": "producer_linger_ms",
    "spring.kafka.consumer.max-poll-records": "consumer_max_poll_records",
    "spring.kafka.consumer.properties.session.timeout.ms": "session_timeout",
    "spring.kafka.properties.session.timeout.ms": "session_timeout",
    "spring.kafka.listener.concurrency": "workers",
    "server.port": "port",
}
#: Fixed here, whatever a file says: what it is, for the note.
_FIXED = {
    "spring.kafka.producer.key-serializer": "keys are UTF-8 text",
    "spring.kafka.producer.value-serializer": "values are JSON",
    "spring.kafka.consumer.key-deserializer": "keys are UTF-8 text",
    "spring.kafka.consumer.value-deserializer": "values are JSON",
    "spring.kafka.consumer.group-id": "groups are named by the layout",
    "spring.kafka.consumer.enable-auto-commit": "offsets are committed once a decision is durable",
    "spring.kafka.consumer.auto-offset-reset": "a group without a position begins at the earliest record",
    "spring.kafka.producer.retries": "a producer tries again until its request times out, without duplicates",
    "spring.kafka.listener.ack-mode": "offsets are committed once a decision is durable",
    "spring.application.name": "an instance is named by its directory",
}
_FIXED_PREFIXES = {
    "spring.json.": "values are JSON",
    "spring.kafka.consumer.properties.spring.json.": "values are JSON",
}
_TOPIC = re.compile(r"kafka\.topic\.(.+)\.(partitions|replication-factor|retention-days|retention-ms)")
_LINE = re.compile(r"([^=:\s]+)\s*[=:\s]\s*(.*)")


class SpringError(ValueError):
    """A property that cannot be used; the text names it."""


@dataclass
class Translated:
    """Our settings for what a file says, and what was noted on the way."""

    values: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read(directory: Path, environment: str) -> Translated:
    """What the properties files of a directory say."""
    found: dict[str, str] = {}
    for name in FILES:
        path = directory / name.format(environment=environment)
        if path.is_file():
            found |= parse(path.read_text("utf-8"))
    return translate(found)


def parse(text: str) -> dict[str, str]:
    """A properties file's lines as a mapping; comments and empty lines left out."""
    joined = re.sub(r"\\\r?\n\s*", "", text)
    lines = (line.strip() for line in joined.splitlines())
    found = (_LINE.match(line) for line in lines if line and line[0] not in "#!")
    return {match[1]: match[2].strip() for match in found if match}


def from_environment(variables: Mapping[str, str]) -> Translated:
    """Spring's relaxed form of the same names: SPRING_KAFKA_BOOTSTRAP_SERVERS."""
    known = {re.sub(r"[.\-]", "_", name).upper(): name for name in _NAMES if name.startswith("spring.")}
    return translate({known[name]: value for name, value in variables.items() if name in known and value})


def translate(properties: Mapping[str, str]) -> Translated:
    """Raises SpringError for a property of Kafka's that means nothing here; others than Kafka's are not ours."""
    done = Translated()
    for name, value in properties.items():
        topic = _TOPIC.fullmatch(name)
        if topic is not None:
            overrides = done.values.setdefault("topics", {})
            overrides.setdefault(topic[1], {})[topic[2].replace("-", "_")] = _number(name, value)
        elif name in _NAMES:
            done.values[_NAMES[name]] = _value(name, value)
        elif (why := _fixed(name)) is not None:
            done.notes.append(f"{name}: not used, {why}")
        elif name.startswith(("spring.kafka.", "kafka.topic.")):
            raise SpringError(f"{name}: has no counterpart here (docs/layouts.md lists the names that have)")
    return done


def _fixed(name: str) -> str | None:
    prefix = next((why for prefix, why in _FIXED_PREFIXES.items() if name.startswith(prefix)), None)
    return _FIXED.get(name, prefix)


def _value(name: str, value: str) -> str | int | float:
    match _NAMES[name]:
        case "broker":
            return value if value.startswith("kafka://") else f"kafka://{value.replace(' ', '')}"
        case "session_timeout":
            return _number(name, value) / 1000
        case "producer_acks":
            return {"-1": "all"}.get(value, value)
        case "producer_compression":
            return value
        case _:
            return _number(name, value)


def _number(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise SpringError(f"{name}: {value!r} is not a number") from None
