"""The queries of docs/projections.md work, and its table names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import text

from projections.columns import METADATA
from projections.database import Database
from projections.schema import SCHEMAS
from projections.store import Store
from tests.projections.rows import booking, put, write

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "projections.md").read_text("utf-8")


async def test_the_queries_of_the_page_work(database: Database) -> None:
    await write(Store(database), [put(0, 1, booking(), "b|b1")])
    queries = re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(queries) == 4
    async with database.engine.begin() as connection:
        if not database.sqlite:
            await connection.execute(text(f"SET LOCAL search_path TO {', '.join(SCHEMAS)}"))
        answers = [(await connection.execute(text(query.rstrip().rstrip(";")))).all() for query in queries]
    assert [tuple(row) for row in answers[0]] == [("RSV-2026-b1", "deluxe suite", 1, "CONFIRMED")]


def test_the_page_names_every_table() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert {table.name for table in METADATA.tables.values() if not table.name.endswith("_parts")} <= named
