"""Where settings come from, in layers, and where each came from.

Defaults, then files (DIR/application.properties in Spring's names, DIR/vacancy.toml or --config FILE), then `VACANCY_*`
in the environment, then the command line.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr, ValidationError

from config import spring
from config.settings import PREFIX, Settings, SettingsError, plain_text

FILE_NAME = "vacancy.toml"

Origin = Literal["default", "file", "environment", "command line"]


@dataclass(frozen=True)
class Effective:
    """Settings and, for each field, the layer its value came from."""

    settings: Settings
    origins: Mapping[str, Origin]
    #: What a file of another program's says and this one does not use.
    notes: tuple[str, ...] = ()


def load(command_line: Mapping[str, object] | None = None, file: Path | None = None) -> Effective:
    """All layers together. A `None` on the command line was not given. Raises SettingsError, one line."""
    given = {name: value for name, value in (command_line or {}).items() if value is not None}
    variables = {name.upper() for name, value in os.environ.items() if value}
    from_environment = {name for name in Settings.model_fields if PREFIX + name.upper() in variables}
    from_file, notes = _read(file, _data_directory(given))
    under = {name: value for name, value in from_file.items() if name not in from_environment}
    try:
        settings = Settings(**{**under, **given})
    except ValidationError as error:
        raise SettingsError(_one_line(error)) from None
    layers: tuple[tuple[Origin, object], ...] = (
        ("command line", given),
        ("environment", from_environment),
        ("file", from_file),
    )
    return Effective(settings, {name: _origin(name, layers) for name in Settings.model_fields}, tuple(notes))


def masked(settings: Settings) -> dict[str, str | int | float | None]:
    """Each field's value as it may be shown: a secret as stars."""
    return {name: _shown(getattr(settings, name)) for name in type(settings).model_fields}


def _data_directory(given: Mapping[str, object]) -> Path:
    return Path(str(given.get("data") or os.environ.get(PREFIX + "DATA") or Settings.model_fields["data"].default))


def _read(file: Path | None, data: Path) -> tuple[dict[str, Any], list[str]]:
    """The files' layer: Spring's properties first, then our own file over them, then Spring's variables."""
    environment = os.environ.get(PREFIX + "ENVIRONMENT") or str(Settings.model_fields["environment"].default)
    try:
        if file is not None and file.suffix == ".properties":
            found, own = spring.translate(spring.parse(file.read_text("utf-8"))), {}
        else:
            found, own = spring.read(data, environment), _read_own(file, data)
        variables = spring.from_environment(os.environ)
    except spring.SpringError as error:
        raise SettingsError(str(error)) from None
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error}") from None
    return {**found.values, **own, **variables.values}, found.notes


def _read_own(file: Path | None, data: Path) -> dict[str, Any]:
    path = file or data / FILE_NAME
    if file is None and not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None
    if file is None and "data" in values:
        raise SettingsError(f"data: cannot be set in {path}, which is found by it; use --data or VACANCY_DATA")
    named = {name: value for name, value in values.items() if "." in name}
    translated = spring.translate({name: str(value) for name, value in named.items()})
    return {**translated.values, **{name: value for name, value in values.items() if name not in named}}


def _origin(name: str, layers: tuple[tuple[Origin, Any], ...]) -> Origin:
    return next((origin for origin, names in layers if name in names), "default")


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "settings"
    if first["type"] == "extra_forbidden":
        return f"{field}: there is no such setting (`vacancy config` lists them)"
    return f"{field}: {first['msg'].removeprefix('Value error, ')}"


def _shown(value: object) -> str | int | float | None:
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, dict):
        return plain_text(value)
    return value if isinstance(value, int | float) or value is None else str(value)
