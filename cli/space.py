"""How much of the disk an instance has left: asked before it starts, by `vacancy doctor`, and all the time it runs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from cli.brokers import names_of
from config.settings import Settings
from streams.ending import STORAGE

_MIB = 1024 * 1024
#: What may be a disk of its own: that of the workers' rows, and those of the brokers, which bear their names.
_ROWS = "state"


class DiskFull(Exception):
    """Too little is left of the disk to go on: what is written next may be written by half."""

    ends_with = STORAGE


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


def full(settings: Settings, part: str = "", times: int = 1) -> str:
    """Why nothing may run there now: less than `stop_below_mb` is left, so many times. Empty when enough is.

    Of a part, whatever it writes to is looked at; without one everything.
    """
    places = [place for name, place in _places(settings).items() if not part or _writes(part, name)]
    free, place = min((shutil.disk_usage(_existing(place)).free, place) for place in places)
    if free >= times * settings.stop_below_mb * _MIB:
        return ""
    return f"only {in_mib(free)} left in {place}: free some of its disk (stop_below_mb is {settings.stop_below_mb})"


def _places(settings: Settings) -> dict[str, Path]:
    return {name: settings.data / name for name in ("", _ROWS, *names_of(settings.broker_nodes))}


def _writes(part: str, place: str) -> bool:
    """Logs and notes are beside everything; of what lies below, a part writes to its own."""
    return place in ("", part) or (place == _ROWS and part.startswith(("worker", "projector")))


def check_room(settings: Settings, part: str = "worker") -> None:
    """Raises DiskFull when a part may not run there."""
    if hindrance := full(settings, part):
        raise DiskFull(hindrance)


def in_mib(size: int) -> str:
    return f"{size // _MIB} MiB"


def _existing(path: Path) -> Path:
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
