"""What is wrong with a layout before it meets a broker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from streams.events import EVENT_TYPES
from streams.layout import Layout, LayoutError


def lint(layout: Layout) -> list[str]:
    """One line for each problem; empty when the layout holds."""
    return [*_types_without_topic(layout), *_colliding_names(layout)]


def _types_without_topic(layout: Layout) -> Iterator[str]:
    try:
        layout.route_table()
    except LayoutError as error:
        yield str(error)
        return
    routed = layout.route_table()
    for kind in sorted(EVENT_TYPES):
        if kind not in routed:
            yield f"{layout.name}: {kind} has no topic"


def _colliding_names(layout: Layout) -> Iterator[str]:
    # Kafka's metric names turn both `.` and `_` into `_`: two such topics would share one metric (C1).
    same: defaultdict[str, list[str]] = defaultdict(list)
    for topic in layout.all_topics:
        same[topic.name.replace(".", "_")].append(topic.name)
    for names in same.values():
        if len(names) > 1:
            yield f"{layout.name}: {' and '.join(sorted(names))} collide in Kafka's metric names"
