"""Faust's place for recovery, filled with ours: rows are restored in batches by `streams.restore`, not per message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiokafka.errors import IllegalStateError
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from mode import Service

Restore = Callable[[set[int]], Awaitable[None]]


class BatchRecovery(Recovery):
    """Restores the assigned partitions, then lets Faust seek and resume the streams."""

    @Service.task
    async def _restart_recovery(self) -> None:
        while not self.should_stop:
            if await self.wait_for_stopped(cast("Any", self.signal_recovery_start)):
                break
            self.signal_recovery_start.clear()
            generation = self._generation_id
            self._set_recovery_started()
            manager = cast("RowsManager", self.tables)
            try:
                await self._wait(manager.restore({tp.partition for tp in self.active_tps}))
                if not manager.restored():
                    continue  # another rebalance began meanwhile, and brings its own restore
                await self._wait(self.on_recovery_completed(generation))
            except (RebalanceAgain, IllegalStateError):
                # Partitions that were taken away again cannot be sought: whoever took them brings another restore.
                continue
            except ServiceStopped:
                break

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Nothing comes this way: the changelog partitions of Faust's own consumer stay paused."""
        await asyncio.sleep(0)


class RowsManager(TableManager):
    """Faust's table manager with our recovery."""

    restore: Restore
    restored: Callable[[], bool]

    async def on_start(self) -> None:
        # Faust sleeps a second here for agents that declare tables late; ours are declared before the start.
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = BatchRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
