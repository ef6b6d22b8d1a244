"""A directory to measure in, and nobody left in it afterwards, however the measuring ends."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_GRACE_S = 10.0


@contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """An empty directory; when the block ends it is deleted, and what was started in it and still runs is ended."""
    before = set(_children())
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        try:
            yield Path(name)
        finally:
            _end({child for child in _children() if child not in before} | set(_living_in(Path(name))))


def _children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _living_in(directory: Path) -> Iterator[psutil.Process]:
    """Those that lost their parent too: a broker's working directory is its instance's."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if Path(process.cwd()).is_relative_to(directory.resolve()):
                yield process


def _end(processes: set[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, left = psutil.wait_procs(list(processes), timeout=_GRACE_S)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=_GRACE_S)
