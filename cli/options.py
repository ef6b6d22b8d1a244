"""Options that several commands share, and what was given on the command line as settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.problem import Misuse

DataDirectory = Annotated[Path | None, typer.Option("--data", help="Directory of the instance (.vacancy by default).")]
SettingsFile = Annotated[Path | None, typer.Option("--config", help="Settings file; DIR/vacancy.toml by default.")]
Several = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other setting (`vacancy config` lists them); repeatable."),
]
RunningDirectory = Annotated[
    Path, typer.Option("--data", envvar="VACANCY_DATA", help="The running instance's directory.")
]
GatewayUrl = Annotated[
    str | None, typer.Option("--url", help="The gateway's address instead; the key then comes from VACANCY_API_KEY.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]

# Any user of the machine can read another's command lines.
_NEVER = {"secret", "api_key"}


def given(several: list[str] | None, **named: object) -> dict[str, object]:
    """The settings a command line names, by field; raises Misuse for what is not NAME=VALUE, or a secret."""
    settings = {name: value for name, value in named.items() if value is not None}
    for text in several or ():
        name, separator, value = text.partition("=")
        if not separator:
            raise Misuse(f"--set {text}: should be NAME=VALUE")
        if name in _NEVER:
            raise Misuse(f"--set {name}: not on a command line, which others can read; use VACANCY_{name.upper()}")
        settings[name] = value
    return settings
