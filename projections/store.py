"""The tables, written: changelog records and the watermark they lead to, in one transaction.

A transaction goes from exactly the watermark it was read after: another writer, or an older self that was paused, finds
it moved and changes nothing. Which record of a row holds is decided as workers do (`streams.changelog`).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aiokafka import TopicPartition
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from projections.database import Database, is_about_the_data, one
from projections.folding import Folded, fold
from projections.kinds import Kind
from projections.mapping import KINDS, kind_of
from projections.portions import Portion, Watermark, Watermarks
from projections.schema import ORIGIN, WATERMARKS

logger = logging.getLogger(__name__)
#: Keys named in one statement.
_CHUNK = 500


class Overtaken(Exception):
    """A watermark is not where it was read: somebody else writes, or it was reset."""


class WrongCluster(Exception):
    """The tables show another cluster's log."""


class Store:
    """The tables of one database. Every method is one transaction, and raises what is in `database.DOWN`."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        #: Records that were passed over because nobody could read them, since this process began.
        self.unreadable = 0

    async def claim(self, cluster_id: str, namespace: str) -> None:
        """Makes the tables this log's. Raises WrongCluster when they are another's."""
        async with self._engine.begin() as connection:
            found = await one(connection, select(ORIGIN))
            if found is None:
                await connection.execute(insert(ORIGIN), {"cluster_id": cluster_id, "namespace": namespace})
            elif (found.cluster_id, found.namespace) != (cluster_id, namespace):
                said = f"{found.cluster_id}{f' (namespace {found.namespace})' if found.namespace else ''}"
                raise WrongCluster(
                    f"the tables show Kafka cluster {said}, not {cluster_id}: name another database_url, or give these "
                    "up for this instance's with `vacancy projections rebuild`"
                )

    async def watermarks(self) -> Watermarks:
        async with self._engine.connect() as connection:
            rows = (await connection.execute(select(WATERMARKS))).all()
        return {TopicPartition(row.topic, row.partition): _watermark(row) for row in rows}

    async def begin(self, ends: Mapping[TopicPartition, int]) -> None:
        """Starts partitions that have no watermark at their first offset; they are whole at these ends."""
        try:
            async with self._engine.begin() as connection:
                await _begin(connection, ends)
        except IntegrityError:
            raise Overtaken from None

    async def apply(self, portions: Sequence[Portion]) -> Watermarks:
        """Brings portions into the tables, all or none of them; the watermarks they lead to. A record that the database
        takes in no form is passed over: one row must not hold up all others.

        Raises Overtaken when a watermark moved.
        """
        try:
            return await self._apply(portions)
        except (DBAPIError, OverflowError) as error:
            if not is_about_the_data(error):
                raise
            after: Watermarks = {}
            for portion in portions:
                after[portion.partition] = await self._one_by_one(portion)
            return after

    async def _one_by_one(self, portion: Portion) -> Watermark:
        after = portion.after
        for record in portion.records:
            last = portion.last and record is portion.records[-1]
            alone = replace(portion, records=[record], after=after, last=last)
            try:
                after = (await self._apply([alone]))[portion.partition]
            except (DBAPIError, OverflowError) as error:
                if not is_about_the_data(error):
                    raise
                # Not the error's own text, which shows values.
                where = record.topic, record.partition, record.offset
                logger.error("%s/%s@%s does not fit into the tables and is passed over", *where)
                async with self._engine.begin() as connection:
                    after, _ = await _apply(connection, alone, write=False)
                self.unreadable += 1
        return after

    async def _apply(self, portions: Sequence[Portion]) -> Watermarks:
        after: Watermarks = {}
        unreadable = 0
        async with self._engine.begin() as connection:
            for portion in sorted(portions, key=lambda portion: portion.partition):
                after[portion.partition], passed_over = await _apply(connection, portion)
                unreadable += passed_over
        self.unreadable += unreadable
        return after

    async def touch(self, ends: Mapping[TopicPartition, int], now: datetime) -> None:
        """Notes that partitions whose watermark is their end show the log as of `now`."""
        async with self._engine.begin() as connection:
            for tp, end in ends.items():
                await connection.execute(update(WATERMARKS).where(*_at(tp), WATERMARKS.c.next >= end).values(as_of=now))

    async def reset(self, service: str, partitions: Mapping[TopicPartition, int], *, table_wide: bool = False) -> None:
        """Empties a service's tables of these partitions and begins them anew; they are whole at the given ends.

        `table_wide`: of whatever partition, also of another cluster's log.
        """
        tables = {table for kind in KINDS[service].values() for table in kind.tables}
        async with self._engine.begin() as connection:
            # The watermarks first: whoever writes waits for this transaction, and finds itself overtaken.
            topics = {tp.topic for tp in partitions}
            for tp in partitions:
                await connection.execute(delete(WATERMARKS).where(*_at(tp)))
            if table_wide:
                await connection.execute(delete(WATERMARKS).where(WATERMARKS.c.topic.in_(topics)))
            for table in tables:
                gone = delete(table)
                if not table_wide:
                    gone = gone.where(table.c.partition.in_([tp.partition for tp in partitions]))
                await connection.execute(gone)
            await _begin(connection, partitions)

    async def disown(self) -> None:
        """Forgets whose log the tables show, and every watermark: the next claim makes them its own."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(WATERMARKS))
            await connection.execute(delete(ORIGIN))


