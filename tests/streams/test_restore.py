"""Rows come back from a real changelog, and what a zombie left there is healed (design 5.4, 5.7)."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic

from streams import restore
from streams.admin import admin
from streams.changelog import source_header, source_of
from streams.lease import Lease, LeaseLost
from streams.local import POSITION_KEY, Position
from streams.processor import Batch, Processor
from streams.publisher import Acknowledgement, KafkaPublisher, Record
from streams.reader import Raw, consumer, first_records, read_to_end
from streams.restore import Restorer, RestoreStuck, StoreAhead, TopicRecreatedError
from streams.rows import RowStore
from streams.services import BOOKING, Service
from streams.settling import Settler
from streams.voice import Voice
from tests.streams.tally import LAYOUT, SIGNER, Count, Tally, booking_in, message

pytestmark = pytest.mark.broker
A = booking_in(0)


def service() -> Service:
    """The booking service under a name of this test's own, so that tests share a broker and no topic."""
    return replace(BOOKING, name=f"t{uuid.uuid4().hex[:8]}")


class Worker:
    """What a worker does with one partition, without Faust: restore, decide, follow."""

    def __init__(self, bootstrap: str, asked: Service, directory: Path, publisher: KafkaPublisher) -> None:
        self.failures: list[BaseException] = []
        self.service = asked
        self.bootstrap = bootstrap
        self.store = RowStore(asked.name, LAYOUT.partitions, directory)
        self.restorer = Restorer(bootstrap, asked, self.store, publisher, Lease(60), self.failures.append)
        settler = Settler(
            asked.rows, publisher=publisher, lease=Lease(60), commit=lambda *_: None, fail=self.failures.append
        )
        self.processor = Processor(
            asked,
            Tally(),
            voice=Voice(publisher, LAYOUT, SIGNER),
            group=LAYOUT.group(asked),
            store=self.store,
            publisher=publisher,
            settler=settler,
            next_on_log=self.restorer.next_on_log,
        )

    async def work(self) -> None:
        """Decides what is in the inbox beyond the position."""
        records = await read(self.bootstrap, self.service.inbox)
        done = asyncio.Event()
        await self.processor.apply(Batch(0, records, done.set))
        await asyncio.wait_for(done.wait(), 10)

    def count(self) -> int:
        raw = self.store.get(0, A)
        return msgspec.json.decode(raw, type=Count).count if raw is not None else 0


@asynccontextmanager
async def running(bootstrap: str, asked: Service, directory: Path) -> AsyncIterator[Worker]:
    publisher = KafkaPublisher(bootstrap)
    await publisher.start()
    worker = Worker(bootstrap, asked, directory, publisher)
    try:
        await worker.restorer.restore({0})
        yield worker
    finally:
        await worker.restorer.stop()
        await publisher.stop()


async def create(bootstrap: str, *topics: str) -> None:
    async with admin(bootstrap) as client:
        await client.create_topics([NewTopic(topic, 1, 1) for topic in topics])
    await asyncio.sleep(0.3)


async def write(bootstrap: str, topic: str, *records: Record) -> None:
    publisher = KafkaPublisher(bootstrap)
    await publisher.start()
    try:
        await publisher.send_atomic(topic, 0, records)
    finally:
        await publisher.stop()


async def read(bootstrap: str, topic: str) -> list[Raw]:
    reader = consumer(bootstrap)
    await reader.start()
    try:
        tp = TopicPartition(topic, 0)
        reader.assign([tp])
        await reader.seek_to_beginning(tp)
        return [record async for _, records in read_to_end(reader, [tp]) for record in records]
    finally:
        await reader.stop()


async def until(holds: object, seconds: float = 10) -> None:
    assert callable(holds)
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.fixture
async def asked(kafka: str) -> Service:
    asked = service()
    # One partition each is enough here: ids are chosen so that they belong in partition 0.
    await create(kafka, asked.inbox, asked.rows, "booking.booking.rejected", f"{asked.inbox}.dlq")
    return asked


@pytest.fixture(autouse=True)
async def public_topic(kafka: str) -> None:
    async with admin(kafka) as client:
        if "booking.booking.rejected" not in await client.list_topics():
            await client.create_topics([NewTopic("booking.booking.rejected", 3, 1)])


async def test_rows_come_back_warm_and_cold(kafka: str, asked: Service, tmp_path: Path) -> None:
    await write(kafka, asked.inbox, *(Record(b"k", message(A)) for _ in range(3)))
    async with running(kafka, asked, tmp_path / "1") as worker:
        await worker.work()
        assert worker.count() == 3
    for directory in ("1", "another"):
        async with running(kafka, asked, tmp_path / directory) as worker:
            assert worker.count() == 3
            assert worker.store.partition(0).decided == 2


