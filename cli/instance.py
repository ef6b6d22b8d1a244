"""Where a running instance is: DIR/vacancy.json, written by `vacancy up`, read by every command that speaks to it.

Beside it DIR/instance.json says which layout and cluster the directory belongs to, and DIR/up.lock that `up` runs.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adapters import files
from cli.problem import Misuse, Problem
from config.directories import private
from config.settings import Settings

FILE_NAME = "vacancy.json"
#: What a directory remembers of the instance it is of.
_BELONGS = ("layout", "namespace", "profile")
_MARKER = "instance.json"
_LOCK = "up.lock"


@dataclass(frozen=True)
class Instance:
    """What an outside program needs to speak to an instance, and the processes it is made of."""

    url: str
    api_key: str = field(repr=False)
    bootstrap_servers: str
    layout: str
    pids: Mapping[str, int] = field(default_factory=dict)

    def write(self, data: Path) -> None:
        """Replaces DIR/vacancy.json as a whole; only its owner may read it."""
        write_whole(data / FILE_NAME, asdict(self))


def find(data: Path, url: str | None = None) -> Instance:
    """The instance of DIR, running or not; with `url` the one that answers there, its key from VACANCY_API_KEY."""
    if url is not None:
        if not url.startswith(("http://", "https://")):
            raise Misuse(f"--url {url}: should begin with http:// or https://")
        key = os.environ.get("VACANCY_API_KEY")
        if not key:
            raise Misuse("--url needs the instance's key in VACANCY_API_KEY")
        return Instance(url.rstrip("/"), key, os.environ.get("VACANCY_BROKER", "").removeprefix("kafka://"), "")
    try:
        return Instance(**json.loads((data / FILE_NAME).read_text("utf-8")))
    except FileNotFoundError:
        raise Misuse(
            f"no instance in {data}: start one with `vacancy up --data {data}`, or name one with --url"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise Problem(f"{data / FILE_NAME}: cannot be read ({error}); `vacancy up` writes it anew") from None


def belonging(settings: Settings) -> Settings:
    """The settings with what the directory says it belongs to, where they leave it open."""
    said = _marker(settings.data)
    return settings.model_copy(
        update={name: said[name] for name in _BELONGS if name in said and name not in settings.model_fields_set}
    )


def joined(settings: Settings) -> Settings:
    """Settings for a part that is started by hand: layout, broker and provider are the instance's where left open."""
    settings, found = belonging(settings), {}
    if settings.broker is None:
        # A broker that was started by itself says where it is in a file of its own.
        alone = ",".join(said["url"].removeprefix("kafka://") for said in brokers(settings.data).values())
        found["broker"] = f"kafka://{alone or find(settings.data).bootstrap_servers}"
    if settings.provider_url is None and (provider := part(settings.data, "provider")):
        found["provider_url"] = provider["url"]
    return settings.model_copy(update=found)


def bootstrap_of(data: Path, broker: str | None = None) -> str:
    """The brokers as clients want them: of a given kafka://HOST:PORT, else of the instance in DIR."""
    return broker.removeprefix("kafka://") if broker else find(data).bootstrap_servers


def part(data: Path, name: str) -> dict[str, Any] | None:
    """What a part said of itself when it began to listen ({pid, url}); None when it has not."""
    try:
        said = json.loads(run_file(data, name).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def brokers(data: Path) -> dict[str, dict[str, Any]]:
    """What the embedded brokers said of themselves, by name: `broker` alone, or `broker-1` and those after it."""
    names = sorted(file.stem for file in (data / "run").glob("broker*.json"))
    return {name: said for name in names if (said := part(data, name)) is not None}


def run_file(data: Path, name: str) -> Path:
    return data / "run" / f"{name}.json"


def claim_layout(data: Path, layout: str, namespace: str = "") -> None:
    """Raises Misuse when the directory belongs to another layout or namespace."""
    said = _marker(data)
    if said and "namespace" not in said:
        raise Misuse(
            f"{data} is of version 0.1, which did not sign its events, so that they look like another program's now: "
            "use another --data DIR (CHANGELOG.md)"
        )
    belongs, within = said.get("layout", layout), said.get("namespace", namespace)
    if belongs != layout:
        raise Misuse(f"{data} belongs to layout {belongs}, not {layout}: use --layout {belongs} or another --data DIR")
    if within != namespace:
        raise Misuse(
            f"{data} belongs to namespace {within!r}, not {namespace!r}: set VACANCY_NAMESPACE={within} or use another "
            "--data DIR"
        )


def claim_cluster(settings: Settings, cluster_id: str) -> None:
    """Makes the directory belong to this layout, namespace and cluster; Misuse when it belongs to another cluster."""
    data = settings.data
    belongs = _marker(data).get("cluster_id", cluster_id)
    if belongs != cluster_id:
        raise Misuse(
            f"{data} belongs to Kafka cluster {belongs}, not {cluster_id}: use that broker or another --data DIR"
        )
    belongs_to = {name: getattr(settings, name) for name in _BELONGS} | {"cluster_id": cluster_id}
    write_whole(data / _MARKER, belongs_to | {"version": version("vacancy")})


def version_of(data: Path) -> str | None:
    """The version of the program that ran here last, if it said so."""
    return _marker(data).get("version")


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Holds the directory for one `up`; Misuse while another has it. The lock goes with the process."""
    try:
        lock = (private(data) / _LOCK).open("ab+", buffering=0)
    except OSError as error:
        raise Misuse(f"{data}: cannot be written: {error.strerror}") from None
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Misuse(f"`vacancy up` already runs on {data} (pid {file.read().decode().strip() or '?'})") from None
        # The pid is for people; on a full disk the lock holds without it.
        with suppress(OSError):
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        yield


def runs(data: Path) -> bool:
    """Whether an `up` holds the directory now."""
    try:
        with alone(data):
            return False
    except Misuse:
        return True


def write_whole(path: Path, content: Mapping[str, Any]) -> None:
    """Replaces a JSON file at once, mode 0600: a reader sees the old one or the new one. Raises OSError."""
    files.write_whole(path, f"{json.dumps(content, indent=2)}\n".encode())


def _marker(data: Path) -> dict[str, Any]:
    try:
        found = json.loads((data / _MARKER).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Problem(f"{data / _MARKER}: cannot be read ({error}); restore it from a backup") from None
    return found if isinstance(found, dict) else {}
