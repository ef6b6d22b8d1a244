"""The receipt service's rows: numbers interleave between partitions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from streams.envelope import originate
from streams.events import Event
from streams.events.receipts import ReceiptGenerated, ReceiptWritten
from streams.keys import partition_of
from streams.local import LocalRows, Row
from streams.working import WorkingRows
from tables.receipts import Place, Receipts, index_key
from tests.domain.test_receipts import request, rules_1

NOW = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
PARTITIONS = 4


@pytest.fixture
def partitions(tmp_path: Path) -> Iterator[list[WorkingRows]]:
    local = [LocalRows(tmp_path / str(number)) for number in range(PARTITIONS)]
    yield [WorkingRows(each) for each in local]
    for each in local:
        each.close()


def take(partitions: list[WorkingRows], message: Event, payment_id: str, now: datetime = NOW) -> list[Event]:
    rows = partitions[partition_of(payment_id, PARTITIONS)]
    asked = msgspec.structs.replace(message, payment_id=payment_id)
    return list(Receipts(PARTITIONS).apply(rows, originate(asked, source="test", now=now), now, 0))


def numbers(said: list[Event]) -> list[str]:
    return [event.receipt_number for event in said if isinstance(event, ReceiptGenerated)]


def test_every_payment_gets_a_number_of_its_own(partitions: list[WorkingRows]) -> None:
    said = [event for n in range(200) for event in take(partitions, request(), f"payment-{n}")]
    assert len(set(numbers(said))) == len(said) == 200
    assert all(number.startswith("RCP-2026-") for number in numbers(said))


def test_a_repeated_request_takes_no_number(partitions: list[WorkingRows]) -> None:
    (first,) = take(partitions, request(), "payment-1")
    assert take(partitions, request(), "payment-1") == []
    take(partitions, ReceiptWritten(payment_id="x", effect_id="f"), "payment-1")
    neighbour = next(
        f"other-{n}" for n in range(99) if partition_of(f"other-{n}", 4) == partition_of("payment-1", PARTITIONS)
    )
    (second,) = take(partitions, request(), neighbour)
    assert isinstance(first, ReceiptGenerated)
    assert isinstance(second, ReceiptGenerated)
    assert int(second.receipt_number[-6:]) - int(first.receipt_number[-6:]) == PARTITIONS


def test_the_index_says_which_payment_a_receipt_is_of(partitions: list[WorkingRows]) -> None:
    """One of the rules 1 has no entry, so that an old inbox gives the rows it gave."""
    (news,) = take(partitions, request(), "payment-1")
    assert isinstance(news, ReceiptGenerated)
    take(partitions, rules_1(), "payment-2")
    found = {key: row for rows in partitions for key, row in rows.take_changes().items() if key.startswith("i|")}
    assert list(found) == [index_key(news.receipt_id)]
    payload = found[index_key(news.receipt_id)].payload
    assert payload is not None
    assert msgspec.json.decode(payload, type=Place) == Place("payment-1")


@pytest.mark.proves("CAT-21")
def test_the_count_goes_on_over_new_year(partitions: list[WorkingRows]) -> None:
    """A receipt shows the year of its record in UTC, and its digits alone are nobody else's."""
    said = [take(partitions, request(), f"p-{n}", NOW + n * timedelta(seconds=1)) for n in range(120)]
    given = [number for each in said for number in numbers(each)]
    assert [number[:9] for number in given] == ["RCP-2026-"] * 60 + ["RCP-2027-"] * 60
    assert len({number[9:] for number in given}) == 120


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_killed_service_gives_the_same_numbers_again(tmp_path: Path, kept: int) -> None:
    """It had told of five, and so many were durable: what is decided again from there gets the numbers it had."""
    neighbours = [f"p-{n}" for n in range(99) if partition_of(f"p-{n}", PARTITIONS) == 0][:5]
    local = LocalRows(tmp_path)

    def decide(rows: WorkingRows, payments: list[str]) -> list[str]:
        return [number for each in payments for number in numbers(take([rows] * PARTITIONS, request(), each))]

    durable = WorkingRows(local)
    first = decide(durable, neighbours[:kept])
    local.write({key: Row(row.payload, 0, 0) for key, row in durable.take_changes().items()}, 1)
    lost = decide(WorkingRows(local), neighbours[kept:])
    again = decide(WorkingRows(local), neighbours[kept:])
    assert lost == again
    assert len({*first, *again}) == 5
    local.close()
