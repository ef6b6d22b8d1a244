"""The shape of `config/layouts/*.toml`: what a layout may say, checked as a whole before anything uses it."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from config.settings import Settings, SettingsError, TopicSettings, layouts
from streams.events.about import ConfirmOn
from streams.keys import KEYS, PARTITIONERS
from streams.services import SERVICES, STATELESS
from streams.topics import DAY_MS

_RETENTION = re.compile(r"^(\d+)(d|h|ms)$")
_UNITS = {"d": DAY_MS, "h": DAY_MS // 24, "ms": 1}


class LayoutError(SettingsError):
    """A layout that cannot work; the text names the file's field and what to change."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TopicSpec(_Part):
    partitions: int = Field(ge=1)
    retention: str
    key: str
    partitioner: str = "murmur2"
    #: The document's name of each type on this topic, and ours; by default one type, of the topic's own name.
    carries: dict[str, str] = Field(default_factory=dict)
    #: The services that the document's table of topics lists as its consumers, where it has such a table (C15).
    consumers: tuple[str, ...] = ()
    #: Copies on the broker, where this topic is to have another number than all.
    replication: int | None = Field(default=None, ge=1)

    @field_validator("retention")
    @classmethod
    def _is_days(cls, value: str) -> str:
        if not _RETENTION.match(value):
            raise ValueError(f"{value!r} is not a time like '7d', '12h' or '60000ms'")
        return value

    @field_validator("key")
    @classmethod
    def _key_is_known(cls, value: str) -> str:
        if value not in KEYS:
            raise ValueError(f"{value!r} is none of {', '.join(sorted(KEYS))}")
        return value

    @field_validator("partitioner")
    @classmethod
    def _partitioner_is_known(cls, value: str) -> str:
        if value not in PARTITIONERS:
            raise ValueError(f"{value!r} is none of {', '.join(PARTITIONERS)}")
        return value

    @property
    def retention_ms(self) -> int:
        found = _RETENTION.match(self.retention)
        assert found is not None
        return int(found[1]) * _UNITS[found[2]]


class GroupSpec(_Part):
    service: str
    #: Topics of this file that the document's list of groups gives it.
    subscribes: tuple[str, ...] = ()


class RetrySpec(_Part):
    delays_ms: tuple[int, ...]
    dead_letter_after: int = Field(ge=1)


class Defaults(_Part):
    replication: dict[str, int]
    retry: RetrySpec


class Inboxes(_Part):
    partitions: int = Field(ge=1)


class Profile(_Part):
    """How a document wants its producers and consumers set, where that promises less than ours."""

    acks: int | str
    compression: str | None = None
    batch_bytes: int = 16384
    linger_ms: int = 0
    max_poll_records: int = 500
    session_timeout: float = 30.0


class LayoutFile(_Part):
    document: str
    title: str
    #: The module of `streams.wire` that writes and reads the document's messages.
    codec: str
    #: What a booking waits for beside inventory, by its kind.
    confirm_on: dict[str, ConfirmOn]
    #: Canonical type -> template of the notice, by channel.
    notices: dict[str, dict[str, str]] = Field(default_factory=dict)
    #: The ports of services that run by themselves.
    ports: dict[str, int] = Field(default_factory=dict)
    inboxes: Inboxes
    defaults: Defaults
    profile: Profile | None = None
    groups: dict[str, GroupSpec]
    topics: dict[str, TopicSpec]


def adjusted(name: str, file: LayoutFile, settings: Settings) -> LayoutFile:
    """The file with what the settings say otherwise of its topics. Raises LayoutError."""
    unknown = [topic for topic in settings.topics if topic not in file.topics]
    if unknown:
        raise LayoutError(f"topics.{unknown[0]}: the layout {name} has no such topic; it has: {', '.join(file.topics)}")
    changed = {topic: _adjusted(spec, settings, settings.topics.get(topic)) for topic, spec in file.topics.items()}
    return file.model_copy(update={"topics": changed})


def _adjusted(spec: TopicSpec, settings: Settings, wanted: TopicSettings | None) -> TopicSpec:
    update: dict[str, object] = {} if settings.partitioner is None else {"partitioner": settings.partitioner}
    if wanted is not None:
        retention = f"{wanted.retention_days}d" if wanted.retention_days is not None else None
        if wanted.retention_ms is not None:
            retention = f"{wanted.retention_ms}ms"
        chosen = {
            "partitions": wanted.partitions,
            "replication": wanted.replication_factor,
            "retention": retention,
        }
        update |= {name: value for name, value in chosen.items() if value is not None}
    return spec.model_copy(update=update)


@cache
def read_layout(name: str) -> LayoutFile:
    """The file of the layout of this name.

    Raises:
        LayoutError: there is none, or it does not hold.
    """
    if name not in layouts():
        raise LayoutError(f"no layout {name!r}; there are: {', '.join(layouts())}")
    text = resources.files("config.layouts").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return parse_layout(name, text)


def parse_layout(name: str, text: str) -> LayoutFile:
    """A layout's text, checked. Raises LayoutError as `read_layout`."""
    try:
        return LayoutFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise LayoutError(f"{name}: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise LayoutError(f"{name}: {field}: {first['msg'].removeprefix('Value error, ')}") from None


@cache
def _beginnings() -> frozenset[str]:
    """What the names of our own topics and of the documents' begin with."""
    own = {*SERVICES, *STATELESS, "events", "rates", "workers", "keys", "instance", "numbers"}
    return frozenset(own | {topic.partition(".")[0] for each in layouts() for topic in read_layout(each).topics})


def check_namespace(namespace: str) -> None:
    """Raises LayoutError for one that begins other names: two instances' topics would look like one's."""
    if namespace and namespace in _beginnings():
        raise LayoutError(f"namespace: {namespace!r} begins names of our own: choose another one")
