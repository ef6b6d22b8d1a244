"""Whether the topics a command works with are on the broker as their layout wants them."""

from __future__ import annotations

from collections.abc import Collection

from cli.problem import Problem
from streams.admin import plan
from streams.layout import Layout


async def check_present(bootstrap: str, layout: Layout, environment: str, names: Collection[str], advice: str) -> None:
    """Raises Problem when a topic is missing, or has other partitions than the layout: keys would lie elsewhere."""
    found = await plan(bootstrap, layout, environment)
    missing = [topic.name for topic in found.create if topic.name in names]
    if missing:
        raise Problem(f"the broker at {bootstrap} has no topic {', '.join(missing)}; {advice}")
    for each in found.blocked:
        if each.topic in names:
            raise Problem(f"{each.topic} has {each.have} partitions, the layout {layout.name} wants {each.want}")
