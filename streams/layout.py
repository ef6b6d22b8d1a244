"""A layout: how one document names the topics, keys and groups of the platform's canonical types.

Read from `config/layouts/*.toml` (`streams.layout_file`), and asked by everything that routes a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from config.settings import Settings
from streams.events import EVENT_TYPES, Event
from streams.events.about import ConfirmOn, Kind
from streams.keys import KEYS, PARTITIONERS
from streams.layout_file import LayoutError, LayoutFile, Profile, TopicSpec, adjusted, check_namespace, read_layout
from streams.services import CORE, SERVICES, STATELESS, Service, internal_name, service_topics
from streams.topics import INSTANCE, NUMBERS, OWN, RATES, USER_KEYS, WORKERS, Topic, dead_letters, events_topic

__all__ = ["Group", "Layout", "LayoutError", "load_layout", "make_layout"]

#: News that a document writes, or that goes to `vacancy.events`; everything else stays inside.
_INTERNAL = frozenset(
    model.event_type
    for model in (
        *(model for service in SERVICES.values() for model in (*service.accepts, *service.effects)),
        *(model for topic in OWN for model in topic.carries),
    )
)


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group, which is one Faust App: the service it serves and the documented topics it reads."""

    name: str
    service: str
    subscribes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """One document's names for everything the platform says."""

    name: str
    title: str
    document: str
    codec: str
    #: The document's topics by name.
    topics: Mapping[str, Topic]
    #: How many partitions each inbox, changelog and effects topic has.
    partitions: int
    #: By the service they serve.
    groups: Mapping[str, Group]
    replication: Mapping[str, int]
    #: Pauses in seconds between the attempts of an outside effect; how often content that is refused is tried in all.
    retry_delays: tuple[float, ...]
    dead_letter_after: int
    confirm: Mapping[str, ConfirmOn]
    notices: Mapping[str, Mapping[str, str]]
    ports: Mapping[str, int]
    profile: Profile | None = None
    #: Part of every name, where several instances share a cluster.
    namespace: str = ""
    #: What the document's table and its list of groups do not agree on (C15).
    differences: tuple[str, ...] = ()
    #: The services that the document's table lists as consumers, by topic.
    consumers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=lambda: dict(SERVICES))

    def group(self, service: Service | str) -> str:
        """The consumer group (and Faust App id) of a service."""
        name = service if isinstance(service, str) else service.name
        known = self.groups.get(name)
        return known.name if known is not None else _prefixed(f"vacancy-{name}", self.namespace)

    def subscriptions(self, service: str) -> tuple[Topic, ...]:
        """The documented topics a service's group reads."""
        return tuple(self.named[name] for name in self.groups[service].subscribes) if service in self.groups else ()

    def confirm_on(self, kind: Kind) -> ConfirmOn:
        """What a booking of that kind waits for beside inventory."""
        return self.confirm.get(kind, self.confirm["default"])

    def route(self, event: Event) -> tuple[Topic, str]:
        """The topic an event goes to, and its key there."""
        topic = self._topic_of_type[event.event_type]
        return topic, KEYS[topic.key](event)

    @property
    def running(self) -> tuple[str, ...]:
        """The names of the services that run under this layout, those without rows last."""
        return tuple(name for name in (*SERVICES, *STATELESS) if name in CORE or name in self.groups)

    @cached_property
    def events(self) -> Topic:
        """Where news goes that the document has no topic for."""
        documented = {model.event_type for topic in self.topics.values() for model in topic.carries}
        rest = tuple(
            model for kind, model in sorted(EVENT_TYPES.items()) if kind not in documented and kind not in _INTERNAL
        )
        return self._internal(events_topic(self.partitions, rest))

    @cached_property
    def rates(self) -> Topic:
        return self._internal(RATES)

    @cached_property
    def workers(self) -> Topic:
        return self._internal(WORKERS)

    @cached_property
    def user_keys(self) -> Topic:
        return self._internal(USER_KEYS)

    @cached_property
    def instance(self) -> Topic:
        return self._internal(INSTANCE)

    @cached_property
    def numbers(self) -> Topic:
        return self._internal(NUMBERS)

    @cached_property
    def public(self) -> tuple[Topic, ...]:
        """What other programs may read: the document's topics, and ours for what it has no topic for."""
        return (*self.topics.values(), self.events)

    @cached_property
    def named(self) -> Mapping[str, Topic]:
        """The public topics by name."""
        return {topic.name: topic for topic in self.public}

    @cached_property
    def all_topics(self) -> tuple[Topic, ...]:
        """Every topic an instance of this layout needs, dead letters included."""
        named = (*self.public, *self._inside)
        read = [topic for topic in named if topic.carries]
        return (*named, *(dead_letters(topic) for topic in read))

    def route_table(self) -> Mapping[str, Topic]:
        """The topic of every canonical type."""
        return self._topic_of_type

    @cached_property
    def _inside(self) -> tuple[Topic, ...]:
        running = [self.services[name] for name in self.running if name in self.services]
        own = [topic for service in running for topic in service_topics(service, self.partitions)]
        return (*own, *(self._internal(topic) for topic in OWN))

    @cached_property
    def _topic_of_type(self) -> Mapping[str, Topic]:
        known: dict[str, Topic] = {}
        for topic in (*self.public, *self._inside):
            for model in topic.carries:
                if model.event_type in known:
                    raise LayoutError(f"{self.name}: {model.event_type} is on {known[model.event_type].name} too")
                known[model.event_type] = topic
        return known

    def _internal(self, topic: Topic) -> Topic:
        return replace(topic, name=internal_name(topic.name.removeprefix("vacancy."), self.namespace))


