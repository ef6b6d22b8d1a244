"""The options of `vacancy dlq`, and the letters they name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, get_args

import orjson
import typer

from cli.problem import Misuse
from streams.dead_letters import Class
from streams.letters import STATUSES, Filter, place_of

LetterId = Annotated[str, typer.Argument(metavar="LETTER", help="TOPIC/OFFSET, as `vacancy dlq list` shows it.")]
Chosen = Annotated[
    list[str] | None, typer.Argument(metavar="[LETTER]...", help="These letters; else those of the filters.")
]
TopicOption = Annotated[str | None, typer.Option("--topic", help="Of this topic, named without .dlq.")]
ClassOption = Annotated[str | None, typer.Option("--class", help=f"{', '.join(get_args(Class))}.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Whose reason has this in it.")]
GroupOption = Annotated[str | None, typer.Option("--group", help="That this consumer group failed at.")]
KeyOption = Annotated[str | None, typer.Option("--key", help="Under this key.")]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Buried then or later: ISO 8601, in UTC.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Buried before: ISO 8601, in UTC.")]
StatusOption = Annotated[str, typer.Option("--status", help=f"{', '.join(STATUSES)}, or all.")]
Note = Annotated[str, typer.Option("--note", help="Why, for `vacancy dlq log`.")]
Force = Annotated[bool, typer.Option("--force", help="Although it was handled before, or is quarantined.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def filter_of(
    topic: str | None,
    kind: str | None,
    reason: str | None,
    group: str | None,
    key: str | None,
    since: str | None,
    until: str | None,
    status: str,
    letters: Sequence[str] | None = None,
) -> Filter:
    """The letters that are meant; those named are meant however they stand. Raises Misuse naming the option."""
    if kind is not None and kind not in get_args(Class):
        raise Misuse(f"--class {kind}: should be one of {', '.join(get_args(Class))}")
    standing = next((each for each in STATUSES if each == status), None)
    if standing is None and status != "all":
        raise Misuse(f"--status {status}: should be one of {', '.join(STATUSES)}, all")
    for each in letters or ():
        if place_of(each) is None:
            raise Misuse(f"{each}: a letter is TOPIC/OFFSET, as `vacancy dlq list` shows it")
    return Filter(
        topic=topic,
        kind=kind,
        reason=reason,
        group=group,
        key=key,
        since=_time("--since", since),
        until=_time("--until", until),
        status=None if letters else standing,
        ids=frozenset(letters) if letters else None,
    )


def changes_of(several: Iterable[str]) -> list[tuple[str, Any]]:
    """What `--set FIELD=VALUE` names: values are JSON where they are, else text. Raises Misuse."""
    found = []
    for text in several:
        path, separator, value = text.partition("=")
        if not separator or not path:
            raise Misuse(f"--set {text}: should be FIELD=VALUE, like data.quantity=2")
        found.append((path, _json(value)))
    return found


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return text


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Misuse(f"{option} {text}: should be a time like 2026-12-24T15:00:00Z") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
