"""Recovery in Faust's place: a rebalance in the middle of one begins another, and ends no process."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from aiokafka.errors import IllegalStateError
from faust.tables.recovery import RebalanceAgain
from faust.types import TP

from streams.recovery import BatchRecovery, RowsManager


class Manager:
    """Restores at once; what was restored stands."""

    def __init__(self) -> None:
        self.restores: list[set[int]] = []

    async def restore(self, partitions: set[int]) -> None:
        self.restores.append(partitions)

    def restored(self) -> bool:
        return True


class Seeking(BatchRecovery):
    """The part of a recovery that is ours: of Faust's own end of it a test says how it goes."""

    def __init__(self, outcomes: list[Exception | None]) -> None:
        self.manager = Manager()
        self.tables = cast("RowsManager", self.manager)
        self.active_tps = {TP("rows", 2)}
        self._generation_id = 1
        self.outcomes, self.ended = outcomes, 0
        self.begin, self.over = asyncio.Event(), asyncio.Event()

    @property
    def signal_recovery_start(self) -> Any:
        return self.begin

    @property
    def should_stop(self) -> bool:
        return not self.outcomes

    def _set_recovery_started(self) -> None:
        pass

    async def wait_for_stopped(self, *events: Any, **kwargs: Any) -> bool:
        return False

    async def _wait(self, coro: Any, timeout: Any = None) -> None:  # noqa: ASYNC109  # as Faust has it
        await coro

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome
        self.ended += 1


@pytest.mark.parametrize("interruption", [RebalanceAgain(), IllegalStateError("no assignment")])
async def test_partitions_that_were_taken_again_are_left_to_the_next_restore(interruption: Exception) -> None:
    recovery = Seeking([interruption, None])
    await cast("Any", BatchRecovery._restart_recovery).fun(recovery)
    assert recovery.manager.restores == [{2}, {2}]
    assert recovery.ended == 1


async def test_another_failure_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="broken"):
        await cast("Any", BatchRecovery._restart_recovery).fun(Seeking([ValueError("broken")]))
