"""How much of the disk an instance has left, asked by `vacancy up` before it starts and by `vacancy doctor`."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Space:
    """The file system of the data directory, in bytes; `enough` by the setting `min_free_mb`."""

    data: Path
    free: int
    least: int

    @property
    def enough(self) -> bool:
        return self.free >= self.least

    @property
    def advice(self) -> str:
        """What to do; empty when there is enough."""
        return "" if self.enough else f"free some of the disk of {self.data}, or use --data on another"


def space_of(settings: Settings) -> Space:
    """What there is now, whether or not the directory exists yet."""
    free = shutil.disk_usage(_existing(settings.data)).free
    return Space(settings.data, free, settings.min_free_mb * _MIB)


def in_mib(size: int) -> str:
    return f"{size // _MIB} MB"


def _existing(path: Path) -> Path:
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
