"""Files that are there as a whole or not at all, for their owner's eyes only."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from config.directories import private


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a file at once, mode 0600: a reader sees the old one or the new one. Raises OSError."""
    if not path.parent.is_dir():
        private(path.parent)
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
