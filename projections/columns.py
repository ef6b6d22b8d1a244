"""The columns of the tables: how times and amounts are kept, and how a table is declared by their types.

PostgreSQL has a schema for each service; on SQLite, which has none, the same tables stand side by side, for no two have
one name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

METADATA = MetaData()


class Instant(TypeDecorator[datetime]):
    """A time: `timestamptz`, or on SQLite a text in UTC that sorts, as in 2026-12-24T15:00:00.000000Z."""

    impl = TIMESTAMP(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else TIMESTAMP(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value


class Amount(TypeDecorator[Decimal]):
    """Money: `numeric`, or on SQLite, whose numbers are binary, the exact text; its sum() takes it for a number."""

    impl = Numeric()
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> object:
        return value if value is None or dialect.name != "sqlite" else f"{value:f}"

    def process_result_value(self, value: object, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(str(value))


def table(
    schema: str,
    name: str,
    *,
    text: str = "",
    integer: str = "",
    boolean: str = "",
    amount: str = "",
    day: str = "",
    instant: str = "",
    indexes: Sequence[str] = (),
) -> Table:
    """A table of what changelog rows say. Names are separated by spaces; one that ends in "?" may be NULL.

    Its last four columns say where a row is from: the changelog row's key and partition, which of the rows that one
    made it is, and the inbox offset it was decided at.
    """
    kinds: tuple[tuple[str, TypeEngine[Any]], ...] = (
        (text, Text()),
        (integer, BigInteger()),
        (boolean, Boolean()),
        (amount, Amount()),
        (day, Date()),
        (instant, Instant()),
    )
    said = [column for names, kind in kinds for column in _columns(names, kind)]
    origin = (
        Column("row_key", Text(), primary_key=True),
        Column("partition", Integer(), primary_key=True, autoincrement=False),
        Column("item", Integer(), primary_key=True, autoincrement=False),
        Column("source", BigInteger(), nullable=False),
    )
    made = (Index(f"{name}_by_{'_'.join(columns.split())}", *columns.split()) for columns in indexes)
    return Table(name, METADATA, *said, *origin, *made, schema=schema)


def _columns(names: str, kind: TypeEngine[Any]) -> Iterator[Column[Any]]:
    for name in names.split():
        yield Column(name.removesuffix("?"), kind, nullable=name.endswith("?"))
