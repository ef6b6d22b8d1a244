"""Systems that do not come with us: fetched at first use into the user's cache, left out where they cannot be.

Quix Streams gets a virtual environment of its own, so that it constrains none of our dependencies; Kafka Streams comes
from Maven Central like the embedded Kafka, and is compiled here.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.parts import CannotMeasure
from streams import java, kafka_files

_PEERS = Path(__file__).parent / "peers"
_JACKSON = "2.19.2"
_COORDINATES = (
    f"org.apache.kafka:kafka-streams:{kafka_files.KAFKA}+com.fasterxml.jackson.core:jackson-databind:{_JACKSON}"
)
_NEEDED = ("kafka-streams-", "kafka-clients-", "rocksdbjni-", "jackson-databind-", "jackson-core-")
_PATIENCE_S = 300


def quix() -> Sequence[str | Path]:
    """How Quix Streams is started. Raises CannotMeasure."""
    requirements = _PEERS / "requirements.txt"
    home = kafka_files.cache() / f"bench-quix-{_digest(requirements, sys.version)}"
    if not (home / "complete").is_file():
        shutil.rmtree(home, ignore_errors=True)
        _done("Quix Streams", sys.executable, "-m", "venv", home)
        _done("Quix Streams", home / "bin" / "python", "-m", "pip", "install", "--quiet", "--requirement", requirements)
        (home / "complete").touch()
    return [home / "bin" / "python", _PEERS / "quix.py"]


def kafka_streams() -> Sequence[str | Path]:
    """How Kafka Streams is started. Raises CannotMeasure."""
    try:
        found = java.find()
    except java.JavaMissing as error:
        raise CannotMeasure(f"Kafka Streams: {error}") from error
    compiler = found.path.resolve().with_name("javac")
    if not compiler.is_file():
        raise CannotMeasure(f"Kafka Streams: there is no javac beside {found.path}; a JDK of 17 or newer brings it")
    jars = _jars()
    source = _PEERS / "Pipeline.java"
    classes = kafka_files.cache() / f"bench-kafka-streams-{_digest(source, _COORDINATES)}"
    path = kafka_files.class_path(jars)
    if not (classes / "Pipeline.class").is_file():
        _done("Kafka Streams", compiler, "--release", str(java.OLDEST), "-cp", path, "-d", classes, source)
    return [found.path, "-Xmx512m", "-cp", f"{path}:{classes}", "Pipeline"]


def _jars() -> list[Path]:
    import jgo

    try:
        # Always a rebuild: jgo takes an environment for complete as soon as it has one jar.
        built = jgo.build(_COORDINATES, update=True)
    except Exception as error:  # whatever jgo, requests or the disk came up with
        raise CannotMeasure(f"Kafka Streams: Maven Central did not give its files ({_line(str(error))})") from error
    jars = sorted([*Path(built.jars_dir).glob("*.jar"), *Path(built.modules_dir).glob("*.jar")])
    missing = [name for name in _NEEDED if not any(jar.name.startswith(name) for jar in jars)]
    if missing:
        raise CannotMeasure(f"Kafka Streams: Maven Central gave no {missing[0]}*.jar")
    return jars


def _done(what: str, *command: str | Path) -> None:
    try:
        done = subprocess.run(
            [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotMeasure(f"{what}: {_line(str(error))}") from error
    if done.returncode != 0:
        raise CannotMeasure(f"{what} could not be set up: {_line(done.stdout.decode('utf-8', 'replace'))}")


def _line(text: str) -> str:
    """The end of what a program said, as one line."""
    return " ".join(text.split())[-300:]


def _digest(file: Path, beside: str) -> str:
    return hashlib.sha256(file.read_bytes() + beside.encode()).hexdigest()[:12]
