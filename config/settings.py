"""The settings of an instance: one frozen object, read in layers.

Defaults, then files (DIR/application.properties in Spring's names, DIR/vacancy.toml or --config FILE), then `VACANCY_*`
in the environment, then the command line. `load` also says where each came from. What a document fixes is a layout.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config import spring

PREFIX = "VACANCY_"
FILE_NAME = "vacancy.toml"

Origin = Literal["default", "file", "environment", "command line"]
LogLevel = Literal["debug", "info", "warning", "error"]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]

_BROKER = re.compile(r"kafka://[^\s:,/]+:\d{1,5}(,[^\s:,/]+:\d{1,5})*")


class SettingsError(ValueError):
    """A value that cannot be used; the text is one line that names the field."""


def layouts() -> tuple[str, ...]:
    """The names of the layouts that come with the program, sorted."""
    files = (Path(entry.name) for entry in resources.files("config.layouts").iterdir())
    return tuple(sorted(file.stem for file in files if file.suffix == ".toml"))


class TopicSettings(BaseModel):
    """What may be set of a documented topic; what is None stays as the layout has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partitions: int | None = Field(default=None, ge=1, le=10_000)
    replication_factor: int | None = Field(default=None, ge=1, le=100)
    retention_ms: int | None = Field(default=None, ge=1)
    retention_days: int | None = Field(default=None, ge=1)


class Settings(BaseSettings):
    """Everything one instance can be told. Times are in seconds, sizes in bytes unless a comment says otherwise."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    #: Everything the instance keeps: broker data, tables, keys, logs.
    data: Path = Path(".vacancy")
    layout: str = "catalogue"
    host: str = "127.0.0.1"
    #: The gateway's port; 0 takes any free one.
    port: int = Field(default=8080, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    #: "kafka://host:port[,host:port]"; unset means the embedded broker.
    broker: str | None = None
    #: The embedded broker's preferred port; a taken one falls back to a free one.
    broker_port: int = Field(default=9092, ge=1, le=65535)
    #: The embedded broker's heap, in MiB.
    broker_memory: int = Field(default=512, ge=256, le=65536)
    #: `vacancy up` refuses to start with less than this free on the disk of `data`, in MiB.
    min_free_mb: int = Field(default=1024, ge=0)
    #: Part of every topic's and group's name: for several instances on one cluster.
    namespace: str = Field(default="", pattern=r"^[a-z0-9]*(-[a-z0-9]+)*$", max_length=40)
    #: How the keys of documented topics find their partition where the document leaves a choice (hotel).
    partitioner: Literal["murmur2", "modulo-list", "last-digit"] | None = None
    #: "document" sets producers and consumers as the layout's document shows them, where that promises less.
    profile: Literal["safe", "document"] = "safe"
    #: Producers of documented topics; unset, as the profile says. Fewer acknowledgements promise less.
    producer_acks: Literal["all", "1", "0"] | None = None
    producer_compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] | None = None
    producer_batch_bytes: int | None = Field(default=None, ge=1, le=1024 * 1024)
    producer_linger_ms: int | None = Field(default=None, ge=0, le=10_000)
    consumer_max_poll_records: int | None = Field(default=None, ge=1, le=100_000)
    #: Documented topics otherwise than the layout has them: {name: {partitions, replication_factor, retention_ms}}.
    topics: dict[str, TopicSettings] = Field(default_factory=dict)
    #: The payment token of bookings that another program asks for without one; unset, those are rejected.
    foreign_payment_token: str | None = "tok_visa"
    environment: str = "local"
    log_level: LogLevel = "warning"
    session_timeout: Seconds = 6.0
    #: How long a booking may stay PENDING, and how many minutes an offer to somebody on a waitlist stands.
    booking_deadline: Seconds = 600.0
    offer_minutes: int = Field(default=60, ge=1, le=24 * 60)
    #: The payment provider; unset means the sandbox that `vacancy up` starts.
    provider_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    provider_timeout: Seconds = 5.0
    #: How long the gateway waits for a row's owner before it answers 503.
    read_patience: Seconds = 8.0
    max_quantity: int = Field(default=1000, ge=1)
    max_nights: int = Field(default=366, ge=1)
    body_limit: int = Field(default=65536, ge=1024)
    #: Unset, they are made once and kept in DIR/secret.json; the provider's secret follows from the first.
    secret: SecretStr | None = Field(default=None, min_length=32)
    api_key: SecretStr | None = Field(default=None, min_length=16)
    webhook_secret: SecretStr | None = Field(default=None, min_length=16)

    @field_validator("layout")
    @classmethod
    def _layout_is_known(cls, value: str) -> str:
        if value not in layouts():
            raise ValueError(f"there is no layout {value!r}; the layouts are: {', '.join(layouts())}")
        return value

    @field_validator("broker")
    @classmethod
    def _broker_is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not _BROKER.fullmatch(value):
            raise ValueError("should be kafka://HOST:PORT or kafka://HOST:PORT,HOST:PORT")
        return value

    @field_validator("topics", mode="before")
    @classmethod
    def _topics_as_json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('should be a JSON object like {"TOPIC": {"partitions": 3}}') from None

    @field_validator("log_level", mode="before")
    @classmethod
    def _level_in_any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def bootstrap(self) -> str:
        """The brokers as clients want them: "host:port,host:port". SettingsError while no broker is known."""
        if self.broker is None:
            raise SettingsError(
                "broker: not set and no instance runs here; start one with `vacancy up` or pass --broker"
            )
        return self.broker.removeprefix("kafka://")

    def environment_of(self) -> dict[str, str]:
        """The VACANCY_* variables that make a child process load these same values, secrets in clear."""
        values = {name: _plain(getattr(self, name)) for name in type(self).model_fields}
        return {PREFIX + name.upper(): value for name, value in values.items() if value is not None}


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


def _plain(value: object) -> str | None:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return json.dumps({name: each.model_dump(exclude_none=True) for name, each in value.items()}) if value else None
    return None if value is None else str(value)


def _shown(value: object) -> str | int | float | None:
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, dict):
        return _plain(value)
    return value if isinstance(value, int | float) or value is None else str(value)
