"""Tables of any size on a changelog, written as the product's own settler writes them: slices that end in a position.

What a row holds is what the product's decisions would have left: a resource as it is declared, a booking confirmed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic

from domain.booking_state import Booking, BookingStatus, payment_id_of
from domain.inventory import Resource
from streams.admin import admin
from streams.changelog import source_header
from streams.codec import encode
from streams.deciding import checksum
from streams.envelope import originate
from streams.events import Event
from streams.events.about import Line
from streams.events.availability import Hold
from streams.keys import hash_of, partition_of, resource_key
from streams.local import POSITION_KEY, Position
from streams.publisher import Acknowledgement, KafkaPublisher, Record
from streams.reader import first_records
from streams.services import Service, service_topics
from streams.slices import SLICE_RECORDS

#: A row's partition, key and JSON.
Keyed = tuple[int, str, bytes]
_encode = msgspec.json.Encoder().encode
_DAY = timedelta(days=1)
_CAPACITY = 10_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written: rows, and the bytes of their keys and values."""

    rows: int
    size: int


def unit(number: int) -> tuple[str, str]:
    """The resource of that number: (property, unit type)."""
    return f"BENCH-{number // 10:06}", f"type-{number % 10}"


def resource_rows(count: int, partitions: int) -> Iterator[Keyed]:
    """Rows of the availability service, one for each of so many resources."""
    for number in range(count):
        provider_id, product_id = unit(number)
        key = resource_key.__wrapped__(provider_id, product_id)
        row = Resource(provider_id, product_id, _CAPACITY, Decimal("95.00"), "EUR")
        yield hash_of.__wrapped__(key) % partitions, f"r|{key}", _encode(row)


def booking_rows(count: int, size: int, partitions: int, seed: int) -> Iterator[Keyed]:
    """Rows of the booking service, each about `size` bytes with its key: metadata makes them as large."""
    chance = random.Random(seed)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    least = len(_encode(_booking("0" * 36, now, "")))
    for _ in range(count):
        booking_id = str(_uuid(chance))
        # Random, because a store that compresses would else make nothing of it.
        padding = chance.randbytes(max(0, size - least - len(f"b|{booking_id}")) // 2).hex()
        row = _encode(_booking(booking_id, now, padding))
        yield hash_of.__wrapped__(booking_id) % partitions, f"b|{booking_id}", row


def _uuid(chance: random.Random) -> str:
    digits = chance.randbytes(16).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _booking(booking_id: str, now: datetime, padding: str) -> Booking:
    line = Line(
        line=1,
        provider_id="BENCH-000001",
        product_id="type-1",
        start=now + 30 * _DAY,
        end=now + 32 * _DAY,
        quantity=1,
        price_amount=Decimal("190.00"),
    )
    return Booking(
        booking_id=booking_id,
        kind="stay",
        fingerprint="0" * 64,
        confirmation_number="RSV-2026-000001",
        user_id=booking_id,
        lines=(line,),
        price_amount=line.price_amount,
        price_currency="EUR",
        deadline=now + _DAY,
        free_until=line.start,
        metadata={"time_zone": "UTC", "padding": padding},
        payment_id=payment_id_of(booking_id, 1),
        status=BookingStatus.CONFIRMED,
        answered=(1,),
        authorized=True,
        created_at=now,
        updated_at=now,
        confirmed_at=now,
        captured=line.price_amount,
    )


async def create(bootstrap: str, service: Service, partitions: int) -> None:
    """The service's own topics, as an instance has them."""
    wanted = service_topics(service, partitions)
    async with admin(bootstrap) as client:
        await client.create_topics(
            [NewTopic(topic.name, topic.partitions, 1, topic_configs=topic.config()) for topic in wanted]
        )
        while not {topic.name for topic in wanted} <= set(await client.list_topics()):  # noqa: ASYNC110  # the broker's
            await asyncio.sleep(0.1)


async def fill(
    bootstrap: str, service: Service, partitions: int, rows: Iterable[Keyed], progress: Callable[[int], object]
) -> Filled:
    """Writes the rows to the service's changelog, each slice of them as if one record of the inbox had decided it."""
    publisher = KafkaPublisher(bootstrap)
    await publisher.start()
    try:
        writers = [_Partition(publisher, service, number) for number in range(partitions)]
        count = size = 0
        for number, key, value in rows:
            count, size = count + 1, size + len(key) + len(value)
            if await writers[number].add(key, value):
                progress(SLICE_RECORDS)
        for writer in writers:
            await writer.finish(bootstrap)
    finally:
        await publisher.stop()
    return Filled(count, size)


class _Partition:
    """One partition of a changelog that is filled, and of the inbox its positions stand on: both are empty before."""

    def __init__(self, publisher: KafkaPublisher, service: Service, number: int) -> None:
        self._publisher, self._service, self._number = publisher, service, number
        self._rows: list[tuple[str, bytes]] = []
        self._decided = -1
        self._sending: asyncio.Task[int] | None = None
        self._inbox: list[Acknowledgement] = []

    async def add(self, key: str, value: bytes) -> bool:
        """Whether that made a slice full, which is on its way then."""
        self._rows.append((key, value))
        if len(self._rows) < SLICE_RECORDS:
            return False
        await self._flush()
        return True

    async def finish(self, bootstrap: str) -> None:
        """What is left, and a last position that names the record it stands on as a restore wants it."""
        await self._flush()
        if self._sending is not None:
            await self._sending
        for acknowledged in self._inbox:
            await acknowledged
        last = TopicPartition(self._service.inbox, self._number)
        found = await first_records(bootstrap, {last: self._decided})
        position = Position(self._decided, found[last].timestamp, checksum(found[last].value))
        await self._publisher.send_atomic(self._service.rows, self._number, [_row(POSITION_KEY, position)])

    async def _flush(self) -> None:
        """Sends the next slice, once the one before is acknowledged."""
        if self._sending is not None:
            await self._sending
        rows, self._rows = self._rows, []
        self._decided += 1
        self._inbox.append(self._publisher.send(self._service.inbox, self._number, Record(b"", b"")))
        header = source_header(self._decided)
        records = [Record(key.encode(), value, (header,)) for key, value in rows]
        # Nobody looks at what any but the last position stands on.
        records.append(_row(POSITION_KEY, Position(self._decided, 0, 0)))
        sending = self._publisher.send_atomic(self._service.rows, self._number, records)
        self._sending = asyncio.create_task(sending)


def _row(key: str, position: Position) -> Record:
    return Record(key.encode(), _encode(position), (source_header(position.offset),))


async def append_holds(
    bootstrap: str, service: Service, partitions: int, resources: int, count: int, seed: int
) -> None:
    """Holds of any night of any of so many resources, on the service's inbox."""
    chance = random.Random(seed)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    publisher = KafkaPublisher(bootstrap)
    await publisher.start()
    try:
        sent = []
        for _ in range(count):
            provider_id, product_id = unit(chance.randrange(resources))
            start = now + chance.randrange(360) * _DAY
            hold = Hold(
                provider_id=provider_id,
                product_id=product_id,
                booking_id=_uuid(chance),
                revision=1,
                line=1,
                start=start,
                end=start + 2 * _DAY,
                quantity=1,
            )
            key = resource_key(provider_id, product_id)
            sent.append(publisher.send(service.inbox, partition_of(key, partitions), _message(key, hold)))
        for acknowledged in sent:
            await acknowledged
    finally:
        await publisher.stop()


def _message(key: str, event: Event) -> Record:
    return Record(key.encode(), encode(originate(event, source="bench", now=datetime.now(UTC))))
