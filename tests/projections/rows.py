"""Changelog records as workers write them, and rows to put into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from aiokafka import TopicPartition
from sqlalchemy import Table, select

from domain.booking_state import Booking, BookingStatus
from domain.payment_state import Payment, PaymentStatus, RefundRecord
from projections.database import Database
from projections.portions import Portion
from projections.store import Store
from streams.changelog import source_header
from streams.events.about import Line
from streams.local import POSITION_KEY

BOOKINGS = TopicPartition("vacancy.booking.rows", 0)
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a changelog."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    topic: str = BOOKINGS.topic
    partition: int = BOOKINGS.partition

    @property
    def timestamp(self) -> int:
        return round(NOW.timestamp() * 1000) + self.offset


def put(offset: int, source: int, row: msgspec.Struct | bytes, key: str) -> Record:
    value = row if isinstance(row, bytes) else msgspec.json.encode(row)
    return Record(offset, key.encode(), value, (source_header(source),))


def gone(offset: int, source: int, key: str) -> Record:
    return Record(offset, key.encode(), None, (source_header(source),))


def position(offset: int, source: int) -> Record:
    return put(offset, source, b"{}", POSITION_KEY)


def booking(name: str = "b1", **more: Any) -> Booking:
    """A stay of two nights."""
    start = datetime(2026, 12, 24, 14, tzinfo=UTC)
    line = Line(
        line=1,
        provider_id="PROP-001",
        product_id="deluxe suite",
        start=start,
        end=start + timedelta(days=2),
        quantity=1,
        price_amount=Decimal("200.00"),
    )
    given: dict[str, Any] = {
        "booking_id": name,
        "kind": "stay",
        "fingerprint": "",
        "confirmation_number": f"RSV-2026-{name}",
        "user_id": "user-1",
        "guest": "sealed",
        "lines": (line,),
        "price_amount": Decimal("200.00"),
        "price_currency": "EUR",
        "deadline": NOW,
        "free_until": NOW,
        "payment_id": f"p-{name}",
        "created_at": NOW,
        "updated_at": NOW,
        "status": BookingStatus.CONFIRMED,
        **more,
    }
    return Booking(**given)


def payment(name: str = "p1") -> Payment:
    refund = RefundRecord(amount=Decimal("50.00"), status="refunded", reason="Ada was ill", ordered_by="cancellation")
    return Payment(
        payment_id=name,
        booking_id="b1",
        revision=1,
        status=PaymentStatus.CAPTURED,
        created_at=NOW,
        updated_at=NOW,
        amount=Decimal("200.00"),
        captured=Decimal("200.00"),
        currency="EUR",
        refunds={"r1": refund},
    )


async def write(
    store: Store,
    records: Sequence[Record],
    *,
    service: str = "booking",
    tp: TopicPartition = BOOKINGS,
    last: bool = True,
) -> None:
    """Brings records in after the watermark, beginning the partition where it has none."""
    if tp not in await store.watermarks():
        await store.begin({tp: 0})
    await store.apply([Portion(service, tp, (await store.watermarks())[tp], records, last)])


async def rows(database: Database, table: Table) -> list[dict[str, Any]]:
    """All rows of a table, in the order of where they are from."""
    asked = select(table).order_by(table.c.row_key, table.c.partition, table.c.item)
    async with database.engine.connect() as connection:
        return [dict(row) for row in (await connection.execute(asked)).mappings()]
