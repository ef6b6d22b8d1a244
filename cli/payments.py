"""`vacancy payments reconcile`: our payments beside the provider's ledger."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import orjson
import typer
from aiokafka.errors import KafkaError

from cli import instance
from cli.audit.broker import CannotAuditError
from cli.audit.entry import read_history
from cli.audit.reconciling import Reconciliation, reconcile
from cli.options import AsJson, DataDirectory, SettingsFile, given
from cli.problem import Problem
from config.layers import load
from config.settings import Settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help="Payments and the provider's ledger.")


@app.callback()
def _payments() -> None:
    """A group, of however many commands."""


@app.command("reconcile")
def command(data: DataDirectory = None, config: SettingsFile = None, as_json: AsJson = False) -> None:
    """Compare our payments with the provider's ledger; exit 1 where one differs.

    Example: vacancy payments reconcile --json
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it cannot do, it raises
    settings = instance.belonging(load(given(None, data=data), config).settings)
    try:
        found = asyncio.run(_reconcile(settings))
    except (CannotAuditError, KafkaError) as error:
        raise Problem(str(error)) from None
    print(orjson.dumps(as_dict(found)).decode() if as_json else as_text(found))
    raise typer.Exit(1 if found.differences else 0)


async def _reconcile(settings: Settings) -> Reconciliation:
    history = await read_history(
        settings.data, broker=settings.broker, namespace=settings.namespace, layout=settings.layout
    )
    if history.ledger is None:
        raise Problem(f"there is no ledger to read in {settings.data / Path('provider')}: only the sandbox's can be")
    return reconcile(history, history.ledger)


def as_dict(found: Reconciliation) -> dict[str, object]:
    differences = [difference._asdict() for difference in found.differences]
    return {"compared": found.compared, "under_way": found.under_way, "differences": differences}


def as_text(found: Reconciliation) -> str:
    lines = [f"{each.payment_id}: {each.kind}: here {each.here}; there {each.there}" for each in found.differences]
    total = f"{found.compared} payments compared, {len(lines)} differ, {found.under_way} under way"
    return "\n".join([*lines, total])
