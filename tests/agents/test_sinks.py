"""The groups that keep files: from a topic's records to lines, and the commit after them."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.journal import JournalDamaged
from agents import sinks
from agents.tools import Tools
from streams.envelope import caused_by, originate
from streams.events import Envelope, Event
from streams.events.analytics import AnalyticsTracked
from streams.events.booking_news import BookingConfirmed
from streams.events.rate import RateUpdated
from streams.events.records import PrescriptionCreated
from streams.group import GroupApp
from streams.layout import load_layout
from streams.listening import Listener
from streams.publisher import Record
from streams.signing import Signer
from streams.voice import Voice
from tests.memory_log import MemoryLog, Stored

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
#: The day of the memory log's records.
DAY = "2023-11-14"
CONTENT = {
    "prescriptionId": "rx1",
    "patientId": "u1",
    "doctorId": "d1",
    "medication": "Metformin",
    "dosage": "500 mg",
    "frequency": "daily",
    "startDate": "2026-12-01",
    "endDate": "2026-12-31",
}
SIGNER = Signer(b"secret")


class Keys:
    """Seals so that tests can see it, and reveals a patient's prescription."""

    async def seal(self, user_id: str, text: str) -> str:
        return f"{user_id}:{text.encode().hex()}"

    def reveal(self, user_id: str, sealed: str | None) -> Mapping[str, Any]:
        return CONTENT if sealed is not None else {}

    def knows(self, user_id: str, sealed: str) -> bool:
        return True

    async def caught_up(self) -> None:
        return None


class Group:
    """A group's App without Faust: keeps the agent that is attached, and what is committed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.app = self
        self.reads: list[str] = []
        self.agents: dict[str, Callable[[Any], Awaitable[None]]] = {}
        self.committed: list[tuple[str, int, int]] = []
        self.failed: list[BaseException] = []
        self.on_revoked: list[Callable[[], object]] = []

    def topics(self, topics: Sequence[Any]) -> list[str]:
        self.reads = [topic.name for topic in topics]
        return self.reads

    def agent(self, topics: object, name: str) -> Callable[[Callable[[Any], Awaitable[None]]], None]:
        def keep(function: Callable[[Any], Awaitable[None]]) -> None:
            self.agents[name] = function

        return keep

    async def guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            self.failed.append(error)

    def commit(self, topic: str, partition: int, offset: int) -> None:
        self.committed.append((topic, partition, offset))

    finished = GroupApp.finished


class Stream:
    """What fetches brought, as Faust's streams hand it over; `acked` counts those that are done."""

    def __init__(self, *fetched: list[Stored]) -> None:
        self._fetched = fetched
        self.acked = 0

    def noack(self) -> Stream:
        return self

    async def events(self) -> AsyncIterator[Any]:
        for fetched in self._fetched:
            partitions: defaultdict[tuple[str, int], list[Stored]] = defaultdict(list)
            for record in fetched:
                partitions[record.topic, record.partition].append(record)
            yield SimpleNamespace(value=list(partitions.values()), ack=self._ack)

    def _ack(self) -> None:
        self.acked += 1


class World:
    """One layout's log with a sink that reads it."""

    def __init__(self, directory: Path, layout: str, service: str) -> None:
        self.directory = directory
        self.layout = load_layout(layout)
        self.log = MemoryLog()
        self._voice = Voice(self.log, self.layout, SIGNER, Keys())
        self._attach = getattr(sinks, f"attach_{service}")
        self._service = service
        self.group = self.attached()

    def attached(self) -> Group:
        """The sink anew, as after a restart."""
        group = Group(self._service)
        tools = SimpleNamespace(
            runtime=SimpleNamespace(layout=self.layout),
            listener=Listener(self.layout, SIGNER),
            keyring=Keys(),
            settings=SimpleNamespace(data=self.directory),
        )
        self._attach(cast("GroupApp", group), cast("Tools", tools))
        return group

    def say(self, event: Event) -> Envelope:
        envelope = caused_by(originate(event, source="test", now=NOW), event, index=0, now=NOW, source="test-service")
        self._voice.say(envelope)
        return envelope

    def records(self, topic: str) -> list[Stored]:
        return [record for (name, _), held in sorted(self.log.records.items()) if name == topic for record in held]

    async def hand_over(self, *records: Stored) -> int:
        """How many fetches were done."""
        stream = Stream(list(records))
        await self.group.agents[f"write-{self._service}"](stream)
        return stream.acked

    def lines(self, path: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.directory / path).read_text("utf-8").splitlines()]


