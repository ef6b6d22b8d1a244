"""Keeps a file true that says what runs, also through a time in which it cannot be written: a full disk ends nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

_PAUSE = 5.0


@dataclass
class Notice:
    """`write` writes the file as of now and may raise OSError; `say` tells the user, once for each such time."""

    name: str
    write: Callable[[], None]
    say: Callable[[str], None]
    pause: float = _PAUSE
    _trying: asyncio.Task[None] | None = field(default=None, init=False)

    def renew(self) -> None:
        """Writes it now, or as soon as that can be done. Needs a running loop."""
        if self._trying is not None and not self._trying.done():
            return
        if (error := self._attempt()) is not None:
            self.say(f"{self.name} cannot be written ({error}); trying again every {self.pause:g} s")
            self._trying = asyncio.create_task(self._try(), name=f"write {self.name}")

    def end(self) -> None:
        """Writes it a last time."""
        if self._trying is not None:
            self._trying.cancel()
        if (error := self._attempt()) is not None:
            self.say(f"{self.name} could not be written ({error}); the next start writes it anew")

    async def _try(self) -> None:
        while self._attempt() is not None:  # noqa: ASYNC110  # the disk cannot set an event
            await asyncio.sleep(self.pause)
        self.say(f"{self.name} is written again")

    def _attempt(self) -> str | None:
        try:
            self.write()
        except OSError as error:
            return error.strerror or str(error)
        return None