async def test_rows_come_back_to_a_worker_that_was_without_any(kafka: str, asked: Service, tmp_path: Path) -> None:
    await write(kafka, asked.inbox, *(Record(b"k", message(A)) for _ in range(3)))
    async with running(kafka, asked, tmp_path) as worker:
        await worker.work()
        await worker.restorer.restore(set())
        await asyncio.sleep(0.1)  # as a rebalance does: the consumer gets its turn
        shutil.rmtree(tmp_path / "0")
        async with asyncio.timeout(20):
            assert await worker.restorer.restore({0})
        assert worker.count() == 3


async def test_a_stale_record_is_put_again_by_the_owner(kafka: str, asked: Service, tmp_path: Path) -> None:
    await write(kafka, asked.inbox, *(Record(b"k", message(A)) for _ in range(3)))
    async with running(kafka, asked, tmp_path) as worker:
        await worker.work()
        stale = Record(A.encode(), msgspec.json.encode(Count(1)), (source_header(0),))
        await write(kafka, asked.rows, stale)

        async def healed() -> bool:
            last = (await read(kafka, asked.rows))[-1]
            return source_of(last.headers) == 2 and last.key == A.encode()

        await until(healed)
        assert worker.count() == 3
        assert worker.failures == []


async def test_what_went_stale_while_nobody_watched_is_healed_at_the_restore(
    kafka: str, asked: Service, tmp_path: Path
) -> None:
    await write(kafka, asked.inbox, *(Record(b"k", message(A)) for _ in range(3)))
    async with running(kafka, asked, tmp_path) as worker:
        await worker.work()
    await write(kafka, asked.rows, Record(A.encode(), msgspec.json.encode(Count(1)), (source_header(0),)))
    shutil.rmtree(tmp_path)
    async with running(kafka, asked, tmp_path) as worker:
        assert worker.count() == 3
    assert source_of((await read(kafka, asked.rows))[-1].headers) == 2


async def test_somebody_who_decided_further_ends_this_worker(kafka: str, asked: Service, tmp_path: Path) -> None:
    await write(kafka, asked.inbox, Record(b"k", message(A)))
    async with running(kafka, asked, tmp_path) as worker:
        await worker.work()
        await write(kafka, asked.rows, Record(A.encode(), msgspec.json.encode(Count(9)), (source_header(8),)))

        async def noticed() -> bool:
            return bool(worker.failures)

        await until(noticed)
        assert isinstance(worker.failures[0], LeaseLost)


async def test_a_recreated_inbox_is_noticed(kafka: str, asked: Service, tmp_path: Path) -> None:
    await write(kafka, asked.inbox, *(Record(b"k", message(A)) for _ in range(3)))
    async with running(kafka, asked, tmp_path) as worker:
        await worker.work()
    async with admin(kafka) as client:
        await client.delete_topics([asked.inbox])
    await asyncio.sleep(0.5)
    await create(kafka, asked.inbox)
    await write(kafka, asked.inbox, *(Record(b"k", message(A)) for _ in range(5)))
    with pytest.raises(TopicRecreatedError, match="re-created"):
        async with running(kafka, asked, tmp_path):
            pass


async def test_a_recreated_changelog_is_noticed(kafka: str, asked: Service, tmp_path: Path) -> None:
    await write(kafka, asked.inbox, *(Record(b"k", message(A)) for _ in range(3)))
    async with running(kafka, asked, tmp_path) as worker:
        await worker.work()
        await asyncio.sleep(1.5)  # until it has followed its own records
        await write(kafka, asked.inbox, Record(b"k", message(A)))
        await worker.work()
    async with admin(kafka) as client:
        await client.delete_topics([asked.rows])
    await asyncio.sleep(0.5)
    await create(kafka, asked.rows)
    with pytest.raises(TopicRecreatedError, match="re-created"):
        async with running(kafka, asked, tmp_path):
            pass


async def test_a_restore_that_a_rebalance_overtakes_declares_nothing_ready(
    kafka: str, asked: Service, tmp_path: Path
) -> None:
    async with running(kafka, asked, tmp_path) as worker:
        overtaken = asyncio.create_task(worker.restorer.restore({0}))
        await asyncio.sleep(0)
        worker.restorer.interrupt()
        assert await overtaken is False
        assert not worker.store.owns(0)
        assert await worker.restorer.restore({0}) is True
        assert worker.store.owns(0)


