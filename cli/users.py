"""`vacancy users`: erases a user and proves it, or only looks where a user can be read."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import orjson
import typer
from aiokafka.errors import KafkaError
from rich.console import Console

from cli import instance
from cli.erasure import Erasure, Report
from cli.erasure_report import as_dict, lines_of
from cli.loop import run
from cli.options import AsJson, RunningDirectory, SettingsFile
from cli.problem import Misuse, Problem
from config.layers import load
from streams.identity import user_id_of

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help="Erase a user, and prove it.")

UserId = Annotated[str | None, typer.Argument(help="The user's id.", show_default=False)]
Address = Annotated[
    str | None,
    typer.Option("--email", help="Instead of the id: who books with this address and no id."),
]


@app.callback()
def users() -> None:
    """Erase a user, and prove what is left where."""


@app.command("erase")
def erase(
    user_id: UserId = None,
    email: Address = None,
    data: RunningDirectory = Path(".vacancy"),
    config: SettingsFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Although bookings are under way: no mail follows.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Destroy every key of a user, remove their mails, and search everything for what is left.

    Exit code 1 where something of the user stays readable, but where a document shows it until a date;
    0 where nothing is known of the user.

    Example: vacancy users erase --email ada@example.com --dry-run
    """
    erasure = _erasure(user_id, email, data, config)
    with _plainly():
        if dry_run:
            report = run(_traced(erasure))
        else:
            if not yes and (as_json or not sys.stdin.isatty()):
                raise Misuse("erasing cannot be undone: say --yes, or --dry-run to see what would go")
            report = run(_erased(erasure, force=force, ask=not yes))
    _print(report, as_json)
    if not dry_run and not report.is_proven and not report.is_unknown:
        raise typer.Exit(1)


@app.command("trace")
def trace(
    user_id: UserId = None,
    email: Address = None,
    data: RunningDirectory = Path(".vacancy"),
    config: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Search every topic and file for what can be read of a user, and change nothing.

    Example: vacancy users trace --email ada@example.com
    """
    with _plainly():
        report = run(_traced(_erasure(user_id, email, data, config)))
    _print(report, as_json)


def _erasure(user_id: str | None, email: str | None, data: Path, config: Path | None) -> Erasure:
    if (user_id is None) == (email is None):
        raise Misuse("name the user by ID or by --email, one of both")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it cannot do, it raises
    settings = instance.joined(load({"data": data}, config).settings)
    return Erasure(settings, instance.find(settings.data), user_id or user_id_of(str(email)), email)


async def _traced(erasure: Erasure) -> Report:
    await erasure.collect()
    await erasure.search()
    erasure.note_belongings()
    return erasure.report


async def _erased(erasure: Erasure, *, force: bool, ask: bool) -> Report:
    await erasure.collect()
    under_way = erasure.report.bookings
    if under_way and not force:
        raise Problem(
            f"{erasure.person.user_id} has bookings that are not over: {', '.join(under_way)}; cancel them, or say "
            "--force: then nothing can be sent for them any more"
        )
    if ask:
        question = f"Erase {erasure.person.user_id}, {erasure.report.keys} keys? This cannot be undone."
        await asyncio.to_thread(typer.confirm, question, abort=True, err=True)
    await erasure.erase()
    await erasure.search()
    return erasure.report


@contextlib.contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise Problem(f"Kafka does not answer ({type(error).__name__}): is `vacancy up` running?") from None
    except OSError as error:
        raise Problem(str(error)) from None


def _print(report: Report, as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(as_dict(report)).decode())
    else:
        console = Console(highlight=False, soft_wrap=True)
        for line in lines_of(report):
            console.print(line, markup=False)
