"""How dead letters are shown: a line each, or one with its bytes; as JSON for programs."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from streams.events.control import DeadLetterHandled
from streams.letter_desk import Found, Outcome

_WIDE = 200
_REASON = 60
_DUMPED = 16


def as_dict(found: Found, *, whole: bool = False) -> dict[str, Any]:
    """A letter for programs; with its key, value and headers where it is shown whole."""
    letter = found.letter
    said = {
        "letter": letter.id,
        "topic": letter.topic,
        "status": found.status,
        "class": letter.kind,
        "reason": letter.reason,
        "group": letter.group,
        "at": letter.at.isoformat(),
        "attempts": letter.attempts,
        "first": letter.first,
        "last": letter.last,
        "replays": letter.replays,
        "edited_from": letter.edited_from,
        "origin": {
            "topic": letter.origin_topic,
            "partition": letter.origin_partition,
            "offset": letter.origin_offset,
            "timestamp": letter.timestamp,
        },
    }
    if whole:
        headers = [{"name": name, "value": value.decode(errors="replace")} for name, value in letter.headers]
        said |= {"key": _text(letter.key), "headers": headers, **_value(letter.value)}
    return said


def print_table(found: Iterable[Found], more: bool) -> None:
    """One line for each; ids are copied from here, so they are never cut."""
    rows = [_row(each) for each in found]
    table = Table()
    for name in ("letter", "at", "class", "group", "replays", "status", "reason"):
        table.add_column(name, no_wrap=name == "letter")
    for row in rows:
        table.add_row(*row)
    # Where nobody looks, as wide as it is.
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
    print(f"{len(rows)} letters{', and there are more: see --limit' if more else ''}")


def _row(found: Found) -> tuple[str, ...]:
    letter, reason = found.letter, found.letter.reason
    short = reason if len(reason) <= _REASON else f"{reason[: _REASON - 1]}…"
    at, replays = letter.at.isoformat(timespec="seconds"), str(letter.replays)
    return letter.id, at, letter.kind, letter.group, replays, found.status, short


def print_letter(found: Found) -> None:
    for line in lines_of(found):
        print(line)


def lines_of(found: Found) -> Iterator[str]:
    """Everything there is to know of a letter: ours, its headers, then its key and its bytes."""
    letter = found.letter
    place = f"{letter.origin_topic}/{letter.origin_partition}/{letter.origin_offset}"
    yield f"{letter.id}: {found.status}"
    yield f"  class     {letter.kind}"
    yield f"  reason    {letter.reason}"
    yield f"  group     {letter.group}"
    yield f"  from      {place}"
    yield f"  attempts  {letter.attempts}, the first at {letter.first or 'an unknown time'}, the last at {letter.last}"
    yield f"  replays   {letter.replays}"
    if letter.edited_from:
        yield f"  copy of   {letter.edited_from}"
    for name, value in letter.headers:
        yield f"  header    {name}: {value.decode(errors='replace')}"
    yield f"  key       {_text(letter.key)}"
    yield ""
    yield from _shown(letter.value)


def print_outcomes(action: str, outcomes: Sequence[Outcome], as_json: bool, dry_run: bool) -> None:
    """What came of each; where nothing was done, why."""
    refused = [(each.letter.id, each.refused) for each in outcomes if each.refused is not None]
    done = len(outcomes) - len(refused)
    if as_json:
        said = {
            "action": action,
            "dry_run": dry_run,
            "done": done,
            "refused": [{"letter": a, "why": b} for a, b in refused],
        }
        print(orjson.dumps(said).decode())
        return
    for each in outcomes if dry_run else ():
        if each.refused is None:
            print(f"{each.letter.id}: would be {action}")
    for letter, why in refused:
        print(f"{letter}: {why}")
    print(f"{done} {'would be ' if dry_run else ''}{action}{f', {len(refused)} refused' if refused else ''}")


def print_entry(event: DeadLetterHandled, as_json: bool) -> None:
    if as_json:
        print(orjson.dumps({name: getattr(event, name) for name in event.__struct_fields__}).decode())
        return
    more = f", copy {event.copy}" if event.copy else f", replay {event.replays}" if event.action == "replayed" else ""
    note = f": {event.note}" if event.note else ""
    print(f"{event.at.isoformat(timespec='seconds')} {event.letter} {event.action} by {event.by}{more}{note}")


def _value(value: bytes | None) -> dict[str, Any]:
    """JSON as it is, else base64."""
    if value is None:
        return {"value": None}
    try:
        return {"value": orjson.loads(value)}
    except ValueError:
        return {"value_base64": base64.b64encode(value).decode()}


def _shown(value: bytes | None) -> Iterator[str]:
    if value is None:
        yield "(no value)"
        return
    try:
        yield orjson.dumps(orjson.loads(value), option=orjson.OPT_INDENT_2).decode()
    except ValueError:
        for begin in range(0, len(value), _DUMPED):
            part = value[begin : begin + _DUMPED]
            shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
            yield f"{begin:08x}  {part.hex(' '):<{3 * _DUMPED}} {shown}"


def _text(part: bytes | None) -> str | None:
    return part.decode(errors="replace") if part is not None else None