def load_layout(settings: Settings | str) -> Layout:
    """The layout of an instance's settings; of a name alone, as its file has it. Raises LayoutError."""
    if isinstance(settings, str):
        return make_layout(settings, read_layout(settings))
    file = adjusted(settings.layout, read_layout(settings.layout), settings)
    return make_layout(settings.layout, file, settings.namespace)


def make_layout(name: str, file: LayoutFile, namespace: str = "") -> Layout:
    """What a file says, with every name in the instance's namespace. Raises LayoutError."""
    check_namespace(namespace)
    groups, differences = _groups(name, file)
    topics = [_topic(name, topic, spec, namespace) for topic, spec in file.topics.items()]
    services = [replace(service, namespace=namespace) for service in SERVICES.values()]
    return Layout(
        name=name,
        title=file.title,
        document=file.document,
        codec=file.codec,
        topics={topic.name: topic for topic in topics},
        partitions=file.inboxes.partitions,
        groups={each.service: _in_namespace(each, namespace) for each in groups},
        replication=file.defaults.replication,
        retry_delays=tuple(delay / 1000 for delay in file.defaults.retry.delays_ms),
        dead_letter_after=file.defaults.retry.dead_letter_after,
        confirm=file.confirm_on,
        notices=file.notices,
        ports=file.ports,
        profile=file.profile,
        namespace=namespace,
        differences=differences,
        consumers={_prefixed(topic, namespace): spec.consumers for topic, spec in file.topics.items()},
        services={service.name: service for service in services},
    )


def _topic(layout: str, name: str, spec: TopicSpec, namespace: str) -> Topic:
    carries = spec.carries or {name: name}
    missing = [kind for kind in carries.values() if kind not in EVENT_TYPES]
    if missing:
        raise LayoutError(f"{layout}: topics.{name} carries {', '.join(missing)}, which no event model has")
    return Topic(
        _prefixed(name, namespace),
        spec.partitions,
        tuple(EVENT_TYPES[kind] for kind in carries.values()),
        spec.key,
        spec.retention_ms,
        names={kind: said for said, kind in carries.items()},
        partitioner=PARTITIONERS[spec.partitioner],
        replication=spec.replication,
    )


def _groups(layout: str, file: LayoutFile) -> tuple[list[Group], tuple[str, ...]]:
    """The groups with the union of what the document's table and its list of groups say, and where they differ."""
    found, differences = [], []
    in_table = {topic for topic, spec in file.topics.items() if spec.consumers}
    for name, spec in file.groups.items():
        if spec.service not in (*SERVICES, *STATELESS):
            raise LayoutError(f"{layout}: groups.{name}.service {spec.service!r} is none of ours")
        listed = [topic for topic, each in file.topics.items() if spec.service in each.consumers]
        unknown = [topic for topic in spec.subscribes if topic not in file.topics and topic != "vacancy.events"]
        if unknown:
            raise LayoutError(f"{layout}: groups.{name} subscribes {', '.join(unknown)}, which is no topic of it")
        missing = [topic for topic in listed if topic not in spec.subscribes]
        documented = [] if name.startswith("vacancy-") else [each for each in spec.subscribes if each in in_table]
        unlisted = [topic for topic in documented if topic not in listed]
        differences += [f"the table lists {spec.service} for {topic}, the group {name} does not" for topic in missing]
        differences += [f"the group {name} has {topic}, the table does not list {spec.service}" for topic in unlisted]
        found.append(Group(name, spec.service, (*spec.subscribes, *missing)))
    return found, tuple(differences)


def _in_namespace(group: Group, namespace: str) -> Group:
    subscribes = tuple(
        internal_name("events", namespace) if name == "vacancy.events" else _prefixed(name, namespace)
        for name in group.subscribes
    )
    return Group(_prefixed(group.name, namespace), group.service, subscribes)


def _prefixed(name: str, namespace: str) -> str:
    return f"{namespace}.{name}" if namespace else name
