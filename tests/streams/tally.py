"""A service that counts, to drive the processor with: each message makes its row one higher and says the new number.

What it must come to is a plain fold of the inbox; anything lost, doubled or forked shows as a wrong number.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from streams.codec import Undecodable, decode, encode
from streams.envelope import originate
from streams.events import Envelope, Event
from streams.events.booking import CancelBooking
from streams.events.booking_news import BookingRejected
from streams.keys import partition_of
from streams.layout import load_layout
from streams.lease import Lease
from streams.processor import Batch, Processor
from streams.publisher import Record
from streams.restore import Returning
from streams.rows import RowStore
from streams.services import BOOKING
from streams.settling import Settler
from streams.signing import Signer
from streams.voice import Voice
from streams.working import WorkingRows
from tests.memory_log import Crash, Killed, MemoryLog, Stored

LAYOUT = load_layout("catalogue")
SIGNER = Signer(b"a test's own")
SAID = "booking.booking.rejected"
T0 = datetime(2026, 1, 1, tzinfo=UTC)


class Count(msgspec.Struct, frozen=True):
    count: int
    padding: str = ""


class Tally:
    """Counts messages by booking; the reason says more: "big N" pads the row, "boom" is a bug."""

    def apply(self, rows: WorkingRows, message: Envelope, now: datetime, offset: int) -> Sequence[Event]:
        asked = message.data
        assert isinstance(asked, CancelBooking)
        if asked.reason == "boom":
            rows.put(asked.booking_id, Count(-1))
            raise RuntimeError("a bug in a decision")
        before = rows.get(asked.booking_id, Count) or Count(0)
        size = int(asked.reason.split()[1]) if asked.reason.startswith("big") else 0
        rows.put(asked.booking_id, Count(before.count + 1, "x" * size))
        return [_said(asked.booking_id, before.count + 1, now)]

    def refuse(
        self, rows: WorkingRows, message: Envelope, now: datetime, offset: int, reason: str
    ) -> Sequence[Event] | None:
        asked = message.data
        assert isinstance(asked, CancelBooking)
        if asked.cancelled_by == "no way out":
            return None
        return [_said(asked.booking_id, -1, now)]


def _said(booking_id: str, count: int, now: datetime) -> BookingRejected:
    return BookingRejected(booking_id=booking_id, user_id="u", product_id="p", rejected_at=now, reason=str(count))


def message(booking_id: str, reason: str = "more", by: str = "test") -> bytes:
    asked = CancelBooking(booking_id=booking_id, reason=reason, cancelled_by=by)
    return encode(originate(asked, source="test", now=T0))


def booking_in(partition: int, number: int = 0) -> str:
    """A booking id whose inbox partition is this one."""
    found = (name for name in map(str, range(10_000)) if partition_of(name, LAYOUT.partitions) == partition)
    return [next(found) for _ in range(number + 1)][-1]


def ask(log: MemoryLog, value: bytes | None, partition: int = 0, key: bytes | None = b"k") -> Stored:
    return log.append(BOOKING.inbox, partition, Record(key, value))


class Life:
    """One life of a worker that owns some partitions, from its start to its end or its death."""

    def __init__(self, log: MemoryLog, directory: Path, partitions: Iterable[int] = (0,)) -> None:
        self.log = log
        self.committed: dict[int, int] = {}
        self.failure: BaseException | None = None
        self.store = RowStore(BOOKING.name, LAYOUT.partitions, directory)
        self.lease = Lease(60)
        self.settler = Settler(BOOKING.rows, publisher=log, lease=self.lease, commit=self._commit, fail=self._fail)
        self.processor = Processor(
            BOOKING,
            Tally(),
            voice=Voice(log, LAYOUT, SIGNER),
            group=LAYOUT.group(BOOKING),
            store=self.store,
            publisher=log,
            settler=self.settler,
            next_on_log=self._next_on_log,
        )
        for number in partitions:
            self.restore(number)

    def restore(self, number: int) -> None:
        partition = self.store.open(number)
        records = self.log.read(BOOKING.rows, number)[partition.local.changelog_next :]
        if records:
            Returning(partition).take(records)
        partition.restored()
        write = partition.local.write

        def crashing(rows: object, changelog_next: int) -> None:
            self._step("before local")
            write(rows, changelog_next)  # type: ignore[arg-type]
            self._step("after local")

        partition.local.write = crashing  # type: ignore[method-assign]
        self.store.ready(number)

    async def take(self, number: int, records: Sequence[Stored]) -> bool:
        """Hands over one batch and waits until it is durable; False if the worker died of it."""
        done = asyncio.Event()
        try:
            await self.processor.apply(Batch(number, records, done.set))
        except Exception as error:
            self._fail(error)
        while not done.is_set() and self.failure is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        return self.failure is None

    async def work(self, number: int = 0, cuts: Callable[[], int] = lambda: 100, start: int | None = None) -> bool:
        """Reads the inbox from where the rows are (or `start`) to its end, in batches as `cuts` says."""
        offset = self.store.partition(number).decided + 1 if start is None else start
        while offset < len(self.log.read(BOOKING.inbox, number)):
            size = max(1, cuts())
            if not await self.take(number, self.log.read(BOOKING.inbox, number)[offset : offset + size]):
                return False
            offset += size
        return True

    def end(self) -> None:
        with suppress(Killed):
            self.store.close()

    def counts(self, number: int = 0) -> dict[str, int]:
        local = self.store.open(number).local
        rows = {key: local.get(key) for key in sorted(local.keys())}
        return {key: msgspec.json.decode(row.payload or b"", type=Count).count for key, row in rows.items() if row}

    def _commit(self, partition: int, offset: int) -> None:
        self._step("before commit")
        self.committed[partition] = offset
        self._step("after commit")

    def _fail(self, error: BaseException) -> None:
        self.failure = self.failure or error

    def _step(self, step: str) -> None:
        try:
            self.log.at(step)
        except Crash as crash:
            raise Killed(crash) from crash

    async def _next_on_log(self, partition: int, offset: int) -> int | None:
        after = [record.offset for record in self.log.read(BOOKING.inbox, partition) if record.offset >= offset]
        return after[0] if after else None


def fold(records: Iterable[Stored]) -> dict[str, int]:
    """What the inbox comes to, one message after the other: the oracle."""
    counts: defaultdict[str, int] = defaultdict(int)
    for record in records:
        with suppress(Undecodable):
            asked = decode(record.value).data
            assert isinstance(asked, CancelBooking)
            if asked.reason != "boom" and partition_of(asked.booking_id, LAYOUT.partitions) == record.partition:
                counts[asked.booking_id] += 1
    return dict(counts)


def said(log: MemoryLog) -> dict[str, set[str]]:
    """Every number each booking was ever told, by event id: an id with two contents is a fork."""
    numbers: defaultdict[str, set[str]] = defaultdict(set)
    for (topic, _), records in log.records.items():
        if topic == SAID:
            for record in records:
                envelope = decode(record.value)
                assert isinstance(envelope.data, BookingRejected)
                numbers[f"{envelope.data.booking_id}={envelope.data.reason}"].add(envelope.event_id)
    return dict(numbers)
