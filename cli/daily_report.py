"""`vacancy report`: the daily report of a property, from the running instance into a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlencode

import typer

from cli import instance
from cli.client import GatewayClient, Refused, Unreachable, open_session
from cli.instance import Instance
from cli.options import GatewayUrl, RunningDirectory
from cli.problem import Misuse, Problem


def command(
    property_id: Annotated[str, typer.Option("--property", help="The property.")],
    day: Annotated[str | None, typer.Option("--date", help="The day; today by default.")] = None,
    format_: Annotated[Literal["json", "csv", "html"], typer.Option("--format", help="What it comes as.")] = "html",
    output: Annotated[Path | None, typer.Option(help="The file; standard output by default.")] = None,
    data: RunningDirectory = Path(".vacancy"),
    url: GatewayUrl = None,
) -> None:
    """Write a property's daily report: figures, pickup, nights to come, alerts.

    Example: vacancy report --property PROP-001 --format html --output report.html
    """
    query = {"property_id": property_id, "format": format_, **({"date": day} if day is not None else {})}
    report = asyncio.run(_fetch(instance.find(data, url), f"/api/analytics/report?{urlencode(query)}"))
    if output is None:
        typer.echo(report.decode(), nl=False)
        return
    try:
        output.write_bytes(report)
    except OSError as error:
        raise Misuse(f"--output {output}: {error.strerror}") from None


async def _fetch(target: Instance, path: str) -> bytes:
    async with open_session() as session:
        try:
            return await GatewayClient(session, target.url, target.api_key, patience=15).look(path)
        except (Refused, Unreachable) as error:
            raise Problem(str(error)) from None