async def test_of_two_restores_at_once_the_later_holds(kafka: str, asked: Service, tmp_path: Path) -> None:
    async with running(kafka, asked, tmp_path) as worker:
        earlier, later = await asyncio.gather(worker.restorer.restore({0}), worker.restorer.restore(set()))
        assert (earlier, later) == (False, True)
        assert not worker.store.owns(0)
        assert worker.failures == []


async def test_a_record_batch_is_written_wholly_or_refused(kafka: str, asked: Service) -> None:
    from streams.publisher import BatchTooLarge

    publisher = KafkaPublisher(kafka)
    await publisher.start()
    try:
        with pytest.raises(BatchTooLarge):
            await publisher.send_atomic(asked.rows, 0, [Record(b"k", b"x" * 5_000_000)])
        with pytest.raises(BatchTooLarge):
            await publisher.send_atomic(asked.rows, 0, [Record(b"k", b"x" * 1_500_000)] * 3)
    finally:
        await publisher.stop()
    assert await read(kafka, asked.rows) == []


async def test_records_sent_one_by_one_keep_their_order(kafka: str, asked: Service) -> None:
    publisher = KafkaPublisher(kafka)
    await publisher.start()
    try:
        sent = [publisher.send(asked.inbox, 0, Record(b"k", str(number).encode())) for number in range(5_000)]
        await asyncio.gather(*sent)
    finally:
        await publisher.stop()
    assert [int(record.value or b"") for record in await read(kafka, asked.inbox)] == list(range(5_000))


async def test_the_position_names_the_record_it_stands_on(kafka: str, asked: Service, tmp_path: Path) -> None:
    await write(kafka, asked.inbox, *(Record(b"k", message(A)) for _ in range(2)))
    async with running(kafka, asked, tmp_path) as worker:
        await worker.work()
    [stored] = [record for record in await read(kafka, asked.rows) if record.key == POSITION_KEY.encode()]
    position = msgspec.json.decode(stored.value or b"", type=Position)
    found = await first_records(kafka, {TopicPartition(asked.inbox, 0): position.offset})
    [record] = found.values()
    assert (position.offset, position.timestamp) == (1, record.timestamp)


async def test_who_stops_waiting_for_a_record_stops_nobody_else(kafka: str, asked: Service) -> None:
    publisher = KafkaPublisher(kafka)
    await publisher.start()
    try:
        first = publisher.send(asked.inbox, 0, Record(b"k", b"1"))
        second = publisher.send(asked.inbox, 0, Record(b"k", b"2"))
        assert first is second, "records of one batch share their acknowledgement"

        async def wait() -> None:
            await first

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait_for(asyncio.ensure_future(_awaited(second)), 10)
    finally:
        await publisher.stop()
    assert len(await read(kafka, asked.inbox)) == 2


async def _awaited(acknowledged: Acknowledgement) -> None:
    await acknowledged


async def test_rows_ahead_of_a_changelog_that_lost_its_end_may_be_wiped(
    kafka: str, asked: Service, tmp_path: Path
) -> None:
    """As after a power cut: Kafka lost records that it had acknowledged, and RocksDB has them on disk."""
    await write(kafka, asked.inbox, *(Record(b"k", message(A)) for _ in range(3)))
    async with running(kafka, asked, tmp_path) as worker:
        await worker.work()
        local = worker.store.partition(0).local
        local.write({}, (await ends(kafka, asked.rows)) + 5)
    with pytest.raises(StoreAhead, match="the rows here were stored up to"):
        async with running(kafka, asked, tmp_path):
            pass


async def test_a_restore_that_gets_nothing_is_stuck(
    kafka: str, asked: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(kafka, asked.inbox, Record(b"k", message(A)))
    async with running(kafka, asked, tmp_path) as worker:
        await worker.work()

    async def silent(*args: object) -> AsyncIterator[tuple[TopicPartition, list[Raw]]]:
        await asyncio.Event().wait()
        yield TopicPartition(asked.rows, 0), []

    monkeypatch.setattr(restore, "read_to_end", silent)
    monkeypatch.setattr(restore, "STUCK_S", 0.01)
    with pytest.raises(RestoreStuck, match="no record of"):
        async with running(kafka, asked, tmp_path / "another"):
            pass


async def ends(bootstrap: str, topic: str) -> int:
    records = await read(bootstrap, topic)
    return records[-1].offset + 1
