"""How a bench shows that it is alive: bars on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

_LINE_PERIOD_S = 15.0


@contextmanager
def shown(stream: IO[str], period: float = _LINE_PERIOD_S) -> Iterator[Progress]:
    """The progress that parts report to, shown on `stream` while the block runs."""
    console = Console(file=stream, highlight=False, soft_wrap=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    progress = Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal)
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(progress, over, period), daemon=True)
    try:
        with progress:
            if not console.is_terminal:
                teller.start()
            yield progress
    finally:
        over.set()


def _tell(progress: Progress, over: threading.Event, period: float) -> None:
    while not over.wait(period):
        for task in progress.tasks:
            if not task.finished:
                progress.console.print(f"{task.description} ({task.percentage:.0f} %)", markup=False)
