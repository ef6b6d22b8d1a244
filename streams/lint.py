"""What is wrong with a layout before it meets a broker.

What its document's table and its list of groups do not agree on (C15) is no problem: the layout takes the union, and
`Layout.differences` names it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from streams.events import EVENT_TYPES
from streams.events.notices import ReminderDue
from streams.layout import Group, Layout, LayoutError
from streams.services import SERVICES, STATELESS
from streams.topics import Topic

#: The types a service says begin with these.
_SAYS: Mapping[str, tuple[str, ...]] = {name: (f"{name}.",) for name in SERVICES} | {
    "booking": ("booking.", "inventory."),
    "availability": ("availability.", "waitlist."),
}
#: Their exchange ends with the booking, whose row alone decides it and answers nothing twice (design 3).
_SAGA = ("booking", "payment")


def lint(layout: Layout) -> list[str]:
    """One line for each problem; empty when the layout holds."""
    problems = (*_unknown_services(layout), *_types_without_topic(layout), *_colliding_names(layout))
    # What follows asks for routes and groups, which have to hold by themselves first.
    return [*problems] or [*_unread_topics(layout), *_odd_notices(layout), *_echoes(layout), *_circles(layout)]


def _unknown_services(layout: Layout) -> Iterator[str]:
    for group in layout.groups.values():
        if group.service not in (*SERVICES, *STATELESS):
            yield f"{layout.name}: the group {group.name} serves {group.service!r}, which is none of ours"


def _types_without_topic(layout: Layout) -> Iterator[str]:
    try:
        routed = layout.route_table()
    except LayoutError as error:
        yield str(error)
        return
    idle = {
        model.event_type
        for service in SERVICES.values()
        if service.name not in layout.running
        for model in (*service.accepts, *service.effects)
    }
    for kind in sorted(EVENT_TYPES.keys() - routed.keys() - idle):
        yield f"{layout.name}: {kind} has no topic"


def _colliding_names(layout: Layout) -> Iterator[str]:
    # Kafka's metric names turn both `.` and `_` into `_`: two such topics would share one metric (C1).
    same: defaultdict[str, list[str]] = defaultdict(list)
    for topic in layout.all_topics:
        same[topic.name.replace(".", "_")].append(topic.name)
    for names in same.values():
        if len(names) > 1:
            yield f"{layout.name}: {' and '.join(sorted(names))} collide in Kafka's metric names"


def _unread_topics(layout: Layout) -> Iterator[str]:
    """A service that the document's table lists as a consumer, and that no group serves."""
    for topic, services in layout.consumers.items():
        for service in services:
            if topic not in {each.name for each in layout.subscriptions(service)}:
                yield f"{layout.name}: the table lists {service} as a consumer of {topic}, and no group of it does"


def _odd_notices(layout: Layout) -> Iterator[str]:
    heard = {
        model.event_type
        for service in ("notification", "mail")
        for topic in layout.subscriptions(service)
        for model in topic.carries
    }
    for channel, told in layout.notices.items():
        templates = told.keys() - {ReminderDue.event_type}  # what a clock says, and no topic
        for kind in sorted(kind for kind in templates if kind.startswith(_SAYS["notification"])):
            yield f"{layout.name}: notices.{channel} tells of {kind}, which is said of every notice itself"
        for kind in sorted(templates - heard):
            yield f"{layout.name}: notices.{channel} tells of {kind}, which no group that tells reads"


def _echoes(layout: Layout) -> Iterator[str]:
    """C14: a group that reads what its own service says never comes to rest."""
    for group in layout.groups.values():
        for topic in _unguarded(layout, group):
            own = sorted(_said_on(topic, group.service))
            if own:
                yield f"{layout.name}: the group {group.name} reads what it says, {', '.join(own)} on {topic.name}"


def _circles(layout: Layout) -> Iterator[str]:
    """C14: services that feed each other, as rates and availability would."""
    heard: dict[str, set[str]] = {}
    for group in layout.groups.values():
        heard[group.service] = {
            speaker
            for topic in _unguarded(layout, group)
            for speaker in layout.groups
            if speaker != group.service and not {speaker, group.service} & set(_SAGA) and _said_on(topic, speaker)
        }
    try:
        TopologicalSorter(heard).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        yield f"{layout.name}: {' -> '.join(circle)} feed each other without an end"


def _unguarded(layout: Layout, group: Group) -> Iterator[Topic]:
    """What a group reads, less `vacancy.events`: who reads all that has no topic leaves out its own there.

    Analytics observes no analytics (`domain.analytics`), and notices are told of what `notices` names alone.
    """
    return (topic for topic in layout.subscriptions(group.service) if topic.name != layout.events.name)


def _said_on(topic: Topic, service: str) -> set[str]:
    says = _SAYS.get(service, ())
    return {model.event_type for model in topic.carries if model.event_type.startswith(says)}
