"""What becomes of poison: its bytes as they came, on `{topic}.dlq`, with everything needed to find out why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from streams.publisher import Headers, Record
from streams.reader import Raw

#: Why a record is dead: not a message of ours, not for this inbox, a decision that failed or does not fit, a request
#: that cannot be taken, or an outcome that another program wrote.
Class = Literal["undecodable", "misplaced", "decision-failed", "too-large", "refused", "not-ours"]

#: How often a record was replayed from the dead letters (`streams.replays`), where it was.
REPLAYS = "vacancy-replays"
#: What we write of a letter begins with this.
OURS = "vacancy-dlq-"
#: The letter that an edited copy was made of.
EDITED_FROM = "vacancy-dlq-edited-from"
_FIRST_OF_OURS = "vacancy-dlq-reason"
_REASON = 2_000
_DEAD = ".dlq"


def dead_letter(
    origin: Raw,
    *,
    reason: str,
    kind: Class,
    group: str,
    attempts: int = 1,
    first: datetime | None = None,
    last: datetime | None = None,
) -> Record:
    """The record for the dead-letter topic: key, value and headers as they came, ours beside them.

    `first` and `last` are when it was tried; now, where it was tried once.
    """
    given_up = last or datetime.now(UTC)
    ours = {
        "reason": reason,
        "class": kind,
        "group": group,
        "topic": origin.topic,
        "partition": str(origin.partition),
        "offset": str(origin.offset),
        "timestamp": str(origin.timestamp),
        "key": _shape(origin.key),
        "value": _shape(origin.value),
        "attempts": str(attempts),
        "first": (first or given_up).isoformat(),
        "last": given_up.isoformat(),
        "replays": str(_number(header(origin.headers, REPLAYS))),
    }
    headers = tuple((f"{OURS}{name}", text.encode()[:_REASON]) for name, text in ours.items())
    # A record with neither key nor value cannot be appended to a batch: an empty value stands for the null.
    return Record(origin.key, b"" if origin.value is None else origin.value, (*origin.headers, *headers))


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter as it lies there. `topic` is the one it is a letter of, `offset` its own on `{topic}.dlq`."""

    topic: str
    offset: int
    at: datetime
    reason: str
    kind: str
    group: str
    #: Where it stood: on its topic, or on the topic of replays.
    origin_topic: str
    origin_partition: int
    origin_offset: int
    timestamp: int
    attempts: int
    first: str
    last: str
    replays: int
    edited_from: str | None
    key: bytes | None
    value: bytes | None
    #: Those it came with.
    headers: Headers
    #: Those that we wrote beside.
    ours: Headers

    @property
    def id(self) -> str:
        return f"{self.topic}/{self.offset}"


def letter_of(record: Raw) -> Letter:
    """Reads a record of a dead-letter topic; of what is missing there nothing is said: anybody may write one."""
    begin = _begin_of_ours(record.headers)
    came, ours = tuple(record.headers[:begin]), tuple(record.headers[begin:])

    def said(name: str) -> str:
        return header(ours, f"{OURS}{name}")

    return Letter(
        topic=record.topic.removesuffix(_DEAD),
        offset=record.offset,
        at=datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC),
        reason=said("reason"),
        kind=said("class"),
        group=said("group"),
        origin_topic=said("topic"),
        origin_partition=_number(said("partition")),
        origin_offset=_number(said("offset")),
        timestamp=_number(said("timestamp")),
        attempts=_number(said("attempts")) or 1,
        first=said("first"),
        last=said("last"),
        replays=_number(said("replays")),
        edited_from=header(ours, EDITED_FROM) or None,
        key=record.key,
        value=None if said("value") == "null" else record.value,
        headers=came,
        ours=ours,
    )


def edited_copy(letter: Letter, value: bytes) -> Record:
    """A new letter like this one but for its value, which names the one it was made of. Its replays are counted anew:
    what failed so often was another value.
    """
    changed = {f"{OURS}value": b"bytes", f"{OURS}replays": b"0", EDITED_FROM: letter.id.encode()}
    kept = tuple((name, text) for name, text in letter.ours if name not in changed)
    return Record(letter.key, value, (*letter.headers, *kept, *changed.items()))


def header(headers: Sequence[tuple[str, bytes]], name: str) -> str:
    """The last header of that name as text; empty where there is none."""
    return next((value.decode(errors="replace") for each, value in reversed(headers) if each == name), "")


def _begin_of_ours(headers: Sequence[tuple[str, bytes]]) -> int:
    """Where ours begin: the last time, since what came may be a copy of a letter."""
    found = [index for index, (name, _) in enumerate(headers) if name == _FIRST_OF_OURS]
    return found[-1] if found else len(headers)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _shape(part: bytes | None) -> str:
    return "null" if part is None else "bytes"
