"""When a watchdog ends its process, by clocks of the tests' own: with work and without progress, and never else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from streams.ending import MUST_NOT_GO_ON, STALLED, STORAGE, code_of
from streams.lease import Lease
from streams.local import StoreFailed
from streams.watchdog import PATIENCE_S, Seen, Stalled, Stillness, Watchdog


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Group:
    """What a watchdog looks at: work that waits, and how far it is."""

    def __init__(self) -> None:
        self.waiting, self.mark, self.excused, self.pauses = True, 0, False, 0

    def seen(self) -> Sequence[Seen]:
        return () if self.excused else (Seen("booking", self.waiting, self.mark, PATIENCE_S),)

    def paused(self) -> None:
        self.pauses += 1


class World:
    """A watchdog and what it looks at, a second at a time."""

    def __init__(self) -> None:
        self.clock, self.group, self.ends = Clock(), Group(), list[BaseException]()
        self.dog = Watchdog([self.group], end=self.ends.append, clock=self.clock)

    def pass_(self, seconds: float, step: float = 1.0) -> None:
        for _ in range(int(seconds / step)):
            self.clock.now += step
            self.dog.tick()


@pytest.fixture
def world() -> World:
    return World()


def test_work_without_progress_ends_the_process(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    world.pass_(PATIENCE_S)
    assert world.ends == []
    world.pass_(1)
    [end] = world.ends
    assert isinstance(end, Stalled)
    assert str(end) == "booking has made no progress for 30 s"
    assert "most recent call first" in capfd.readouterr().err, "every thread's stack is in the log"


def test_liveness_says_so_before(world: World) -> None:
    world.pass_(PATIENCE_S / 2)
    assert world.dog.stalls == []
    world.pass_(1)
    assert [str(stall) for stall in world.dog.stalls] == ["booking has made no progress for 15 s"]
    world.group.mark += 1
    world.pass_(1)
    assert world.dog.stalls == []


@pytest.mark.parametrize("move", ["progress", "no work", "excused"])
def test_what_moves_rests_or_waits_for_others_is_not_stuck(world: World, move: str) -> None:
    """Again and again, each time before its patience is over."""
    for _ in range(5):
        world.pass_(PATIENCE_S - 2)
        world.group.mark += move == "progress"
        world.group.waiting = move != "no work"
        world.group.excused = move == "excused"
        world.pass_(1)
        world.group.waiting, world.group.excused = True, False
    assert world.ends == []


def test_a_paused_process_is_not_stuck_but_its_lease_is_doubted(world: World) -> None:
    world.pass_(20)
    world.clock.now += 3_600
    world.dog.tick()
    assert world.group.pauses == 1
    world.pass_(9)
    assert world.ends == []
    world.pass_(2)
    assert len(world.ends) == 1, "what stood still before the pause and after it is"


async def test_a_loop_that_does_not_turn_is_stuck(world: World) -> None:
    world.group.waiting = False
    world.dog.start()
    try:
        world.pass_(PATIENCE_S + 1)  # all of it within one turn of the loop
        assert [str(end) for end in world.ends] == ["the loop has made no progress for 30 s"]
    finally:
        world.dog.stop()


def test_each_has_its_own_patience() -> None:
    still, look = Stillness(), [Seen("slow", True, 0, 300.0), Seen("quick", True, 0, 30.0)]
    still.look(0.0, look)
    assert [stall.name for stall in still.look(40.0, look)] == ["quick", "slow"]


def test_a_full_disk_ends_the_process_too() -> None:
    clock, ends = Clock(), list[BaseException]()

    def check() -> None:
        raise StoreFailed("full")

    dog = Watchdog([], end=ends.append, check=check, clock=clock)
    with pytest.raises(StoreFailed):
        dog.tick()


def test_how_a_process_ends_is_said_by_its_code() -> None:
    codes = [code_of(error) for error in (ValueError(), StoreFailed(), OSError(28, "full"), OSError(2, "-"), Stalled())]
    assert codes == [MUST_NOT_GO_ON, STORAGE, STORAGE, MUST_NOT_GO_ON, STALLED] == [70, 74, 74, 70, 75]


async def test_a_doubted_lease_takes_no_word_of_before() -> None:
    lease, sent = Lease(10), time.monotonic()
    lease.doubt()
    lease.renew(sent)
    assert not lease.fresh(), "the answer was to a heartbeat of before the pause"
    holding = asyncio.create_task(lease.hold())
    await asyncio.sleep(0)
    lease.renew(time.monotonic())
    await holding
