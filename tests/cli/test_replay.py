"""`vacancy replay`: what it refuses; rows rebuilt from a real inbox against those a worker left (CLN-04, CLN-18)."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic

from config.settings import Settings
from streams.admin import admin
from streams.changelog import source_header
from streams.events.availability import DeclareResource, Hold, Release
from streams.events.night_rules import BlockDue, RemoveBlock, SetBlock, SetCalendar
from streams.layout import Layout, load_layout
from streams.lease import Lease
from streams.local import LocalRows
from streams.log import Log
from streams.processor import Batch, Processor
from streams.publisher import KafkaPublisher, Record
from streams.reader import Raw, consumer, read_to_end
from streams.rows import RowStore
from streams.services import Service, service_topics
from streams.settling import Settler
from streams.signing import Signer
from streams.voice import Voice
from tables.availability import Availability
from tests.cli.command import Ran, vacancy
from tests.memory_log import MemoryLog

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--service", "mail", "--from", "0"], "there are: booking, availability, payment"),
        (["--service", "booking", "--from", "yesterday"], "--from: 'yesterday' is not an offset or a time like"),
        (["--service", "booking", "--from", "0", "--until", "soon"], "--until: 'soon' is not a time like"),
        (["--service", "booking", "--from", "2026-01-02", "--until", "2026-01-01"], "--until: should be after --from"),
        (["--service", "booking", "--from", "7", "--diff"], "--diff: needs --from 0"),
    ],
)
def test_what_cannot_be_replayed_is_said(tmp_path: Path, wrong: list[str], words: str) -> None:
    ran = vacancy("replay", *wrong, "--into", tmp_path / "rows", "--data", tmp_path, "--broker", "kafka://127.0.0.1:1")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert words in ran.err


def test_rows_are_never_mixed_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for into, words in ((tmp_path, "is not empty"), (tmp_path / "file", "Not a directory")):
        ran = vacancy("replay", "--service", "booking", "--from", "0", "--into", into, "--broker", "kafka://h:1")
        assert (ran.code, ran.out) == (2, "")
        assert words in ran.err


def test_without_a_broker_it_says_how_to_start_one(tmp_path: Path) -> None:
    asked = ("replay", "--service", "booking", "--from", "0", "--into", tmp_path / "rows", "--data", tmp_path / "data")
    ran = vacancy(*asked, "--broker", "kafka://127.0.0.1:1")
    assert (ran.code, ran.out) == (1, "")
    assert f"vacancy broker start --data {tmp_path / 'data'}" in ran.err.splitlines()[-1]


class Instance:
    """An availability service with a namespace of its own on the shared broker."""

    def __init__(self, bootstrap: str, directory: Path) -> None:
        self.bootstrap = bootstrap
        self.directory = directory
        self.namespace = f"r{uuid.uuid4().hex[:8]}"
        self.layout: Layout = load_layout(Settings(namespace=self.namespace, data=directory))
        self.service: Service = self.layout.services["availability"]

    async def prepare(self) -> None:
        topics = service_topics(self.service, self.layout.partitions)
        async with admin(self.bootstrap) as client:
            await client.create_topics(
                [NewTopic(each.name, each.partitions, 1, topic_configs=each.config()) for each in topics]
            )

    async def ask(self, *events: Any) -> None:
        log = Log(self.bootstrap, self.layout)
        await log.start()
        try:
            for event in events:
                await log.append(event, source="test")
        finally:
            await log.stop()

    async def decide(self) -> None:
        """A worker without Faust decides everything that stands in the inbox. What it says goes nowhere."""
        publisher, nowhere = KafkaPublisher(self.bootstrap), MemoryLog()
        await publisher.start()
        store = RowStore("availability", self.layout.partitions, self.directory / "worker")
        settler = Settler(self.service.rows, publisher=publisher, lease=Lease(60), commit=lambda *_: None)
        processor = Processor(
            self.service,
            Availability(),
            voice=Voice(nowhere, self.layout, Signer(b"key")),
            group="group",
            store=store,
            publisher=nowhere,
            settler=settler,
            next_on_log=_none_missing,
        )
        try:
            for number, records in (await self.inbox()).items():
                store.open(number)
                store.ready(number)
                done = asyncio.Event()
                await processor.apply(Batch(number, records, done.set))
                await asyncio.wait_for(done.wait(), 10)
        finally:
            store.close()
            await publisher.stop()

    async def inbox(self) -> dict[int, list[Raw]]:
        return await self._read(self.service.inbox)

    async def spoil(self) -> str:
        """Writes a row over with another value, as a bug would; its key."""
        changelog = await self._read(self.service.rows)
        record = next(each for records in changelog.values() for each in records if (each.key or b"").startswith(b"n|"))
        assert record.key is not None
        fields = msgspec.json.decode(record.value or b"{}")
        wrong = msgspec.json.encode(fields | {"capacity": 99})
        publisher = KafkaPublisher(self.bootstrap)
        await publisher.start()
        headers = (source_header(1_000),)
        try:
            late = Record(record.key, wrong, tuple(record.headers))
            await publisher.send_atomic(self.service.rows, record.partition, [late])
            # And a row that nothing in the inbox made, decided later than any replay reads.
            later = Record(b"n|later", wrong, headers)
            await publisher.send_atomic(self.service.rows, record.partition, [later])
        finally:
            await publisher.stop()
        return record.key.decode()

    def replay(self, into: Path, *more: str) -> Ran:
        asked = ("replay", "--service", "availability", "--into", into, "--broker", f"kafka://{self.bootstrap}")
        return vacancy(*asked, "--data", self.directory, *more, VACANCY_NAMESPACE=self.namespace)

    async def _read(self, topic: str) -> dict[int, list[Raw]]:
        reader = consumer(self.bootstrap)
        await reader.start()
        try:
            partitions = [TopicPartition(topic, number) for number in range(self.layout.partitions)]
            reader.assign(partitions)
            await reader.seek_to_beginning(*partitions)
            found: dict[int, list[Raw]] = {}
            async for tp, records in read_to_end(reader, partitions):
                found.setdefault(tp.partition, []).extend(records)
            return found
        finally:
            await reader.stop()


async def _none_missing(partition: int, offset: int) -> int | None:
    return None


def _asked(unit: str) -> list[Any]:
    named: dict[str, Any] = {"provider_id": "inn", "product_id": unit}
    price: dict[str, Any] = {"price_amount": Decimal(10), "price_currency": "EUR"}
    stay = {"start": NOON, "end": NOON + timedelta(days=2)}
    nights: dict[str, Any] = {"from_date": NOON.date(), "to_date": NOON.date() + timedelta(days=3)}
    hold = {**named, "revision": 1, "line": 1, "quantity": 1, **stay}
    return [
        DeclareResource(**named, capacity=2, **price),
        *(Hold(**hold, booking_id=f"{unit}-{number}") for number in range(4)),
        Release(**named, booking_id=f"{unit}-0", revision=1, line=1),
        Hold(**hold, booking_id=f"{unit}-late"),
        SetCalendar(**named, **nights, min_stay=2, clears=("max_stay",)),
        SetBlock(**named, **nights, block_id="boiler", units=1, reason="group", release_at=NOON),
        SetBlock(**named, **nights, block_id="roof", units=1, reason="maintenance"),
        BlockDue(**named, block_id="boiler", release_at=NOON),
        RemoveBlock(**named, block_id="roof"),
        Hold(**hold, booking_id=f"{unit}-last"),
    ]


@pytest.mark.broker
@pytest.mark.timeout(180)
@pytest.mark.proves("CLN-04", "CLN-18")
async def test_rows_rebuilt_from_the_inbox_are_the_live_ones_or_the_difference_is_named(
    kafka: str, tmp_path: Path
) -> None:
    instance = Instance(kafka, tmp_path / "data")
    await instance.prepare()
    asked = [event for unit in ("suite", "single", "attic") for event in _asked(unit)]
    await instance.ask(*asked)
    await instance.decide()
    waiting = Hold(
        provider_id="inn",
        product_id="attic",
        booking_id="not decided yet",
        revision=1,
        line=1,
        start=NOON,
        end=NOON + timedelta(days=1),
        quantity=1,
    )
    await instance.ask(waiting)

    whole = instance.replay(tmp_path / "whole", "--from", "0", "--diff", "--json")
    assert whole.code == 0, whole.err
    said = json.loads(whole.out)
    assert (said["records"], said["dead"], said["partial"], said["undecided"]) == (len(asked), {}, False, 1)
    assert (said["comparison"]["differences"], said["comparison"]["moved_on"]) == ([], 0)
    assert said["comparison"]["same"] == said["rows"] > 0
    kept = [LocalRows(path) for path in sorted((tmp_path / "whole" / "availability").iterdir())]
    assert len(kept) == instance.layout.partitions
    assert sum(len(list(rows.keys())) for rows in kept) == said["rows"]
    for rows in kept:
        rows.close()
    assert [path.name for path in (tmp_path / "whole").iterdir()] == ["availability"]

    nothing = instance.replay(tmp_path / "nothing", "--from", "2100-01-01T00:00:00Z")
    assert (nothing.code, "0 records" in nothing.out) == (0, True)
    # A replay that ends before everything has nothing to compare, and says so of every live row.
    early = instance.replay(tmp_path / "early", "--from", "0", "--until", "2000-01-01", "--diff", "--json")
    assert early.code == 0, early.err
    assert json.loads(early.out)["comparison"] == {"same": 0, "moved_on": said["rows"], "differences": []}
    part = instance.replay(tmp_path / "part", "--from", "3", "--json")
    found = json.loads(part.out)
    assert (part.code, found["partial"], found["records"] < len(asked)) == (0, True, True)

    key = await instance.spoil()
    spoilt = instance.replay(tmp_path / "spoilt", "--from", "0", "--diff")
    assert spoilt.code == 1, spoilt.err
    assert f" {key}\n  capacity: live 99, rebuilt " in spoilt.out
    assert "1 different, 1 decided again since" in spoilt.out
