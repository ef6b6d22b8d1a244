"""The settings of an instance: one frozen object (`config.layers` reads it). What a document fixes is a layout."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "VACANCY_"

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
    #: The heap of each embedded broker, in MiB; by default 512, and 320 of each of several.
    broker_memory: int | None = Field(default=None, ge=256, le=65536)
    #: Embedded brokers: with three of them one may end while the others go on. A directory keeps the number it has.
    broker_nodes: int = Field(default=1, ge=1, le=5)
    #: `vacancy up` refuses to start with less than this free on the disk of `data`, in MiB.
    min_free_mb: int = Field(default=1024, ge=0)
    #: With less than this free there, in MiB, workers end and start again only later, and requests are refused.
    stop_below_mb: int = Field(default=64, ge=0)
    #: Another version may start after an unclean stop although inboxes are not drained (`vacancy drain`).
    allow_undrained: bool = False
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
    #: A worker with work that makes no progress for so long ends itself (exit code 75).
    stalled_after: Seconds = 30.0
    #: How long a booking may stay PENDING, and how many minutes an offer to somebody on a waitlist stands.
    booking_deadline: Seconds = 600.0
    offer_minutes: int = Field(default=60, ge=1, le=24 * 60)
    #: The payment provider; unset means the sandbox that `vacancy up` starts.
    provider_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    provider_timeout: Seconds = 5.0
    #: Links in mails, messages and receipts begin with it; unset, the gateway's address on this machine.
    public_url: str | None = Field(default=None, pattern=r"^https?://\S+[^/\s]$")
    #: "smtp://[user:password@]host:port" or "smtps://..."; unset means the inbox that `vacancy up` starts.
    smtp_url: SecretStr | None = None
    mail_from: str = "Vacancy <no-reply@vacancy.invalid>"
    #: The provider of text messages, and its key; unset means the sandbox in the same inbox.
    sms_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    sms_key: SecretStr | None = None
    #: How long before it begins a guest is reminded of a stay or an appointment; 0 is never.
    reminder_hours: int = Field(default=24, ge=0, le=24 * 30)
    #: The SQL projections: "postgresql://...", "sqlite:///FILE" or "none"; unset means DIR/projections.sqlite.
    database_url: SecretStr | None = None
    #: Where receipts are kept: "s3://bucket[/prefix]", with its endpoint where that is not Amazon's; unset means
    #: DIR/receipts. Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    receipts_store: str | None = Field(default=None, pattern=r"^s3://[^/\s]+(/\S+)?$")
    receipts_endpoint: str | None = Field(default=None, pattern=r"^https?://\S+$")
    #: "redis://host:port/db" for answers that several gateways share; unset, each remembers its own.
    redis_url: SecretStr | None = None
    #: Whether webhooks may go to addresses of private networks and of this machine.
    webhooks_allow_private: bool = False
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

    @field_validator("broker_nodes")
    @classmethod
    def _a_majority_may_be_left(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("should be odd: of an even number no more may be away than of one less")
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
        values = {name: plain_text(getattr(self, name)) for name in type(self).model_fields}
        return {PREFIX + name.upper(): value for name, value in values.items() if value is not None}


def plain_text(value: object) -> str | None:
    """A setting as a variable of the environment has it, a secret in clear."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return json.dumps({name: each.model_dump(exclude_none=True) for name, each in value.items()}) if value else None
    return None if value is None else str(value)
