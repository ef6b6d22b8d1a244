"""How the auditor reads a layout's documented topics: tables of what a document calls things, and one way to read by
them.

What the document shows counts; only what it has no place for is taken from the header beside it. So a message whose
document and header disagree about what it is says nothing the auditor can read.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cli.audit import names
from cli.audit.wire import ID, REST, SIGNATURE, Body, Letter, Record, header, object_of, read

#: Where a field stands in a document, from the outside in.
Path = tuple[str, ...]
#: The document's name of a message's kind, from the message and the topic it stands on.
KindOf = Callable[[Body, str], str]
#: Topic -> the document's name of a kind of message -> the canonical types it may be; the first one where nothing else
#: says which.
Topics = Mapping[str, Mapping[str, tuple[str, ...]]]
#: In the header: what a message says of itself beside its fields.
_ITSELF = "_"
#: A message that has no id anywhere is called after its place.
_PLACES = uuid.UUID("8f0b7a52-5f0c-5d6a-9a54-6d1f3c1f2b11")


@dataclass(frozen=True)
class Dialect:
    """One layout as the auditor reads it; without `kind_of` its topics carry the canonical envelope."""

    name: str
    topics: Topics
    #: The group that looks at what other programs write.
    gate: str
    kind_of: KindOf | None = None
    #: Where the document shows a message's own id, if it does.
    id: Path = ()
    #: Canonical field -> where the document may show it.
    fields: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    #: What stands for a canonical field that neither the document nor the header says.
    unsaid: Mapping[str, Any] = field(default_factory=dict)
    #: Its document shows producers that may lose what was acknowledged.
    weak: bool = False

    @cached_property
    def public(self) -> tuple[str, ...]:
        """Every topic another program may read and write."""
        return (*self.topics, names.EVENTS)

    def topics_of(self, kinds: Iterable[str]) -> frozenset[str]:
        """The topics that carry any of these canonical types."""
        return frozenset(self._topic_of.get(kind, names.EVENTS) for kind in kinds)

    def read(self, record: Record, place: str) -> Letter | None:
        """What a record of a public topic says, or None when it says nothing. `place` is what an id may follow from."""
        if record.topic == names.EVENTS:
            letter = read(record.value)
            return letter if letter is not None and letter.event_type not in self._topic_of else None
        kinds = self.topics[record.topic]
        if self.kind_of is None:
            letter = read(record.value)
            if letter is None or letter.event_type not in kinds:
                return None
            return letter._replace(data={**(_rest(record) or {}), **letter.data})
        return self._read(record, kinds, self.kind_of, place)

    def _read(self, record: Record, kinds: Mapping[str, tuple[str, ...]], kind_of: KindOf, place: str) -> Letter | None:
        body, rest = object_of(record.value), _rest(record)
        if body is None or rest is None:
            return None
        beside = rest.pop(_ITSELF, None) or {}
        likely = kinds.get(kind_of(body, record.topic), ())
        if not likely or not isinstance(beside, dict):
            return None
        kind = beside.get("event_type", likely[0])
        # Another program may contradict itself; it is taken at the word that the platform takes it at.
        if kind not in (likely if is_ours(record) else {name for each in kinds.values() for name in each}):
            return None
        shown = {field: value for field, paths in self.fields.items() if (value := _first(body, paths)) is not None}
        event_id = _at(body, self.id) if self.id else None
        named = event_id if isinstance(event_id, str) and event_id else header(record.headers, ID)
        cause = beside.get("causation_id")
        return Letter(
            named or str(uuid.uuid5(_PLACES, place)),
            kind,
            cause if isinstance(cause, str) else None,
            {**self.unsaid, **rest, **shown},
        )

    @cached_property
    def _topic_of(self) -> Mapping[str, str]:
        return {kind: topic for topic, carried in self.topics.items() for likely in carried.values() for kind in likely}


def is_ours(record: Record) -> bool:
    """Whether an instance of the platform says that it wrote this."""
    return header(record.headers, SIGNATURE) is not None


def _rest(record: Record) -> Body | None:
    """What stands beside a message; None where that is no object."""
    said = header(record.headers, REST)
    return {} if said is None else object_of(said)


def _first(body: Body, paths: tuple[Path, ...]) -> Any:
    return next((value for path in paths if (value := _at(body, path)) is not None), None)


def _at(body: Any, path: Path) -> Any:
    for name in path:
        if not isinstance(body, dict):
            return None
        body = body.get(name)
    return body
