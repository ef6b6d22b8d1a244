"""A layout: how one document names the topics, keys and groups of the platform's canonical types.

Read from `config/layouts/*.toml`, checked as a whole, and asked by everything that routes a message.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field

from config.settings import layouts
from streams.events import EVENT_TYPES, Event
from streams.topics import DAY_MS, KEYS, SERVICES, Service, Topic, dead_letters, internal_topics

_RETENTION = re.compile(r"^(\d+)d$")


class LayoutError(ValueError):
    """A layout that cannot work; the text names the file's field and what to change."""


class _TopicSpec(BaseModel):
    model_config = ConfigDict(extra="forbid")

    partitions: int = Field(ge=1)
    retention: str
    key: str
    #: The canonical types on this topic; by default the one that has its name.
    carries: list[str] = Field(default_factory=list)


class _Retry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    delays_ms: list[int]
    dead_letter_after: int


class _Defaults(BaseModel):
    model_config = ConfigDict(extra="forbid")

    replication: dict[str, int]
    retry: _Retry


class _Inboxes(BaseModel):
    model_config = ConfigDict(extra="forbid")

    partitions: int = Field(ge=1)


class _LayoutFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    document: str
    title: str
    confirm_on: str
    services: dict[str, str] = Field(default_factory=dict)
    inboxes: _Inboxes
    defaults: _Defaults
    topics: dict[str, _TopicSpec]


@dataclass(frozen=True)
class Layout:
    """One document's names for everything the platform says."""

    name: str
    title: str
    #: The document's topics by name.
    topics: Mapping[str, Topic]
    #: How many partitions each inbox, changelog and effects topic has.
    partitions: int
    groups: Mapping[str, str]
    replication: Mapping[str, int]
    #: Pauses in seconds between the attempts of an outside effect.
    retry_delays: tuple[float, ...]

    def group(self, service: Service) -> str:
        """The consumer group (and Faust App id) of a service."""
        return self.groups.get(service.name, f"vacancy-{service.name}")

    def route(self, event: Event) -> tuple[Topic, str]:
        """The topic an event goes to, and its key there."""
        topic = self._topic_of_type[event.event_type]
        return topic, KEYS[topic.key](event)

    @cached_property
    def all_topics(self) -> tuple[Topic, ...]:
        """Every topic an instance of this layout needs, dead letters included."""
        named = (*self.topics.values(), *internal_topics(self.partitions))
        read = [topic for topic in named if topic.carries]
        return (*named, *(dead_letters(topic) for topic in read))

    def route_table(self) -> Mapping[str, Topic]:
        """The topic of every canonical type that has one."""
        return self._topic_of_type

    @cached_property
    def _topic_of_type(self) -> Mapping[str, Topic]:
        known: dict[str, Topic] = {}
        for topic in (*self.topics.values(), *internal_topics(self.partitions)):
            for model in topic.carries:
                if model.event_type in known:
                    raise LayoutError(f"{self.name}: {model.event_type} is on {known[model.event_type].name} too")
                known[model.event_type] = topic
        return known


def load_layout(name: str) -> Layout:
    """The layout of this name.

    Raises:
        LayoutError: there is none, or its file does not hold.
    """
    if name not in layouts():
        raise LayoutError(f"no layout {name!r}; there are: {', '.join(layouts())}")
    text = resources.files("config.layouts").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    file = _LayoutFile.model_validate(tomllib.loads(text))
    return Layout(
        name=name,
        title=file.title,
        topics={topic: _topic(name, topic, spec) for topic, spec in file.topics.items()},
        partitions=file.inboxes.partitions,
        groups={service: group for service, group in file.services.items() if _known(name, service)},
        replication=file.defaults.replication,
        retry_delays=tuple(delay / 1000 for delay in file.defaults.retry.delays_ms),
    )


def _topic(layout: str, name: str, spec: _TopicSpec) -> Topic:
    days = _RETENTION.match(spec.retention)
    if days is None:
        raise LayoutError(f"{layout}: topics.{name}.retention {spec.retention!r} is not a number of days like '7d'")
    if spec.key not in KEYS:
        raise LayoutError(f"{layout}: topics.{name}.key {spec.key!r} is none of {', '.join(sorted(KEYS))}")
    missing = [kind for kind in spec.carries or [name] if kind not in EVENT_TYPES]
    if missing:
        raise LayoutError(f"{layout}: topics.{name} carries {', '.join(missing)}, which no event model has")
    carries = tuple(EVENT_TYPES[kind] for kind in spec.carries or [name])
    return Topic(name, spec.partitions, carries, spec.key, int(days[1]) * DAY_MS)


def _known(layout: str, service: str) -> bool:
    if service not in SERVICES:
        raise LayoutError(f"{layout}: services.{service} is none of {', '.join(SERVICES)}")
    return True
