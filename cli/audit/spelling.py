"""How an instance spells the names of its topics: as they are, or in its namespace where several share a cluster."""

from __future__ import annotations

from dataclasses import dataclass

_OURS = "vacancy."


@dataclass(frozen=True)
class Spelling:
    """`vacancy.booking.inbox` is `vacancy.NAMESPACE.booking.inbox`, `booking-events` is `NAMESPACE.booking-events`.

    `prefix` stands before the whole name on the broker.
    """

    namespace: str = ""
    prefix: str = ""

    def on_broker(self, name: str) -> str:
        """The name of a topic or group as the broker has it."""
        if not self.namespace:
            return f"{self.prefix}{name}"
        if name.startswith(_OURS):
            return f"{self.prefix}{_OURS}{self.namespace}.{name.removeprefix(_OURS)}"
        return f"{self.prefix}{self.namespace}.{name}"

    def plain(self, name: str) -> str | None:
        """The name without prefix and namespace; None for one of somebody else's."""
        if not name.startswith(self.prefix):
            return None
        found = name.removeprefix(self.prefix)
        if not self.namespace:
            return found
        inside, outside = f"{_OURS}{self.namespace}.", f"{self.namespace}."
        if found.startswith(inside):
            return _OURS + found.removeprefix(inside)
        return found.removeprefix(outside) if found.startswith(outside) else None

    def origin(self, said: str) -> str:
        """The plain name of a topic that a header names; headers know no prefix. One of others stays theirs."""
        return Spelling(self.namespace).plain(said) or f"{said} (not of this instance)"
