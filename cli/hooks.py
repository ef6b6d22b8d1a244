"""`vacancy webhooks`: where a running instance sends its news, and what became of it, through the public API."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.console import Console
from rich.table import Table

from cli import instance
from cli.client import GatewayClient, Refused, Unreachable, open_session
from cli.instance import Instance
from cli.loop import run
from cli.options import AsJson, GatewayUrl, RunningDirectory
from cli.problem import Problem

app = typer.Typer(help="Where news is sent, and what became of it.", no_args_is_help=True)
_PATH = "/api/webhooks"
EndpointId = Annotated[str, typer.Argument(help="The endpoint's id, as `vacancy webhooks list` shows it.")]
#: Asks the gateway; the answer's JSON.
#: Columns of a table that is not shown on a terminal.
_WIDE = 200
Ask = Callable[[GatewayClient], Awaitable[bytes]]


@app.callback()
def webhooks() -> None:
    """Where news is sent, and what became of it."""


@app.command("list")
def list_endpoints(data: RunningDirectory = Path(".vacancy"), url: GatewayUrl = None, as_json: AsJson = False) -> None:
    """Show every endpoint and how it does.

    Example: vacancy webhooks list
    """
    found = _asked(instance.find(data, url), lambda client: client.look(_PATH))
    rows = [[each["id"], each["url"], ", ".join(each["types"]), _state(each)] for each in found["endpoints"]]
    _show(found, as_json, ("id", "url", "types", "status"), rows)


@app.command("add")
def add(
    target: Annotated[str, typer.Argument(metavar="URL", help="Where to send news.")],
    types: Annotated[list[str], typer.Option("--type", help='A type, a prefix like "payment.*", or "*".')],
    form: Annotated[str, typer.Option("--format", help="standard or cloudevents.")] = "standard",
    property_id: Annotated[str | None, typer.Option("--property", help="Only news of this property.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    data: RunningDirectory = Path(".vacancy"),
    url: GatewayUrl = None,
    as_json: AsJson = False,
) -> None:
    """Send news to a URL from now on; prints the secret that signs it, which is not shown again.

    Example: vacancy webhooks add https://example.com/hooks --type 'booking.*' --type payment.payment.failed
    """
    body = {"url": target, "types": types, "format": form, "property_id": property_id, "description": description}
    named = {name: value for name, value in body.items() if value is not None}
    key = str(uuid.uuid4())
    found = _asked(instance.find(data, url), lambda client: client.post(_PATH, named, key=key))
    _show(found, as_json, ("id", "secret"), [[found["id"], found["secret"]]])


@app.command("remove")
def remove(
    endpoint_id: EndpointId, data: RunningDirectory = Path(".vacancy"), url: GatewayUrl = None, as_json: AsJson = False
) -> None:
    """Send nothing there any more, and forget what was.

    Example: vacancy webhooks remove b1669e09-ea72-43f5-8d1e-a589776c52c1
    """
    path = f"{_PATH}/{quote(endpoint_id, safe='')}"
    found = _asked(instance.find(data, url), lambda client: client.delete(path))
    _show(found, as_json, ("id", "status"), [[found["id"], found["status"]]])


@app.command("deliveries")
def deliveries(
    endpoint_id: EndpointId,
    status: Annotated[str | None, typer.Option(help="PENDING, DELIVERED, FAILED or HELD.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 50,
    before: Annotated[str | None, typer.Option(help="Only older ones: the `next` of an earlier answer.")] = None,
    data: RunningDirectory = Path(".vacancy"),
    url: GatewayUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show what was sent to an endpoint, the newest first.

    Example: vacancy webhooks deliveries b1669e09-ea72-43f5-8d1e-a589776c52c1 --status FAILED
    """
    asked = {"limit": str(limit), "status": status, "before": before}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items() if value is not None)
    path = f"{_PATH}/{quote(endpoint_id, safe='')}/deliveries?{query}"
    found = _asked(instance.find(data, url), lambda client: client.look(path))
    rows = [
        [each["id"], each["type"], each["status"], str(each["attempts"]), _last(each), each["next_attempt_at"] or ""]
        for each in found["deliveries"]
    ]
    _show(found, as_json, ("id", "type", "status", "attempts", "last", "next attempt"), rows)


@app.command("redeliver")
def redeliver(
    endpoint_id: EndpointId,
    delivery_id: Annotated[str, typer.Argument(help="The delivery's id.")],
    data: RunningDirectory = Path(".vacancy"),
    url: GatewayUrl = None,
    as_json: AsJson = False,
) -> None:
    """Send one event again, whatever came of it.

    Example: vacancy webhooks redeliver ENDPOINT DELIVERY
    """
    path = f"{_PATH}/{quote(endpoint_id, safe='')}/deliveries/{quote(delivery_id, safe='')}/redeliver"
    key = str(uuid.uuid4())
    found = _asked(instance.find(data, url), lambda client: client.post(path, {}, key=key))
    _show(found, as_json, ("id", "status"), [[found["id"], found["status"]]])


def _asked(target: Instance, ask: Ask) -> Any:
    """The gateway's answer. Raises Problem with what it said."""
    return run(_answer(target, ask))


async def _answer(target: Instance, ask: Ask) -> Any:
    async with open_session() as session:
        try:
            return orjson.loads(await ask(GatewayClient(session, target.url, target.api_key, patience=10.0)))
        except Unreachable as error:
            raise Problem(f"nothing answers at {target.url}: is `vacancy up` running? ({error})") from None
        except Refused as refusal:
            raise Problem(str(refusal)) from None


def _state(endpoint: dict[str, Any]) -> str:
    if endpoint["reason"] is not None:
        return f"{endpoint['status']} ({endpoint['reason']})"
    return f"{endpoint['status']}, {endpoint['failures']} failed" if endpoint["failures"] else str(endpoint["status"])


def _last(delivery: dict[str, Any]) -> str:
    return str(delivery["last_status"] or delivery["last_error"] or "")


def _show(found: Any, as_json: bool, columns: tuple[str, ...], rows: list[list[str]]) -> None:
    if as_json:
        print(orjson.dumps(found).decode())
        return
    if len(rows) == 1:
        for name, value in zip(columns, rows[0], strict=True):
            print(f"{name}: {value}")
        return
    table = Table()
    for name in columns:
        table.add_column(name, no_wrap=name == "id")  # ids are copied from here
    for row in rows:
        table.add_row(*row)
    # Where nobody looks, as wide as it is.
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
