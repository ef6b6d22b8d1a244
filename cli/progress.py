"""How a long run shows that it is alive: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import IO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from cli.tally import Tally

_BAR_PERIOD, _LINE_PERIOD = 0.25, 5.0


class Display:
    """Shows one tally while it grows. `total` is the number of bookings planned, None for a run without end."""

    def __init__(self, stream: IO[str], tally: Tally, total: int | None) -> None:
        self._console = Console(file=stream, highlight=False)
        self._tally = tally
        self._bar: Progress | None = None
        if self._console.is_terminal:
            columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task(counts(tally), total=total)

    def say(self, line: str) -> None:
        """Prints a line, above the bar where there is one."""
        self._console.print(line, markup=False, soft_wrap=True)

    @asynccontextmanager
    async def live(self) -> AsyncIterator[None]:
        """Keeps showing the counts until the block ends."""
        shower = asyncio.create_task(self._show())
        if self._bar is not None:
            self._bar.start()
        try:
            yield
        finally:
            shower.cancel()
            with suppress(asyncio.CancelledError):
                await shower
            if self._bar is not None:
                self._bar.stop()

    async def _show(self) -> None:
        while True:
            await asyncio.sleep(_LINE_PERIOD if self._bar is None else _BAR_PERIOD)
            if self._bar is None:
                self.say(counts(self._tally))
            else:
                self._bar.update(self._task, completed=self._tally.settled, description=counts(self._tally))


def counts(tally: Tally) -> str:
    """The counts in one line."""
    parts = [f"accepted {tally.accepted:,}", f"open {tally.unresolved:,}"]
    parts += [f"{status.lower()} {count:,}" for status, count in sorted(tally.outcomes.items())]
    retries = sum(tally.retries.values())
    parts += [f"{name} {count:,}" for name, count in (("retries", retries), ("errors", tally.error_count)) if count]
    return ", ".join(parts)


@contextmanager
def bar_of(description: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr for so many steps; what is yielded is called after each. Nothing where nobody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(description, total=total)
        yield lambda: bar.advance(task)