def prescription() -> PrescriptionCreated:
    return PrescriptionCreated(
        record_id="rx1", user_id="u1", content="sealed", status="active", revision=1, changed_at=NOW
    )


def tracked() -> AnalyticsTracked:
    return AnalyticsTracked(
        tracked_id="t1",
        name="booking.booking.confirmed",
        entity_id="b1",
        provider_id="hotel",
        properties={"amount": "240.00"},
        tracked_at=NOW,
    )


def confirmed() -> BookingConfirmed:
    return BookingConfirmed(
        booking_id="b1",
        user_id="u1",
        product_id="double",
        payment_id="p1",
        confirmed_at=NOW,
        price_amount=Decimal(1),
        price_currency="EUR",
    )


@pytest.mark.proves("CAT-13", "CAT-30")
async def test_what_analytics_says_is_there_as_cloud_events(tmp_path: Path) -> None:
    world = World(tmp_path, "catalogue", "integration")
    assert world.group.reads == ["analytics.event.tracked"]
    said = world.say(tracked())
    (record,) = world.records("analytics.event.tracked")
    assert await world.hand_over(record) == 1
    (line,) = world.lines(f"integration/analytics.event.tracked/{record.partition}/{DAY}.jsonl")
    data = line.pop("data")
    assert line == {
        "offset": 0,
        "specversion": "1.0",
        "id": said.event_id,
        "source": "/vacancy/test-service",
        "type": "analytics.event.tracked",
        "subject": "b1",
        "time": "2026-12-01T12:00:00+00:00",
        "datacontenttype": "application/json",
        "correlationid": said.correlation_id,
        "causationid": said.causation_id,
    }
    assert (data["entity_id"], data["properties"]) == ("b1", {"amount": "240.00"})


async def test_what_others_say_in_our_name_is_not_passed_on(tmp_path: Path) -> None:
    world = World(tmp_path, "catalogue", "integration")
    world.say(tracked())
    (ours,) = world.records("analytics.event.tracked")
    forged = world.log.append(ours.topic, ours.partition, Record(ours.key, ours.value))
    nonsense = world.log.append(ours.topic, ours.partition, Record(ours.key, b"{", SIGNER.signed("x", b"{")))
    assert await world.hand_over(forged, nonsense) == 1
    assert world.group.committed == [(ours.topic, ours.partition, 3)]
    assert not (tmp_path / "integration").exists()


@pytest.mark.proves("CLN-17")
async def test_the_log_has_a_line_for_each_event_and_nothing_personal(tmp_path: Path) -> None:
    world = World(tmp_path, "clinic", "logging")
    assert "prescription-events" in world.group.reads
    said = world.say(prescription())
    (record,) = world.records("prescription-events")
    assert b"Metformin" in (record.value or b"")
    poison = world.log.append(record.topic, record.partition, Record(None, b"Ada has a cold"))
    await world.hand_over(record, poison)
    path = f"journal/log/prescription-events/{record.partition}/{DAY}.jsonl"
    first, second = world.lines(path)
    assert (first["type"], first["action"], first["event_id"]) == (said.event_type, "created", said.event_id)
    assert (first["record_id"], first["user_id"], first["time"][:10]) == ("rx1", "u1", DAY)
    assert (second["type"], second["offset"], second["topic"]) == (None, 1, "prescription-events")
    text = (tmp_path / path).read_text("utf-8")
    assert not any(word in text for word in ("Metformin", "Ada", "sealed", "500 mg"))


