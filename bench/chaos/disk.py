"""A small disk for the workers' rows, to be filled; and what else a machine may do to a worker."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.chaos.servers import NotHere

#: Room for the rows of half an hour, as long as the machine has four times as much memory to spare.
_MOST_MIB, _OF_MEMORY = 2048, 4
_MIB = 1024 * 1024
_CHUNK = 16 * _MIB


@dataclass(frozen=True)
class Disk:
    """A tmpfs mounted at a directory; what fills it is one file."""

    directory: Path

    @classmethod
    def mount(cls, directory: Path) -> Disk:
        """Raises NotHere where it may not be mounted."""
        program = shutil.which("mount")
        if os.geteuid() != 0 or program is None:
            raise NotHere("only root mounts a disk of its own to fill")
        directory.mkdir(parents=True, exist_ok=True)
        size = min(_MOST_MIB, psutil.virtual_memory().available // _OF_MEMORY // _MIB)
        options = f"size={size}m,mode=0700"
        done = subprocess.run([program, "-t", "tmpfs", "-o", options, "tmpfs", directory], capture_output=True)
        if done.returncode:
            raise NotHere(f"no tmpfs may be mounted here: {done.stderr.decode('utf-8', 'replace').strip()}")
        return cls(directory)

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.directory)], capture_output=True, check=False)

    def fill(self) -> None:
        """Until nothing more fits."""
        try:
            with self._ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(b"\0" * _CHUNK)
        except OSError:
            return

    def empty(self) -> None:
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.directory / "ballast"
