"""Compares the tables with the changelogs they were made from, up to the offset they have reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from projections.database import Database
from projections.folding import fold
from projections.mapping import KINDS
from projections.schema import WATERMARKS
from streams.following import stopped
from streams.reader import Raw, consumer, read_to_end

#: Where a row is from, of every table.
Place = tuple[str, int, int]
Rows = dict[Place, dict[str, Any]]


@dataclass
class Found:
    """How many rows were compared, and what differs: the table, the row's key, and what of it."""

    checked: int = 0
    differences: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Snapshot:
    """The tables of some services and their watermarks, as of one moment."""

    ends: dict[TopicPartition, int] = field(default_factory=dict)
    tables: dict[Table, Rows] = field(default_factory=dict)


async def take(database: Database, topics: Mapping[str, str]) -> Snapshot:
    """What the database has of these changelogs (topic -> service)."""
    found = Snapshot()
    async with database.engine.connect() as connection:
        if not database.sqlite:
            connection = await connection.execution_options(isolation_level="REPEATABLE READ")
        async with connection.begin():
            for row in await connection.execute(select(WATERMARKS)):
                if row.topic in topics:
                    found.ends[TopicPartition(row.topic, row.partition)] = row.next
            for service in topics.values():
                for table in _tables(service):
                    found.tables[table] = await _rows(connection, table)
    return found


async def _rows(connection: AsyncConnection, table: Table) -> Rows:
    rows = (await connection.execute(select(table))).mappings()
    return {(row["row_key"], row["partition"], row["item"]): dict(row) for row in rows}


async def compare(bootstrap: str, snapshot: Snapshot, topics: Mapping[str, str]) -> Found:
    """The snapshot beside the changelogs up to its watermarks."""
    found = Found()
    logs = await _read(bootstrap, snapshot.ends)
    expected: defaultdict[Table, Rows] = defaultdict(dict)
    for tp, records in logs.items():
        for table, made in fold(topics[tp.topic], records, {}, -1).rows.items():
            for row in made:
                expected[table][row["row_key"], tp.partition, row["item"]] = {**row, "partition": tp.partition}
    for table, rows in snapshot.tables.items():
        _compare(table, rows, expected[table], found)
    return found


def _compare(table: Table, rows: Rows, expected: Rows, found: Found) -> None:
    for place in sorted(rows.keys() | expected.keys()):
        found.checked += 1
        has, said = rows.get(place), expected.get(place)
        if has is None or said is None:
            found.differences.append((table.fullname, place[0], "is missing" if has is None else "should not be there"))
        elif names := [name for name in said if has[name] != said[name]]:
            found.differences.append((table.fullname, place[0], f"differs in {', '.join(sorted(names))}"))


async def _read(bootstrap: str, ends: Mapping[TopicPartition, int]) -> dict[TopicPartition, list[Raw]]:
    """Every record of these partitions before their ends."""
    found: defaultdict[TopicPartition, list[Raw]] = defaultdict(list)
    wanted = {tp: end for tp, end in ends.items() if end > 0}
    if not wanted:
        return {}
    reader = consumer(bootstrap)
    await reader.start()
    try:
        reader.assign(list(wanted))
        await reader.seek_to_beginning(*wanted)
        async for tp, records in read_to_end(reader, list(wanted), wanted):
            found[tp] += [record for record in records if record.offset < wanted[tp]]
    finally:
        await stopped(reader)
    return found


def _tables(service: str) -> Iterable[Table]:
    return {table: None for kind in KINDS[service].values() for table in kind.tables}
