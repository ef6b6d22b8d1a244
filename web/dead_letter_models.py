"""What requests about dead letters may say, and how letters are shown."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import ConfigDict, StringConstraints
from pydantic import Field as Limits

from streams.dead_letters import Class
from streams.letter_desk import Found
from streams.letters import Filter, Status
from web.answers import Answer
from web.shapes import Request
from web.texts import InstantIn

#: Letters that one request acts on at most.
MOST = 500
_Name = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
_Note = Annotated[str, StringConstraints(max_length=500)]


class Action(Request):
    """What is done to one letter."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "the bug is fixed"}]})

    note: _Note = ""
    #: Although it was handled before, or is quarantined.
    force: bool = False


class EditRequest(Action):
    """A copy with another value: `set` names fields by their paths; `value` is the whole JSON, `value_base64` bytes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"set": {"data.quantity": 2}, "note": "a typo"}]})

    set: Annotated[dict[str, Any], Limits(max_length=100)] | None = None
    value: dict[str, Any] | None = None
    value_base64: str | None = None


class BulkRequest(Action):
    """Letters by what they have in common, at most 500 at a time; those that are open, unless said otherwise."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"class": "decision-failed", "dry_run": True}]})

    topic: _Name | None = None
    kind: Annotated[Class | None, Limits(alias="class")] = None
    reason: _Name | None = None
    group: _Name | None = None
    key: _Name | None = None
    since: InstantIn | None = None
    until: InstantIn | None = None
    status: Status | Literal["all"] = "open"
    limit: Annotated[int, Limits(ge=1, le=MOST)] = 100
    #: The `next` of the answer before: those before it were looked at.
    after: _Name | None = None
    #: Only say what would be done.
    dry_run: bool = False

    def wanted(self) -> Filter:
        return Filter(
            topic=self.topic,
            kind=self.kind,
            reason=self.reason,
            group=self.group,
            key=self.key,
            since=self.since,
            until=self.until,
            status=None if self.status == "all" else self.status,
        )


class OriginOut(Answer):
    topic: str
    partition: int
    offset: int


class LetterOut(Answer):
    """A dead letter: open, quarantined (it failed again after three replays), replayed, edited or dropped."""

    id: str
    topic: str
    offset: int
    status: Status
    #: Its class.
    kind: Annotated[str, Limits(serialization_alias="class")]
    reason: str
    group: str
    at: datetime
    attempts: int
    first: str
    last: str
    replays: int
    edited_from: str | None = None
    origin: OriginOut

    @classmethod
    def of(cls, found: Found) -> dict[str, Any]:
        """The fields of a letter's answer."""
        letter = found.letter
        names = ("id", "topic", "offset", "kind", "reason", "group", "at", "attempts", "first", "last", "replays")
        said = {name: getattr(letter, name) for name in (*names, "edited_from")}
        origin = OriginOut(topic=letter.origin_topic, partition=letter.origin_partition, offset=letter.origin_offset)
        return {**said, "status": found.status, "origin": origin}


class HeaderOut(Answer):
    name: str
    value: str


class WholeLetterOut(LetterOut):
    """With what it holds: `value` where that is JSON, else `value_base64`. It may hold personal data."""

    key: str | None = None
    headers: list[HeaderOut]
    value: Any = None
    value_base64: str | None = None

    @classmethod
    def of(cls, found: Found) -> dict[str, Any]:
        letter = found.letter
        headers = [HeaderOut(name=name, value=text.decode(errors="replace")) for name, text in letter.headers]
        key = letter.key.decode(errors="replace") if letter.key is not None else None
        return {**LetterOut.of(found), "key": key, "headers": headers, **_value(letter.value)}


class CountOut(Answer):
    """How many letters a topic has of a class, and to how many of them nothing was done."""

    topic: str
    kind: Annotated[str, Limits(serialization_alias="class")]
    letters: int
    unhandled: int


class LettersOut(Answer):
    letters: list[LetterOut]
    #: For the next page: `?after=`; null at the end.
    next: str | None = None
    #: Of all letters, whatever the filters.
    counts: list[CountOut]
    #: False while there are more than were counted: ask again.
    counted: bool


class CopyOut(Answer):
    id: str
    #: The edited copy, which is open.
    copied_to: str


class RefusedOut(Answer):
    id: str
    why: str


class ActedOut(Answer):
    dry_run: bool = False
    done: list[str]
    refused: list[RefusedOut]
    #: Whether there may be more of them; then as `after` it goes on behind those that were looked at.
    more: bool = False
    next: str | None = None


def _value(value: bytes | None) -> dict[str, Any]:
    if value is None:
        return {}
    try:
        return {"value": orjson.loads(value)}
    except ValueError:
        return {"value_base64": base64.b64encode(value).decode()}
