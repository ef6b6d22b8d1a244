"""What a client of the public API may be told, or not be told in time."""

from __future__ import annotations

import orjson


class Refused(Exception):
    """The gateway refused a request for good. `status` is HTTP's, `detail` the problem's own words, `kind` its name."""

    def __init__(self, status: int, detail: str, kind: str = "", reason: str = "") -> None:
        super().__init__(f"HTTP {status}: {detail}")
        self.status = status
        self.detail = detail
        self.kind = kind
        #: Why a change was refused.
        self.reason = reason


class Unreachable(Exception):
    """A request could not be served for as long as the client was patient."""


class NoOutcome(Exception):
    """A booking was still where it was when the client's patience was over."""


def refusal_of(status: int, raw: bytes) -> Refused:
    """What a gateway says in its problem, or in whatever it answered."""
    try:
        problem = orjson.loads(raw)
        kind = str(problem.get("type", "")).rpartition(":")[2]
        detail = str(problem.get("detail") or problem.get("title"))
        return Refused(status, detail, kind, str(problem.get("reason", "")))
    except (ValueError, AttributeError):
        return Refused(status, raw[:200].decode("utf-8", "replace"))
