"""`vacancy config`: the effective settings and the layer each one came from, secrets masked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.options import AsJson, SettingsFile, Several, given
from config.layers import Effective, load, masked


def config(
    layout: Annotated[str | None, typer.Option(help="As for `vacancy up`.")] = None,
    data: Annotated[Path | None, typer.Option(help="As for `vacancy up`.")] = None,
    port: Annotated[int | None, typer.Option(help="As for `vacancy up`.")] = None,
    workers: Annotated[int | None, typer.Option(help="As for `vacancy up`.")] = None,
    broker: Annotated[str | None, typer.Option(help="As for `vacancy up`.")] = None,
    config: SettingsFile = None,
    settings: Several = None,
    as_json: AsJson = False,
) -> None:
    """Prints every setting, its value, and where the value came from.

    Example: VACANCY_PORT=9000 vacancy config --set workers=2
    """
    command_line = given(settings, layout=layout, data=data, port=port, workers=workers, broker=broker)
    effective = load(command_line, config)
    if as_json:
        print(json.dumps(_both(effective), indent=2))
        return
    for name, one in _both(effective).items():
        value = "" if one["value"] is None else one["value"]
        print(f"{name:<26} {value!s:<28} {one['origin']}")
    for note in effective.notes:
        print(f"note: {note}")


def _both(effective: Effective) -> dict[str, dict[str, str | int | float | None]]:
    values = masked(effective.settings)
    return {name: {"value": values[name], "origin": effective.origins[name]} for name in values}
