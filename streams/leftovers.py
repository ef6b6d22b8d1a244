"""Topics on a broker that a layout does not have: whose they may be, and which an instance of ours left behind."""

from __future__ import annotations

import re

from config.settings import layouts
from streams.layout_file import read_layout

#: By which an instance with a namespace is known.
_INSTANCE = re.compile(r"vacancy\.([^.]+)\.instance")


def may_be_ours(name: str, namespace: str, names: set[str]) -> bool:
    """Whether a topic lies where this instance's would: Kafka's own and other namespaces' never do."""
    if namespace:
        return name.startswith((f"{namespace}.", f"vacancy.{namespace}."))
    others = {found[1] for each in names if (found := _INSTANCE.fullmatch(each))}
    prefixes = tuple(prefix for other in others for prefix in (f"{other}.", f"vacancy.{other}."))
    return not name.startswith(("__", *prefixes))


def is_of_a_layout(name: str) -> bool:
    """Whether some layout of ours makes a topic of that name, in a namespace or not, or its dead letters."""
    base = name.removesuffix(".dlq")
    documented = {topic for layout in layouts() for topic in read_layout(layout).topics}
    return name.startswith("vacancy.") or base in documented or base.partition(".")[2] in documented
