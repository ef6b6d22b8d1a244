"""Files that are there as a whole or not at all, for their owner's eyes only."""

from __future__ import annotations

import os
from pathlib import Path

from config.directories import private


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a file at once, mode 0600: a reader sees the old one or the new one. Raises OSError.

    Short, and nothing waits for the disk: it may be called on the loop, where it costs less than handing it to a
    thread that has to wait for the interpreter at each of its steps.
    """
    folder, name = os.path.split(path)
    fresh = os.path.join(folder, f".{name}.{os.urandom(8).hex()}")
    file = _created(fresh, path.parent)
    try:
        with os.fdopen(file, "wb", buffering=0) as stream:
            left = memoryview(content)
            while left:
                left = left[stream.write(left) or 0 :]
        os.replace(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise


def _created(name: str, folder: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(name, flags, 0o600)
    except FileNotFoundError:
        private(folder)
        return os.open(name, flags, 0o600)
