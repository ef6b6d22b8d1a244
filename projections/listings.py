"""Lists of bookings and payments, read from the tables: the newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from projections.database import DOWN, Database, reason
from projections.schema import BOOKINGS, LINES, PAYMENTS, WATERMARKS


class ListsUnavailable(Exception):
    """The tables cannot be asked; the text says why."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last entry of the page before."""

    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingsAsked:
    """Which bookings; None is any. `first` and `last`: those that take something of the dates `[first, last)`, in the
    time zone they were booked in.
    """

    property_id: str | None = None
    unit_type: str | None = None
    user_id: str | None = None
    status: str | None = None
    confirmation_number: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentsAsked:
    """Which payments; None is any. `first` and `last`: those that were opened on the dates `[first, last)` in UTC."""

    booking_id: str | None = None
    status: str | None = None
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows by the names of their columns, whether there are more, and as of when."""

    rows: Sequence[Mapping[str, Any]]
    more: bool
    as_of: datetime


class Listings:
    """Asks the tables of one database. `changelogs`: the topic and number of partitions of each service's rows."""

    def __init__(self, database: Database | None, changelogs: Mapping[str, tuple[str, int]]) -> None:
        self._database = database
        self._changelogs = changelogs

    async def bookings(self, asked: BookingsAsked, limit: int, after: Cursor | None) -> Page:
        """Raises ListsUnavailable."""
        return await self._page("booking", _bookings(asked), BOOKINGS, "booking_id", limit, after)

    async def payments(self, asked: PaymentsAsked, limit: int, after: Cursor | None) -> Page:
        """Raises ListsUnavailable."""
        return await self._page("payment", _payments(asked), PAYMENTS, "payment_id", limit, after)

    async def states(self) -> dict[tuple[str, str], int]:
        """How many bookings there are of each kind and status; none where there are no tables. Raises ListsUnavailable.

        PENDING is there for every kind: none is a figure, too.
        """
        if self._database is None:
            return {}
        kind, status = BOOKINGS.c.kind, BOOKINGS.c.status
        try:
            async with self._database.engine.connect() as connection:
                await self._as_of(connection, "booking")
                counted = await connection.execute(select(kind, status, func.count()).group_by(kind, status))
                found = {(row[0], row[1]): int(row[2]) for row in counted}
        except DOWN as error:
            raise _unavailable(error) from None
        return {(each, "PENDING"): 0 for each, _ in found} | found

    async def close(self) -> None:
        if self._database is not None:
            await self._database.close()

    async def _page(
        self, service: str, asked: Select[Any], table: Table, name: str, limit: int, after: Cursor | None
    ) -> Page:
        if self._database is None:
            raise ListsUnavailable("this instance keeps no projections (database_url is none)")
        created, own = table.c.created_at, table.c[name]
        if after is not None:
            older = and_(created == after.created_at, own < after.id)
            asked = asked.where(or_(created < after.created_at, older))
        asked = asked.order_by(created.desc(), own.desc()).limit(limit + 1)
        try:
            async with self._database.engine.connect() as connection:
                as_of = await self._as_of(connection, service)
                rows = (await connection.execute(asked)).mappings().all()
        except DOWN as error:
            raise _unavailable(error) from None
        return Page(rows[:limit], len(rows) > limit, as_of)

    async def _as_of(self, connection: AsyncConnection, service: str) -> datetime:
        """As of when the tables of a service show the log: the oldest of its partitions."""
        topic, partitions = self._changelogs[service]
        marks = (await connection.execute(select(WATERMARKS).where(WATERMARKS.c.topic == topic))).all()
        if len(marks) < partitions or any(mark.next < mark.whole_from or mark.as_of is None for mark in marks):
            raise ListsUnavailable("the projections are being filled")
        as_of: datetime = min(mark.as_of for mark in marks)
        return as_of


def _unavailable(error: Exception) -> ListsUnavailable:
    return ListsUnavailable(f"the projections' database does not answer ({reason(error)})")


def _bookings(asked: BookingsAsked) -> Select[Any]:
    equal = {name: getattr(asked, name) for name in ("user_id", "status", "confirmation_number")}
    conditions = [BOOKINGS.c[name] == value for name, value in equal.items() if value is not None]
    of_lines = {name: getattr(asked, name) for name in ("property_id", "unit_type")}
    lines = [LINES.c[name] == value for name, value in of_lines.items() if value is not None]
    if lines:
        conditions.append(exists().where(LINES.c.booking_id == BOOKINGS.c.booking_id, *lines))
    if asked.last is not None:
        conditions.append(BOOKINGS.c.first_day < asked.last)
    if asked.first is not None:
        conditions.append(BOOKINGS.c.day_after > asked.first)
    return select(BOOKINGS).where(*conditions)


def _payments(asked: PaymentsAsked) -> Select[Any]:
    # One of which only its end was seen was never opened.
    conditions: list[ColumnElement[bool]] = [PAYMENTS.c.created_at.is_not(None)]
    equal = {"booking_id": asked.booking_id, "status": asked.status}
    conditions += [PAYMENTS.c[name] == value for name, value in equal.items() if value is not None]
    if asked.first is not None:
        conditions.append(PAYMENTS.c.created_at >= asked.first)
    if asked.last is not None:
        conditions.append(PAYMENTS.c.created_at < asked.last)
    return select(PAYMENTS).where(*conditions)
