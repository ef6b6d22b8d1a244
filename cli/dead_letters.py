"""`vacancy dlq`: what could not be read, decided or taken, and what becomes of it; every action is written down.

It speaks to Kafka itself, so that it works while the gateway does not.
"""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import orjson
import typer

from cli.dead_letter_options import (
    Chosen,
    ClassOption,
    Force,
    GroupOption,
    KeyOption,
    LetterId,
    Note,
    ReasonOption,
    Since,
    StatusOption,
    TopicOption,
    Until,
    Yes,
    changes_of,
    filter_of,
)
from cli.dead_letter_view import as_dict, print_entry, print_letter, print_outcomes, print_table
from cli.dead_letter_work import Order, at_desk, by, carry_out, collect, get
from cli.options import AsJson, RunningDirectory, SettingsFile
from cli.problem import Misuse, Problem
from streams.letter_desk import Desk
from streams.letters import BadEdit, with_changes

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="See, edit, replay and drop dead letters.",
    no_args_is_help=True,
)


@app.callback()
def dead_letters() -> None:
    """See, edit, replay and drop dead letters."""


@app.command("list")
def list_letters(
    topic: TopicOption = None,
    kind: ClassOption = None,
    reason: ReasonOption = None,
    group: GroupOption = None,
    key: KeyOption = None,
    since: Since = None,
    until: Until = None,
    status: StatusOption = "open",
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    data: RunningDirectory = Path(".vacancy"),
    config: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the letters that are open, or those asked for.

    Example: vacancy dlq list --topic vacancy.booking.inbox --since 2026-12-24
    """
    wanted = filter_of(topic, kind, reason, group, key, since, until, status)
    found = at_desk(data, config, lambda desk: collect(desk, wanted, limit + 1))
    shown, more = found[:limit], len(found) > limit
    if as_json:
        print(orjson.dumps({"letters": [as_dict(each) for each in shown], "more": more}).decode())
    else:
        print_table(shown, more)


@app.command("show")
def show(
    letter: LetterId, data: RunningDirectory = Path(".vacancy"), config: SettingsFile = None, as_json: AsJson = False
) -> None:
    """Show one letter with its headers and bytes, which may hold personal data.

    Example: vacancy dlq show vacancy.booking.inbox/17
    """
    found = at_desk(data, config, lambda desk: get(desk, letter))
    if as_json:
        print(orjson.dumps(as_dict(found, whole=True)).decode())
    else:
        print_letter(found)


@app.command("edit")
def edit(
    letter: LetterId,
    several: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set a field of its JSON; repeatable.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--value-file", help="The whole new value.", exists=True)] = None,
    note: Note = "",
    force: Force = False,
    data: RunningDirectory = Path(".vacancy"),
    config: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a copy of a letter with another value, to be replayed; the letter itself stays as it is.

    Example: vacancy dlq edit vacancy.booking.inbox/17 --set data.quantity=2
    """
    if bool(several) == bool(file):
        raise Misuse("name what to change with --set FIELD=VALUE, or give the whole value with --value-file")
    changes = changes_of(several or ())

    async def change(desk: Desk) -> str:
        found = await get(desk, letter)
        if (why := desk.objection(found.letter, "edited", force=force)) is not None:
            raise Problem(f"{letter}: {why}")
        try:
            value = file.read_bytes() if file is not None else with_changes(found.letter.value, changes)
        except BadEdit as error:
            raise Misuse(f"--set {error.path}: {error}" if error.path else str(error)) from None
        return await desk.edit(found.letter, value, by=by(), note=note)

    copy = at_desk(data, config, change)
    print(
        orjson.dumps({"letter": letter, "copy": copy}).decode() if as_json else f"{copy} is the edited copy: replay it"
    )


@app.command("replay")
def replay(
    letters: Chosen = None,
    topic: TopicOption = None,
    kind: ClassOption = None,
    reason: ReasonOption = None,
    group: GroupOption = None,
    key: KeyOption = None,
    since: Since = None,
    until: Until = None,
    status: StatusOption = "open",
    rate: Annotated[float | None, typer.Option(min=0.1, help="So many in a second at most.")] = None,
    note: Note = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be replayed.")] = False,
    force: Force = False,
    yes: Yes = False,
    data: RunningDirectory = Path(".vacancy"),
    config: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Give letters to the group that failed at them once more, and to nobody else.

    Exit code 1 where one was refused: it was handled before, failed again after three replays, or nobody reads it.

    Example: vacancy dlq replay --class decision-failed --since 2026-12-24 --rate 50
    """
    wanted = filter_of(topic, kind, reason, group, key, since, until, status, letters)
    order = Order(
        action="replayed", wanted=wanted, note=note, rate=rate, dry_run=dry_run, force=force, yes=yes or as_json
    )
    _bulk(order, data, config, as_json)


@app.command("drop")
def drop(
    letters: Chosen = None,
    topic: TopicOption = None,
    kind: ClassOption = None,
    reason: ReasonOption = None,
    group: GroupOption = None,
    key: KeyOption = None,
    since: Since = None,
    until: Until = None,
    status: StatusOption = "open",
    note: Note = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be dropped.")] = False,
    force: Force = False,
    yes: Yes = False,
    data: RunningDirectory = Path(".vacancy"),
    config: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Say that nothing will become of letters; they stay where they lie.

    Example: vacancy dlq drop vacancy.booking.inbox/17 --note 'a test of the shop'
    """
    wanted = filter_of(topic, kind, reason, group, key, since, until, status, letters)
    order = Order(action="dropped", wanted=wanted, note=note, dry_run=dry_run, force=force, yes=yes or as_json)
    _bulk(order, data, config, as_json)


@app.command("log")
def log(data: RunningDirectory = Path(".vacancy"), config: SettingsFile = None, as_json: AsJson = False) -> None:
    """Show everything that was ever done to letters, the oldest first.

    Example: vacancy dlq log
    """

    async def tell(desk: Desk) -> None:
        async with aclosing(desk.history()) as entries:
            async for event in entries:
                print_entry(event, as_json)

    at_desk(data, config, tell)


def _bulk(order: Order, data: Path, config: Path | None, as_json: bool) -> None:
    outcomes = at_desk(data, config, lambda desk: carry_out(desk, order))
    print_outcomes(order.action, outcomes, as_json, order.dry_run)
    raise typer.Exit(1 if any(each.refused is not None for each in outcomes) else 0)
