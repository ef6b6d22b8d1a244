"""Where a group stands: what counts as work that waits, what as progress, and what is nobody's fault."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types import TP

from streams.effects import EffectRunner, Unreachable
from streams.group import GroupApp
from streams.standing import Standing
from streams.watchdog import PATIENCE_S, Seen, Stillness
from tests.streams.test_effects import TOPIC, Setting, settle, until

INBOX, OTHER, EFFECTS = TP("inbox", 0), TP("inbox", 1), TP(TOPIC, 0)
ROWS = TP("rows", 0)
LONG = 10 * PATIENCE_S


class Consumer:
    """What a group's consumer says of its partitions."""

    def __init__(self) -> None:
        self.stands: dict[TP, tuple[int, int]] = {}
        #: Where the log ends, and where it is read.
        self.ends: dict[TP, tuple[int, int]] = {}

    def underway(self) -> dict[TP, tuple[int, int]]:
        return self.stands

    def assignment(self) -> set[TP]:
        return set(self.ends)

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        return {tp: self.ends[tp][0] for tp in tps}

    async def position(self, tp: TP) -> int:
        return self.ends[tp][1]


class World:
    """A group, what it reads, and the calls it makes."""

    def __init__(self, runner: EffectRunner | None = None) -> None:
        self.consumer, self.fresh, self.waits, self.doubts = Consumer(), True, False, 0
        self.runner = runner or cast("EffectRunner", SimpleNamespace(attempts=Counter[int](), full=False))
        lease = SimpleNamespace(fresh=lambda: self.fresh, doubt=self._doubt)
        tables = SimpleNamespace(changelog_topics={ROWS.topic})
        app = SimpleNamespace(consumer=self.consumer, tables=tables)
        self.group: Any = SimpleNamespace(
            name="payment", ready=True, lease=lease, app=app, effects={TOPIC: self.runner}
        )
        self.standing = Standing(cast("GroupApp", self.group), lambda: self.waits)

    def _doubt(self) -> None:
        self.doubts += 1

    def seen(self) -> dict[str, Seen]:
        return {each.name: each for each in self.standing.seen()}

    def waiting(self) -> dict[str, float]:
        """What waits, and how long it may."""
        return {each.name: each.patience for each in self.standing.seen() if each.waiting}


def test_what_was_handed_over_and_is_not_done_waits() -> None:
    world = World()
    world.consumer.stands = {INBOX: (5, 5), OTHER: (3, 2)}
    assert world.waiting() == {"payment": PATIENCE_S, "inbox/1": LONG}
    before = world.seen()
    world.consumer.stands[OTHER] = (4, 3)
    assert world.seen()["payment"].mark != before["payment"].mark
    assert world.seen()["inbox/1"].mark != before["inbox/1"].mark
    world.consumer.stands = {INBOX: (5, 5), OTHER: (4, 4)}
    assert world.waiting() == {}


def test_one_partition_that_stands_is_seen_beside_one_that_moves() -> None:
    world, still = World(), Stillness()
    for second in range(301):
        world.consumer.stands = {INBOX: (second + 1, second), OTHER: (3, 2)}
        stalls = still.look(float(second), world.standing.seen())
    assert [(stall.name, stall.seconds) for stall in stalls] == [("inbox/1", 300.0)]


@pytest.mark.parametrize("away", ["not ready", "lease"])
def test_a_group_that_waits_for_kafka_is_not_looked_at(away: str) -> None:
    world = World()
    world.consumer.stands = {INBOX: (3, 2)}
    world.group.ready, world.fresh = away != "not ready", away != "lease"
    assert world.seen() == {}


def test_after_a_pause_its_lease_is_doubted() -> None:
    world = World()
    world.standing.paused()
    assert world.doubts == 1


async def test_what_is_on_the_log_and_not_fetched_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.standing._LOOK_EVERY_S", 0.01)
    world = World()
    world.consumer.ends = {INBOX: (7, 4), OTHER: (7, 7), ROWS: (9, 0)}
    world.standing.start()
    try:
        await until(world.waiting)
        assert world.waiting() == {"payment": PATIENCE_S, "inbox/0": LONG}, "rows are followed by somebody else"
        world.consumer.ends[INBOX] = (7, 7)
        await until(lambda: not world.waiting())
    finally:
        world.standing.stop()


def test_a_call_alone_holds_up_no_group() -> None:
    world = World()
    world.consumer.stands = {INBOX: (5, 5), EFFECTS: (3, 2)}
    assert world.waiting() == {f"{TOPIC}/0": LONG}


def test_an_open_breaker_excuses_calls_and_nothing_else() -> None:
    world = World()
    world.consumer.stands = {INBOX: (5, 4), EFFECTS: (3, 2)}
    world.waits = True
    assert world.waiting() == {"payment": PATIENCE_S, "inbox/0": LONG}


async def test_each_attempt_that_ends_moves_its_partition_and_no_other() -> None:
    """It is made for ever: neither parked nor behind a breaker, such as an erasure whose files are not at hand."""
    setting = Setting(delays=(0.0,) * 1_000)
    world = World(setting.runner)
    world.consumer.stands = {INBOX: (5, 4), EFFECTS: (1, 0), TP(TOPIC, 1): (1, 0)}
    before = world.seen()
    setting.outside.failures = [Unreachable("away")] * 3
    await setting.start(setting.ask("a", "1"))
    await until(lambda: setting.runner.attempts == {0: 3})
    after = world.seen()
    assert [name for name in after if after[name].mark != before[name].mark] == [f"{TOPIC}/0"]


async def test_a_call_that_hangs_moves_nothing() -> None:
    setting = Setting()
    world, still = World(setting.runner), Stillness()
    world.consumer.stands = {EFFECTS: (1, 0)}
    await setting.start(setting.ask("a", "1"))
    assert setting.outside.called == ["a1"]
    still.look(0.0, world.standing.seen())
    await settle()
    assert [(stall.name, stall.seconds) for stall in still.look(LONG, world.standing.seen())] == [(f"{TOPIC}/0", LONG)]


async def test_what_stands_behind_calls_that_have_no_room_moves_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fetches of a group are handed on one after the other: what cannot be taken holds up its inbox."""
    monkeypatch.setattr("streams.effects.WINDOW", 1)
    setting = Setting()
    world = World(setting.runner)
    world.consumer.stands = {INBOX: (5, 4), EFFECTS: (2, 0)}
    starting = asyncio.create_task(setting.start(setting.ask("a", "1"), setting.ask("b", "1")))
    await until(lambda: setting.runner.full)
    assert world.waiting() == {"payment": LONG, "inbox/0": LONG, f"{TOPIC}/0": LONG}
    before = world.seen()
    setting.runner.attempts[0] += 1
    after = world.seen()
    assert all(after[name].mark != before[name].mark for name in after)
    setting.outside.open["a1"].set()
    await starting
    assert not setting.runner.full
    assert world.waiting()["payment"] == PATIENCE_S
