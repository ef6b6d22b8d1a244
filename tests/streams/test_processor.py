"""The processor against a plain fold of the inbox: each message counts exactly once (HTL-36, CAT-23)."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.processor import GapError
from streams.publisher import Record
from streams.services import BOOKING
from streams.slices import DECISION_BYTES, SLICE_BYTES
from streams.topics import LARGE, dead_letter_name
from tests.memory_log import CrashAt, MemoryLog
from tests.streams.tally import Life, ask, booking_in, fold, message, said

A, B = booking_in(0, 0), booking_in(0, 1)
STEPS = [
    *("before output", "after output", "before changelog", "after changelog"),
    *("before local", "after local", "before commit", "after commit"),
]
#: What an inbox may hold beside messages of ours.
POISON = [
    None,
    b"",
    b"\xff\x00",
    b'{"event_id":"1"',
    b"[]",
    b"x" * 1_000_000,
    message(booking_in(1)),
    message(A, "boom"),
]


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


def exactly_once(log: MemoryLog, counts: dict[str, int], partition: int = 0) -> None:
    expected = fold(log.read(BOOKING.inbox, partition))
    assert counts == expected
    numbers = said(log)
    assert set(numbers) >= {f"{name}={number}" for name, last in expected.items() for number in range(1, last + 1)}
    assert all(len(ids) == 1 for ids in numbers.values()), "the same outcome was said under two ids"


async def test_each_message_counts_once_and_in_order(log: MemoryLog, tmp_path: Path) -> None:
    for name in (A, B, A, A, B):
        ask(log, message(name))
    life = Life(log, tmp_path)
    assert await life.work()
    assert life.counts() == {A: 3, B: 2}
    assert life.committed == {0: 5}
    exactly_once(log, life.counts())


async def test_a_redelivered_batch_says_nothing_again(log: MemoryLog, tmp_path: Path) -> None:
    for _ in range(3):
        ask(log, message(A))
    life = Life(log, tmp_path)
    assert await life.work(start=0)
    before = len(log.read("booking.booking.rejected", 0)) + len(log.read("booking.booking.rejected", 1))
    assert await life.work(start=0)
    assert await life.work(start=1)
    assert len(log.read("booking.booking.rejected", 0)) + len(log.read("booking.booking.rejected", 1)) == before
    exactly_once(log, life.counts())


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("nth", [1, 2, 5])
@pytest.mark.parametrize("disk_lost", [False, True])
async def test_a_crash_at_any_step_changes_nothing(
    log: MemoryLog, tmp_path: Path, step: str, nth: int, disk_lost: bool
) -> None:
    for number in range(12):
        ask(log, message(A if number % 3 else B))
    crash = log.at = CrashAt(step, nth)
    first = Life(log, tmp_path)
    await first.work(cuts=lambda: 2)
    assert crash.happened, "the step was never reached"
    first.end()
    log.at = lambda step: None
    if disk_lost:
        shutil.rmtree(tmp_path)
    second = Life(log, tmp_path)
    committed = first.committed.get(0, 0)
    assert committed <= second.store.partition(0).decided + 1, "an offset was committed before it was durable"
    assert await second.work(start=committed)
    exactly_once(log, second.counts())


@settings(max_examples=40, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_any_schedule_of_crashes_comes_to_the_fold(data: st.DataObject, seed: int) -> None:
    import asyncio

    chance = random.Random(seed)
    log = MemoryLog()
    for _ in range(data.draw(st.integers(1, 60))):
        poison = chance.random() < 0.15
        ask(log, chance.choice(POISON) if poison else message(booking_in(0, chance.randrange(4))))
    deaths = data.draw(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 12), st.booleans()), max_size=6))
    directory = Path(tempfile.mkdtemp())
    try:
        counts = asyncio.run(_lives(log, directory, deaths, chance))
        exactly_once(log, counts)
        _poison_is_buried(log)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _lives(
    log: MemoryLog, directory: Path, deaths: list[tuple[str, int, bool]], chance: random.Random
) -> dict[str, int]:
    committed = 0
    for step, nth, disk_lost in deaths:
        log.at = CrashAt(step, nth)
        life = Life(log, directory)
        await life.work(cuts=lambda: chance.randint(1, 9), start=committed)
        committed = life.committed.get(0, committed)
        life.end()
        if disk_lost:
            shutil.rmtree(directory)
    log.at = lambda step: None
    last = Life(log, directory)
    assert await last.work(start=committed)
    counts = last.counts()
    last.end()
    return counts


def _poison_is_buried(log: MemoryLog) -> None:
    letters = log.read(dead_letter_name(BOOKING.inbox))
    buried = {int(dict(letter.headers)["vacancy-dlq-offset"]): letter for letter in letters}
    for record in log.read(BOOKING.inbox):
        if record.value in POISON:
            assert (buried[record.offset].value or None) == (record.value or None)
    assert all(log.read(BOOKING.inbox)[offset].value in POISON for offset in buried)


async def test_poison_inside_a_batch_is_buried_and_the_next_message_counts(log: MemoryLog, tmp_path: Path) -> None:
    for value in POISON:
        ask(log, value, key=None if value is None else b"key")
        ask(log, message(A))
    life = Life(log, tmp_path)
    assert await life.work()
    assert life.counts() == {A: len(POISON)}
    letters = log.read(dead_letter_name(BOOKING.inbox))
    assert [letter.value for letter in letters] == [value or b"" for value in POISON]
    headers = dict(letters[2].headers)
    assert headers["vacancy-dlq-topic"] == BOOKING.inbox.encode()
    assert headers["vacancy-dlq-partition"] == b"0"
    assert headers["vacancy-dlq-offset"] == b"4"
    assert b"not JSON" in headers["vacancy-dlq-reason"]
    kinds = [dict(letter.headers)["vacancy-dlq-class"] for letter in letters]
    assert kinds == [b"undecodable"] * 6 + [b"misplaced", b"decision-failed"]


async def test_a_slice_is_cut_at_the_size_of_a_record_batch(log: MemoryLog, tmp_path: Path) -> None:
    for number in range(40):
        ask(log, message(booking_in(0, number), "big 100000"))
    life = Life(log, tmp_path)
    assert await life.work()
    assert len(log.batches) > 1
    assert max(log.batches) <= DECISION_BYTES + SLICE_BYTES < LARGE
    exactly_once(log, life.counts())


async def test_a_decision_that_fits_no_batch_is_refused(log: MemoryLog, tmp_path: Path) -> None:
    ask(log, message(A, "big 3500000"))
    ask(log, message(B))
    life = Life(log, tmp_path)
    assert await life.work()
    assert life.counts() == {B: 1}
    assert f"{A}=-1" in said(log)


async def test_a_decision_without_a_smaller_refusal_is_buried(log: MemoryLog, tmp_path: Path) -> None:
    ask(log, message(A, "big 3500000", by="no way out"))
    ask(log, message(A))
    life = Life(log, tmp_path)
    assert await life.work()
    assert life.counts() == {A: 1}
    [letter] = log.read(dead_letter_name(BOOKING.inbox))
    assert dict(letter.headers)["vacancy-dlq-class"] == b"too-large"


async def test_records_that_were_left_out_end_the_worker(log: MemoryLog, tmp_path: Path) -> None:
    for _ in range(4):
        ask(log, message(A))
    life = Life(log, tmp_path)
    assert await life.take(0, log.read(BOOKING.inbox)[:1])
    assert not await life.take(0, log.read(BOOKING.inbox)[3:])
    assert isinstance(life.failure, GapError)
    assert life.counts() == {A: 1}


async def test_a_batch_after_the_partition_was_withdrawn_is_left_to_the_next_owner(
    log: MemoryLog, tmp_path: Path
) -> None:
    ask(log, message(A))
    life = Life(log, tmp_path)
    life.store.withdraw()
    assert await life.take(0, log.read(BOOKING.inbox))
    assert life.committed == {}
    assert log.read(BOOKING.rows) == []


async def test_a_batch_that_comes_while_the_lease_is_in_doubt_is_decided_and_waits(
    log: MemoryLog, tmp_path: Path
) -> None:
    """A broker that restarts must not make a worker drop what it was handed: the next batch would leave a gap."""
    for _ in range(4):
        ask(log, message(A))
    life = Life(log, tmp_path)
    life.store.may_serve = lambda: False
    assert await life.take(0, log.read(BOOKING.inbox)[:2])
    life.store.may_serve = lambda: True
    assert await life.take(0, log.read(BOOKING.inbox)[2:])
    assert life.counts() == {A: 4}


async def test_a_revocation_in_the_middle_of_a_batch_settles_what_was_decided(log: MemoryLog, tmp_path: Path) -> None:
    for _ in range(10):
        ask(log, message(A))
    life = Life(log, tmp_path)
    # The rebalance withdraws the partition while its batch is under way: it is settled, then let go.
    log.at = lambda step: life.store.withdraw()
    assert await life.take(0, log.read(BOOKING.inbox))
    assert life.committed == {0: 10}
    log.at = lambda step: None
    life.end()
    heir = Life(log, tmp_path / "another disk")
    assert await heir.work()
    exactly_once(log, heir.counts())


async def test_a_zombie_that_writes_late_does_not_win(log: MemoryLog, tmp_path: Path) -> None:
    for _ in range(4):
        ask(log, message(A))
    zombie = Life(log, tmp_path / "zombie")
    assert await zombie.take(0, log.read(BOOKING.inbox)[:2])
    late = log.records[BOOKING.rows, 0][:]
    heir = Life(log, tmp_path / "heir")
    assert await heir.work()
    for record in late:  # the paused worker's records arrive after its heir's
        log.append(BOOKING.rows, 0, Record(record.key, record.value, record.headers))
    ask(log, message(A))
    third = Life(log, tmp_path / "third")
    assert third.store.partition(0).decided == 3
    assert await third.work()
    exactly_once(log, third.counts())
