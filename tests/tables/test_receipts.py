"""The receipt service's rows: numbers interleave between partitions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from streams.envelope import originate
from streams.events import Event
from streams.events.receipts import ReceiptWritten, WriteReceipt
from streams.keys import partition_of
from streams.local import LocalRows
from streams.working import WorkingRows
from tables.receipts import Receipts
from tests.domain.test_receipts import request

NOW = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
PARTITIONS = 4


@pytest.fixture
def partitions(tmp_path: Path) -> Iterator[list[WorkingRows]]:
    local = [LocalRows(tmp_path / str(number)) for number in range(PARTITIONS)]
    yield [WorkingRows(each) for each in local]
    for each in local:
        each.close()


def take(partitions: list[WorkingRows], message: Event, payment_id: str) -> list[Event]:
    rows = partitions[partition_of(payment_id, PARTITIONS)]
    asked = msgspec.structs.replace(message, payment_id=payment_id)
    return list(Receipts(PARTITIONS).apply(rows, originate(asked, source="test", now=NOW), NOW, 0))


def test_every_payment_gets_a_number_of_its_own(partitions: list[WorkingRows]) -> None:
    said = [event for n in range(200) for event in take(partitions, request(), f"payment-{n}")]
    numbers = {event.receipt_number for event in said if isinstance(event, WriteReceipt)}
    assert len(numbers) == len(said) == 200
    assert all(number.startswith("RCP-2026-") for number in numbers)


def test_a_repeated_request_takes_no_number(partitions: list[WorkingRows]) -> None:
    (first,) = take(partitions, request(), "payment-1")
    assert take(partitions, request(), "payment-1") == []
    take(partitions, ReceiptWritten(payment_id="x", effect_id="f"), "payment-1")
    neighbour = next(
        f"other-{n}" for n in range(99) if partition_of(f"other-{n}", 4) == partition_of("payment-1", PARTITIONS)
    )
    (second,) = take(partitions, request(), neighbour)
    assert isinstance(first, WriteReceipt)
    assert isinstance(second, WriteReceipt)
    assert int(second.receipt_number[-6:]) - int(first.receipt_number[-6:]) == PARTITIONS
