"""How much of the disk an instance has left: asked before it starts, by `vacancy doctor`, and all the time it runs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from streams.ending import STORAGE

_MIB = 1024 * 1024
_MAY_LIE_ELSEWHERE = ("state", "broker")


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


def full(settings: Settings, times: int = 1) -> str:
    """Why nothing may run there now: less than `stop_below_mb` is left, so many times. Empty when enough is.

    What lies below may be a disk of its own: the log's, or that of the workers' rows.
    """
    places = [settings.data, *(settings.data / name for name in _MAY_LIE_ELSEWHERE)]
    free, place = min((shutil.disk_usage(_existing(place)).free, place) for place in places)
    if free >= times * settings.stop_below_mb * _MIB:
        return ""
    return f"only {in_mib(free)} left in {place}: free some of its disk (stop_below_mb is {settings.stop_below_mb})"


def check_room(settings: Settings) -> None:
    """Raises DiskFull when nothing may run there."""
    if hindrance := full(settings):
        raise DiskFull(hindrance)


def in_mib(size: int) -> str:
    return f"{size // _MIB} MiB"


def _existing(path: Path) -> Path:
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
