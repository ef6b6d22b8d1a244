"""Runs several parts together: starts them, says when all are ready or one is given up, and ends all in time.

What the parts are is `cli.parts`, how one is kept alive is `cli.keeper`, which of them make an instance is `cli.up`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from cli.keeper import Keeper
from cli.parts import Part
from cli.problem import Problem


class Supervisor:
    """The keepers of an instance. `changed` is called whenever a part has a new process, `hindrance` says why one may
    not be started now, if so.
    """

    def __init__(
        self, changed: Callable[[], None], say: Callable[[str], None], hindrance: Callable[[str], str] = lambda part: ""
    ) -> None:
        self._changed, self._say, self._hindrance = changed, say, hindrance
        self._keepers: dict[str, Keeper] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def pids(self) -> dict[str, int]:
        """The latest process of each part, by name."""
        return {name: keeper.child.pid for name, keeper in self._keepers.items() if keeper.child is not None}

    def start(self, part: Part, needs: Sequence[Keeper] = ()) -> Keeper:
        """Keeps a part from now on, each of its lives begun only while all that it needs serve."""
        keeper = Keeper(part, self._changed, self._say, needs, lambda: self._hindrance(part.name))
        task = asyncio.create_task(keeper.run(), name=f"keep {part.name}")
        task.add_done_callback(self._note_failure)
        self._keepers[part.name] = keeper
        self._tasks.append(task)
        return keeper

    async def all_ready(self) -> None:
        """Returns once every part started so far serves at the same time."""
        while not all(keeper.ready.is_set() for keeper in self._keepers.values()):
            for keeper in self._keepers.values():
                await keeper.ready.wait()

    async def failure(self) -> None:
        """Never returns; raises what made a keeper give up."""
        await asyncio.shield(self._given_up)

    async def let_go(self) -> None:
        """From now on nothing is started again; what runs goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if not self._given_up.done():
            self._given_up.cancel()

    async def stop(self, order: Sequence[tuple[str | tuple[str, ...], float]], within: float) -> None:
        """Ends all parts: those whose name begins with the first word, or one of them, get so many seconds, then the
        next word's.

        Together no more than `within` seconds, after which the rest is ended forcibly.
        """
        end = time.monotonic() + within
        await self.let_go()
        left = dict(self._keepers)
        for word, seconds in order:
            chosen = [left.pop(name) for name in list(left) if name.startswith(word)]
            most = max(0.0, min(seconds, end - time.monotonic()))
            await asyncio.gather(*(keeper.part.stop(most) for keeper in chosen))

    def kill(self) -> None:
        """Ends every process now. Of use after `let_go` only: else they would be started again."""
        for keeper in self._keepers.values():
            if keeper.child is not None:
                keeper.child.kill()

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self._given_up.done():
            return
        error = task.exception()
        self._given_up.set_exception(error or Problem(f"{task.get_name()} ended"))
