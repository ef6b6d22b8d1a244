"""`vacancy audit`: reads what an instance wrote, judges the promises, reports. Exit 0 clean, 1 broken, 2 unreadable."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli import instance
from cli.audit.broker import CannotAuditError
from cli.audit.dialect import Dialect
from cli.audit.dialects import DIALECTS
from cli.audit.findings import Verdict, clean
from cli.audit.history import History
from cli.audit.ledger import read_ledger
from cli.audit.mail import read_again, read_mail, read_texts
from cli.audit.promises import judge
from cli.audit.reading import read_log
from cli.audit.report import as_json, show
from cli.audit.spelling import Spelling
from cli.audit.tables import read_tables
from cli.audit.target import journal, target_of
from cli.options import DataDirectory, SettingsFile, given
from config.layers import load


def command(
    data: DataDirectory = None,
    broker: Annotated[str | None, typer.Option(help="kafka://HOST:PORT instead of the instance's.")] = None,
    journal_file: Annotated[
        Path | None, typer.Option("--journal", help="JSON lines with the booking_id of every 201, as `demo` writes.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="What the names of the instance's topics begin with.")] = "",
    config: SettingsFile = None,
    as_json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Checks the promises on a running or stopped instance. Example: vacancy audit --data .vacancy"""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it cannot do, it raises
    began = time.monotonic()
    settings = instance.belonging(load(given(None, data=data, broker=broker), config).settings)
    asked = audit(
        settings.data,
        broker=settings.broker,
        journal_file=journal_file,
        prefix=prefix,
        namespace=settings.namespace,
        layout=settings.layout,
        profile=settings.profile,
        mail_here=settings.smtp_url is None,
        database=settings.database_url.get_secret_value() if settings.database_url is not None else None,
    )
    try:
        history, verdicts = asyncio.run(asked)
    except (CannotAuditError, KafkaError) as error:
        typer.echo(f"vacancy audit: {error}", err=True)
        raise typer.Exit(2) from None
    seconds = time.monotonic() - began
    if as_json_:
        typer.echo(json.dumps(as_json(verdicts, history.records, seconds)))
    else:
        show(Console(), verdicts, history.records, seconds)
    raise typer.Exit(0 if clean(verdicts) else 1)


async def audit(
    data: Path,
    *,
    broker: str | None = None,
    journal_file: Path | None = None,
    prefix: str = "",
    namespace: str = "",
    layout: str = "catalogue",
    profile: str = "safe",
    mail_here: bool = True,
    database: str | None = None,
) -> tuple[History, list[Verdict]]:
    """What the log and the ledger of an instance hold, and the verdicts on it. Raises CannotAuditError.

    `layout` counts where the instance's directory does not name its own; `mail_here` says that mail goes to the
    directory's inbox, not to a server.
    """
    acknowledged = set(journal(journal_file)) if journal_file else set()
    history = await read_history(
        data, broker=broker, prefix=prefix, namespace=namespace, layout=layout, database=database
    )
    history.acknowledged = acknowledged
    if not mail_here:
        history.mail = None
    history.weak = profile == "document" and history.dialect.weak
    return history, judge(history)


async def read_history(
    data: Path,
    *,
    broker: str | None = None,
    prefix: str = "",
    namespace: str = "",
    layout: str = "catalogue",
    database: str | None = None,
) -> History:
    """What the log, the ledger and the mailbox of an instance hold. Raises CannotAuditError."""
    history = History()
    async with target_of(data, broker) as target:
        history.started = target.started
        history.dialect = dialect_of(target.layout or layout)
        history.spelling = Spelling(namespace, prefix)
        with _progress() as bar:
            task = bar.add_task("reading", total=None)
            await read_log(
                target.bootstrap,
                history,
                progress=lambda done, of: bar.update(task, completed=done, total=max(of, 1)),
            )
        history.ledger = await read_ledger(data)
        history.mail, history.mail_again = read_mail(data), read_again(data)
        history.texts = read_texts(data)
        history.tables = await read_tables(data, database)
    return history


def dialect_of(layout: str) -> Dialect:
    """How a layout is read. Raises CannotAuditError for one that is not known."""
    if layout not in DIALECTS:
        raise CannotAuditError(f"the instance has layout {layout!r}; known are {', '.join(sorted(DIALECTS))}")
    return DIALECTS[layout]


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
