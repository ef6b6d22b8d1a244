"""Changelog records become rows, once, in the right order, on both databases."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from domain.booking_state import BookingStatus
from projections.columns import METADATA
from projections.database import Database
from projections.portions import Portion
from projections.schema import BOOKINGS as TABLE
from projections.schema import LINES, PAYMENTS, REFUNDS
from projections.store import Overtaken, Store, WrongCluster
from tests.projections.conftest import open_copy
from tests.projections.rows import BOOKINGS, Record, booking, gone, payment, position, put, rows, write


async def statuses(database: Database) -> dict[str, str]:
    return {row["booking_id"]: row["status"] for row in await rows(database, TABLE)}


@pytest.mark.proves("HTL-13", "ORD-08")
async def test_a_row_becomes_rows_of_tables(database: Database) -> None:
    await write(Store(database), [put(0, 7, booking(reason="ill, says Ada"), "b|b1"), position(1, 7)])
    (row,) = await rows(database, TABLE)
    assert (row["booking_id"], row["price"], row["currency"]) == ("b1", Decimal("200.00"), "EUR")
    assert (row["check_in"], row["check_out"]) == (date(2026, 12, 24), date(2026, 12, 26))
    assert (row["property_id"], row["unit_type"], row["source"]) == ("PROP-001", "deluxe suite", 7)
    assert row["reason"] is None  # the guest's own words
    assert [line["booking_id"] for line in await rows(database, LINES)] == ["b1"]


async def test_money_and_its_refunds(database: Database) -> None:
    tp = TopicPartition("vacancy.payment.rows", 2)
    await write(Store(database), [put(0, 1, payment(), "p|p1")], service="payment", tp=tp)
    (row,), (refund,) = await rows(database, PAYMENTS), await rows(database, REFUNDS)
    assert (row["captured"], row["refunded"]) == (Decimal("200.00"), Decimal("50.00"))
    assert (refund["amount"], refund["reason"], refund["partition"]) == (Decimal("50.00"), None, 2)


async def test_the_newest_row_holds_and_a_deleted_one_goes(database: Database) -> None:
    store = Store(database)
    await write(store, [put(0, 1, booking(status=BookingStatus.PENDING), "b|b1"), put(1, 2, booking(), "b|b1")])
    assert await statuses(database) == {"b1": "CONFIRMED"}
    await write(store, [gone(2, 3, "b|b1")])
    assert (await rows(database, TABLE), await rows(database, LINES)) == ([], [])


async def test_what_a_paused_worker_wrote_late_changes_nothing(database: Database) -> None:
    store, stale = Store(database), booking(status=BookingStatus.PENDING)
    await write(store, [put(0, 5, booking(), "b|b1"), put(1, 6, booking("b2"), "b|b2"), position(2, 6)])
    await write(store, [gone(3, 7, "b|b2"), position(4, 7)])
    await write(store, [put(5, 3, stale, "b|b1"), put(6, 4, booking("b2"), "b|b2")])
    assert await statuses(database) == {"b1": "CONFIRMED"}


async def test_a_row_put_again_is_taken_where_its_first_record_was_compacted_away(database: Database) -> None:
    stale = booking(status=BookingStatus.PENDING)
    await write(Store(database), [position(97, 90), put(98, 3, stale, "b|b1"), put(100, 5, booking(), "b|b1")])
    assert await statuses(database) == {"b1": "CONFIRMED"}


async def test_a_portion_that_was_written_already_is_refused_whole(database: Database) -> None:
    store = Store(database)
    await store.begin({BOOKINGS: 0})
    before = (await store.watermarks())[BOOKINGS]
    records = [put(0, 1, booking(), "b|b1")]
    await store.apply([Portion("booking", BOOKINGS, before, records, True)])
    late = [put(0, 1, booking(status=BookingStatus.PENDING), "b|b1"), put(1, 9, booking("b2"), "b|b2")]
    with pytest.raises(Overtaken):
        await store.apply([Portion("booking", BOOKINGS, before, late, True)])
    assert await statuses(database) == {"b1": "CONFIRMED"}
    assert (await store.watermarks())[BOOKINGS].next == 1


async def test_of_two_writers_one_gets_through(database: Database) -> None:
    store = Store(database)
    await store.begin({BOOKINGS: 0})
    before = (await store.watermarks())[BOOKINGS]
    portion = Portion("booking", BOOKINGS, before, [put(0, 1, booking(), "b|b1")], True)
    outcomes = await asyncio.gather(store.apply([portion]), store.apply([portion]), return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["Overtaken", "dict"]
    assert len(await rows(database, TABLE)) == 1


async def test_what_nobody_can_read_is_counted_and_passed_over(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(database)
    broken = [put(0, 1, b"{", "b|b1"), Record(1, b"\xff", b"{}", ()), put(2, 2, booking("b2"), "b|b2")]
    await write(store, broken)
    assert (await statuses(database), store.unreadable) == ({"b2": "CONFIRMED"}, 2)
    assert "the row at 0 is in no table" in caplog.text


async def test_what_no_column_takes_is_passed_over_and_holds_up_nothing(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    store, huge = Store(database), 2**63
    records = [put(0, 0, booking("b1"), "b|b1"), put(1, 1, booking("b2", revision=huge), "b|b2")]
    await write(store, [*records, put(2, 2, booking("b3"), "b|b3")])
    assert (await statuses(database), store.unreadable) == ({"b1": "CONFIRMED", "b3": "CONFIRMED"}, 1)
    assert "@1 does not fit into the tables" in caplog.text
    await write(store, [put(3, 3, booking("b2"), "b|b2")])
    assert set(await statuses(database)) == {"b1", "b2", "b3"}


async def test_tables_of_another_log_are_not_touched(database: Database) -> None:
    store = Store(database)
    await store.claim("cluster-1", "")
    await store.claim("cluster-1", "")
    with pytest.raises(WrongCluster, match="vacancy projections rebuild"):
        await store.claim("cluster-2", "")
    await store.disown()
    await store.claim("cluster-2", "")


async def test_a_reset_partition_is_filled_anew(database: Database) -> None:
    store, records = Store(database), [put(0, 1, booking(), "b|b1"), position(1, 1)]
    await write(store, records)
    await store.reset("booking", {BOOKINGS: 2})
    assert await rows(database, TABLE) == []
    assert not (await store.watermarks())[BOOKINGS].whole
    await write(store, records)
    assert await statuses(database) == {"b1": "CONFIRMED"}
    assert (await store.watermarks())[BOOKINGS].whole


async def test_the_migrations_make_the_tables_that_are_declared(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"include_schemas": True, "include_object": _ours})
        found: list[Any] = compare_metadata(context, METADATA)
        return found

    await database.migrate()  # a second time: nothing is left to do
    if not database.sqlite:  # there they have no schemas to be compared by
        async with database.engine.connect() as connection:
            assert await connection.run_sync(differences) == []


def _ours(thing: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
    return name != "projections_version"


_steps = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["PENDING", "CONFIRMED", "CANCELLED", None]), st.booleans()),
    min_size=1,
    max_size=25,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps, cuts=st.sets(st.integers(1, 40)))
async def test_bit_by_bit_or_all_at_once_the_tables_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, template: Path, steps: list[tuple[int, str | None, bool]], cuts: set[int]
) -> None:
    """Random rows, put, deleted, and put again late by a worker that was paused; the owner heals at once."""
    records: list[Record] = []
    newest: dict[str, Record] = {}
    for source, (number, status, late) in enumerate(steps):
        key = f"b|b{number}"
        if late and key in newest:
            old = newest[key]
            records.append(put(len(records), max(source_of_(old) - 1, 0), booking(f"b{number}"), key))
            records.append(Record(len(records), old.key, old.value, old.headers))
            continue
        made = booking(f"b{number}", status=BookingStatus(status)) if status else None
        record = put(len(records), source, made, key) if made else gone(len(records), source, key)
        newest[key] = record
        records += [record, position(len(records) + 1, source)]
    found = []
    for edges in (set[int](), cuts):
        database = open_copy(template, tmp_path_factory.mktemp("projections") / "projections.sqlite")
        store = Store(database)
        places = sorted({0, len(records), *(edge for edge in edges if edge < len(records))})
        for start, end in pairwise(places):
            await write(store, records[start:end], last=end == len(records))
        found.append([await rows(database, table) for table in (TABLE, LINES)])
        await database.close()
    assert found[0] == found[1]
    expected = {key: record for key, record in newest.items() if record.value is not None}
    assert {row["row_key"]: row["source"] for row in found[0][0]} == {
        key: source_of_(record) for key, record in expected.items()
    }


def source_of_(record: Record) -> int:
    return int(record.headers[0][1])
