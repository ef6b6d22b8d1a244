"""What becomes of dead letters: how each stands, which are asked for, and what an edit makes of one. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

import orjson

from streams.dead_letters import Letter
from streams.events.control import DeadLetterHandled, LetterAction

Status = Literal["open", "replayed", "edited", "dropped", "quarantined"]
STATUSES: tuple[Status, ...] = get_args(Status)
#: What failed again after so many replays is not replayed any more unless somebody insists.
MOST_REPLAYS = 3


class BadEdit(Exception):
    """An edit that cannot be made. The text says why; `path` names what was to be set."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path


class Done(NamedTuple):
    """What was last done to a letter, how often what it holds was replayed by then, and its class."""

    action: LetterAction
    replays: int
    kind: str


@dataclass
class Standing:
    """How all letters stand, folded from what was done to them; one nothing was done to is open."""

    done: dict[str, Done] = field(default_factory=dict)

    def take(self, event: DeadLetterHandled) -> None:
        """The newest holds; taking one again changes nothing."""
        self.done[event.letter] = Done(event.action, event.replays, event.kind)

    def status(self, letter: Letter) -> Status:
        done = self.done.get(letter.id)
        if done is not None:
            return done.action
        return "quarantined" if letter.replays >= MOST_REPLAYS else "open"

    def replays(self, letter: Letter) -> int:
        """How often what it holds was replayed until now."""
        done = self.done.get(letter.id)
        return max(letter.replays, done.replays) if done is not None else letter.replays

    def objection(self, letter: Letter) -> str | None:
        """Why nothing is to be done to a letter; None where it may."""
        match self.status(letter):
            case "open":
                return None
            case "quarantined":
                return f"it failed again after {letter.replays} replays: edit it, drop it, or insist with force"
            case status:
                return f"it was {status} before: insist with force"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which letters are meant; what is None does not matter. `status` None: however they stand."""

    topic: str | None = None
    kind: str | None = None
    reason: str | None = None
    group: str | None = None
    key: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: Status | None = "open"
    ids: frozenset[str] | None = None

    def covers(self, letter: Letter, status: Status) -> bool:
        return (
            (self.status is None or status == self.status)
            and (self.ids is None or letter.id in self.ids)
            and (self.topic is None or letter.topic == self.topic)
            and (self.kind is None or letter.kind == self.kind)
            and (self.group is None or letter.group == self.group)
            and (self.key is None or (letter.key or b"").decode(errors="replace") == self.key)
            and (self.reason is None or self.reason.casefold() in letter.reason.casefold())
            and (self.since is None or letter.at >= self.since)
            and (self.until is None or letter.at < self.until)
        )


def place_of(letter_id: str) -> tuple[str, int] | None:
    """The topic and the offset an id names; None for what is no id."""
    topic, _, offset = letter_id.rpartition("/")
    if not topic or not (offset.isascii() and offset.isdecimal() and len(offset) < 19):
        return None
    return topic, int(offset)


def with_changes(value: bytes | None, changes: Iterable[tuple[str, Any]]) -> bytes:
    """A JSON value with some of its fields set, each named by its path ("data.lines.0.quantity"). Raises BadEdit."""
    try:
        content = orjson.loads(value or b"")
    except ValueError:
        raise BadEdit("", "the letter is no JSON: give the whole value") from None
    for path, wanted in changes:
        _set(content, path, wanted)
    return orjson.dumps(content)


def _set(content: Any, path: str, wanted: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        content = _child(content, step, path)
    if isinstance(content, list):
        _child(content, last, path)
        content[int(last)] = wanted
    elif isinstance(content, dict) and last:
        content[last] = wanted
    else:
        raise BadEdit(path, "there is nothing that could have such a field")


def _child(content: Any, step: str, path: str) -> Any:
    try:
        return content[int(step)] if isinstance(content, list) else content[step]
    except (KeyError, IndexError, TypeError, ValueError):
        raise BadEdit(path, f"there is no {step!r} on the way") from None