def _watermark(row: Any) -> Watermark:
    return Watermark(row.next, row.decided, row.known_through, row.whole_from, row.as_of)


async def _begin(connection: AsyncConnection, ends: Mapping[TopicPartition, int]) -> None:
    fresh = {"next": 0, "decided": -1, "known_through": -1}
    rows = [{"topic": tp.topic, "partition": tp.partition, "whole_from": end, **fresh} for tp, end in ends.items()]
    await connection.execute(insert(WATERMARKS), rows)


def _at(tp: TopicPartition) -> tuple[Any, Any]:
    return WATERMARKS.c.topic == tp.topic, WATERMARKS.c.partition == tp.partition


async def _apply(connection: AsyncConnection, portion: Portion, *, write: bool = True) -> tuple[Watermark, int]:
    """Returns the watermark after it, and how many of the records nobody could read."""
    tp, after = portion.partition, portion.after
    as_of = datetime.fromtimestamp(portion.records[-1].timestamp / 1000, UTC)
    moved = await connection.execute(
        update(WATERMARKS).where(*_at(tp), WATERMARKS.c.next == after.next).values(next=portion.next, as_of=as_of)
    )
    if moved.rowcount != 1:
        raise Overtaken(f"{tp.topic}/{tp.partition} is not at {after.next} any more")
    keys = _by_kind(portion)
    held: dict[str, int] = {}
    for kind, names in keys.items():
        held |= await _sources(connection, kind.head, tp.partition, names)
    folded = fold(portion.service, portion.records, held, after.known_through)
    decided = max(after.decided, folded.decided)
    known_through = decided if portion.last else after.known_through
    await connection.execute(update(WATERMARKS).where(*_at(tp)).values(decided=decided, known_through=known_through))
    if write:
        await _write(connection, tp.partition, keys, folded)
    return Watermark(portion.next, decided, known_through, after.whole_from, as_of), folded.unreadable


def _by_kind(portion: Portion) -> dict[Kind, list[str]]:
    found: defaultdict[Kind, dict[str, None]] = defaultdict(dict)
    for record in portion.records:
        key = (record.key or b"\0").decode("utf-8", "replace")
        if (kind := kind_of(portion.service, key)) is not None:
            found[kind][key] = None
    return {kind: list(names) for kind, names in found.items()}


async def _sources(connection: AsyncConnection, head: Table, partition: int, keys: list[str]) -> dict[str, int]:
    """At which inbox offset the rows were decided that the tables have."""
    found: dict[str, int] = {}
    for some in _chunks(keys):
        wanted = select(head.c.row_key, head.c.source).where(head.c.partition == partition, head.c.row_key.in_(some))
        found |= {row.row_key: row.source for row in await connection.execute(wanted)}
    return found


async def _write(
    connection: AsyncConnection, partition: int, keys: Mapping[Kind, Iterable[str]], folded: Folded
) -> None:
    for kind, names in keys.items():
        changed = [name for name in names if name in folded.changed]
        for table in kind.tables:
            for some in _chunks(changed):
                gone = delete(table).where(table.c.partition == partition, table.c.row_key.in_(some))
                await connection.execute(gone)
    for table, rows in folded.rows.items():
        await connection.execute(insert(table), [{**row, "partition": partition} for row in rows])


def _chunks(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK))
