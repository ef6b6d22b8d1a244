"""Local rows that cannot be used are wiped once: they are a cache of the changelog, and come back from there.

Once, because a store that breaks again has another reason, such as the disk: then the process ends and says what to do.
A full disk and a lock that somebody else holds are no reason to wipe anything.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from streams.local import StoreBroken, StoreFailed

#: A service that was ready for so long, in seconds, after its rows were wiped is well again.
WELL_AFTER_S = 300.0
_MARKER = "wiped"


class Wiped(Exception):
    """The rows stored here are gone on purpose; the successor restores them."""


class Mender:
    """How one service's failures end its process. `directory` is the service's in the slot."""

    def __init__(self, directory: Path, fail: Callable[[BaseException], object]) -> None:
        self._directory = directory
        self._fail = fail

    def __call__(self, error: BaseException) -> None:
        self._fail(self._treated(error) if isinstance(error, StoreBroken) else error)

    def well(self) -> None:
        """The service has been ready for a while: should its rows break again, that is another time."""
        (self._directory / _MARKER).unlink(missing_ok=True)

    def _treated(self, error: StoreBroken) -> Exception:
        marker = self._directory / _MARKER
        if marker.exists():
            return StoreFailed(
                f"{error}; its rows were wiped for this before ({marker}): look at the disk of {self._directory}, stop "
                "the instance, remove that directory, start again"
            )
        try:
            marker.write_text(f"{type(error).__name__}: {error}\n", "utf-8")
            wipe(self._directory)
        except OSError as failed:
            return failed
        return Wiped(f"{type(error).__name__}: {error}; the rows in {self._directory} were wiped and will be restored")


def wipe(directory: Path) -> None:
    """Removes the rows a service keeps in its directory of the slot. Raises OSError."""
    rows, aside = directory / "rows", directory / "rows.wiped"
    shutil.rmtree(aside, ignore_errors=True)
    if rows.exists():
        rows.rename(aside)  # at once: half of a store must not be taken for one
        shutil.rmtree(aside, ignore_errors=True)
