"""Directories for one user's eyes: an instance keeps a log with guests' data, and keys."""

from __future__ import annotations

from pathlib import Path


def private(path: Path) -> Path:
    """The directory, made with mode 0700 where it is missing, and so its parents; one that exists stays as it is."""
    if path.is_dir():
        return path
    for missing in reversed([place for place in (path, *path.parents) if not place.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    return path
