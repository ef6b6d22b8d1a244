"""Kafka's own program files: resolved from Maven Central in pure Python, kept in the user's cache.

`find` is cheap and never touches the network; `fetch` downloads what is missing, with a progress bar on a terminal.
An interrupted download leaves nothing half-written behind: what was under way is noted and removed the next time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

KAFKA = "4.1.2"
LOG4J = "2.25.3"

# The `!` keeps the logging bridge's own dependency management out: it would put kafka-clients 3.8 beside Kafka 4.1.
COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA}+org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J}!"

_EXPECTED_FILES = 46
_EXPECTED_BYTES = 46_000_000

#: What jgo calls for each file with its name and size; the function inside is told of every chunk's bytes.
_Callback = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


class KafkaMissing(RuntimeError):
    """Kafka's files are not there and could not be fetched; one line that says what to do."""


def find() -> list[Path] | None:
    """All jars of a complete earlier download, None when there is none or a file has gone or changed its size."""
    try:
        noted: dict[str, int] = json.loads(_record().read_text("utf-8"))
        complete = bool(noted) and all(Path(name).stat().st_size == size for name, size in noted.items())
    except (OSError, ValueError):
        return None
    return [Path(name) for name in noted] if complete else None


def fetch() -> list[Path]:
    """All jars, downloading what is missing (about 46 MB the first time). Blocks; raises KafkaMissing."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Whoever had the lock before may have done it all.
        return find() or _resolve()


def unreachable(patience: float) -> str | None:
    """Why nothing could be fetched now, as one line; None when it could. Waits so many seconds at most."""
    import requests
    from jgo.constants import MAVEN_CENTRAL_URL

    try:
        requests.head(f"{MAVEN_CENTRAL_URL}/org/apache/kafka/", timeout=patience)
    except requests.RequestException as error:
        return _advice(error)
    return None


def class_path(jars: list[Path]) -> str:
    return os.pathsep.join(str(jar) for jar in jars)


def _resolve() -> list[Path]:
    # Imported late: it brings a hundred milliseconds of imports that no later start needs.
    import jgo

    _remove_unfinished()
    try:
        with _shown() as callback:
            # Always a rebuild: jgo takes an environment for complete as soon as it has one jar.
            built = jgo.build(COORDINATES, update=True, resolver=_resolver(callback))
    except Exception as error:  # whatever jgo, requests or the disk came up with: the user can do the same about it
        raise KafkaMissing(_advice(error)) from error
    jars = sorted([*Path(built.jars_dir).glob("*.jar"), *Path(built.modules_dir).glob("*.jar")])
    if len(jars) < _EXPECTED_FILES:
        raise KafkaMissing(f"Kafka {KAFKA}: {len(jars)} files came instead of {_EXPECTED_FILES}; start it again")
    fresh = _record().with_suffix(".new")
    fresh.write_text(json.dumps({str(jar): jar.stat().st_size for jar in jars}), "utf-8")
    fresh.replace(_record())
    return jars


def _resolver(callback: _Callback) -> Any:
    from jgo.maven import PythonResolver

    class Resolver(PythonResolver):
        """Notes which file is being written, for a process that is killed cannot tidy up."""

        def download(self, artifact: Any) -> Path | None:
            _unfinished().write_text(str(artifact.cached_path), "utf-8")
            try:
                path: Path | None = super().download(artifact)
            except BaseException:
                _remove_unfinished()
                raise
            _unfinished().unlink()
            return path

    return Resolver(progress_callback=callback)


@contextlib.contextmanager
def _shown() -> Iterator[_Callback]:
    """A progress bar over all files, on stderr; on anything but a terminal one plain line instead."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("fetching"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    print(f"Kafka {KAFKA} is fetched once for all instances (about {_EXPECTED_BYTES // 10**6} MB)", file=sys.stderr)
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("", total=_EXPECTED_BYTES)
        yield lambda name, size: contextlib.nullcontext(lambda count: bar.advance(task, count))


def _advice(error: Exception) -> str:
    import requests

    said = " ".join(str(error).split())[:200]
    if isinstance(error, requests.RequestException):
        cause = f"Maven Central cannot be reached ({type(error).__name__})"
    elif isinstance(error, OSError):
        cause = f"the files cannot be kept ({said})"
    else:
        cause = f"Maven Central did not give the files ({said})"
    return (
        f"Kafka {KAFKA}: {cause}; check the network (a proxy: HTTPS_PROXY) and start it again, "
        "or use a Kafka of yours with --broker kafka://HOST:PORT"
    )


def _remove_unfinished() -> None:
    with contextlib.suppress(FileNotFoundError):
        Path(_unfinished().read_text("utf-8")).unlink(missing_ok=True)
        _unfinished().unlink()


def _unfinished() -> Path:
    return cache() / "unfinished"


def _record() -> Path:
    return cache() / f"kafka-{KAFKA}-{LOG4J}.json"


def cache() -> Path:
    """Where the record of complete downloads is; the jars are where jgo keeps them."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vacancy"