def test_the_action_of_news_is_its_type_s_last_word() -> None:
    news = originate(confirmed(), source="test", now=NOW)
    record = Stored("booking.booking.confirmed", 0, 3, 0, None, None)
    line = sinks.log_line(record, news)
    assert (line["action"], line["booking_id"], line["payment_id"]) == ("confirmed", "b1", "p1")
    assert line["time"] == "1970-01-01T00:00:00+00:00"


@pytest.mark.proves("CLN-17", "CLN-18", "C21", "C24")
async def test_the_archive_has_the_original_bytes_sealed_under_the_patient_s_key(tmp_path: Path) -> None:
    world = World(tmp_path, "clinic", "archive")
    world.say(prescription())
    (record,) = world.records("prescription-events")
    poison = world.log.append(record.topic, record.partition, Record(None, None, (("a", b"\xff"), ("a", b""))))
    await world.hand_over(record, poison)
    path = f"archive/prescription-events/{record.partition}/{DAY}.jsonl"
    sealed, plain = world.lines(path)
    assert "Metformin" not in (tmp_path / path).read_text("utf-8")
    assert (sealed["offset"], sealed["timestamp"], sealed["user_id"]) == (0, record.timestamp, "u1")
    owner, _, text = sealed["sealed"].partition(":")
    assert owner == "u1"
    assert rebuilt(json.loads(bytes.fromhex(text))) == (record.key, record.value, record.headers)
    assert rebuilt(plain) == (None, None, poison.headers)


def rebuilt(line: dict[str, Any]) -> tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]:
    def raw(text: str | None) -> bytes | None:
        return base64.b64decode(text) if text is not None else None

    headers = tuple((name, base64.b64decode(value)) for name, value in line["headers"])
    return raw(line["key"]), raw(line["value"]), headers


async def test_what_concerns_no_user_is_archived_as_it_is() -> None:
    price = RateUpdated(provider_id="h", product_id="d", price_amount=Decimal(1), price_currency="EUR", updated_at=NOW)
    record = Stored("rate.rate.updated", 0, 0, 5, b"k", b"v")
    line = await sinks.archived(record, originate(price, source="test", now=NOW), Keys())
    assert line == {"timestamp": 5, "key": "aw==", "value": "dg==", "headers": []}


@pytest.mark.proves("CLN-02", "CLN-03")
async def test_a_redelivered_batch_is_written_once_and_committed_each_time(tmp_path: Path) -> None:
    world = World(tmp_path, "clinic", "logging")
    world.say(prescription())
    world.say(prescription())
    first, second = world.records("prescription-events")
    await world.hand_over(first)
    restarted = world.group = world.attached()
    await world.hand_over(first, second)
    for tell in restarted.on_revoked:
        tell()
    await world.hand_over(first, second)
    path = f"journal/log/prescription-events/{first.partition}/{DAY}.jsonl"
    assert [line["offset"] for line in world.lines(path)] == [0, 1]
    assert restarted.committed == [("prescription-events", first.partition, 2)] * 2


async def test_what_could_not_be_written_is_not_committed(tmp_path: Path) -> None:
    world = World(tmp_path, "clinic", "archive")
    world.say(prescription())
    (record,) = world.records("prescription-events")
    damaged = tmp_path / "archive" / record.topic / str(record.partition) / f"{DAY}.jsonl"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("somebody's note\n")
    assert await world.hand_over(record) == 0
    assert world.group.committed == []
    (error,) = world.group.failed
    assert isinstance(error, JournalDamaged)


def test_a_group_without_topics_reads_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, "catalogue", "archive")
    assert (world.group.reads, world.group.agents, world.group.on_revoked) == ([], {}, [])


def test_a_record_s_day_is_in_utc_whatever_its_time_says() -> None:
    times = {1_700_000_000_000: DAY, -1: "1969-12-31", 2**62: "1970-01-01"}
    for timestamp, day in times.items():
        assert str(sinks.day_of(Stored("t", 0, 0, timestamp, None, None))) == day
