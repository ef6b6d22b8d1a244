"""The provider's ledger: asked for over HTTP while the provider runs, else read from its file, which is not changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from cli.audit.facts import Entry
from cli.audit.wire import milliseconds, money

FILE = Path("provider") / "ledger.sqlite"
_PAGE = 10_000
_PATIENCE = aiohttp.ClientTimeout(total=30)
_COLUMNS = "n, at, kind, payment, reference, amount, refund_reference, idempotency_key"


async def read_ledger(data: Path) -> list[Entry] | None:
    """Every entry of the instance's provider, in order; None when there is no ledger to read."""
    url = _url(data)
    if url is not None:
        try:
            return await _ask(url)
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass  # not running any more: its file has it
    return _from_file(data / FILE)


def _url(data: Path) -> str | None:
    try:
        said = orjson.loads((data / "run" / "provider.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return str(said["url"]) if isinstance(said, dict) and said.get("url") else None


async def _ask(url: str) -> list[Entry]:
    entries: list[Entry] = []
    async with aiohttp.ClientSession(timeout=_PATIENCE) as client:
        while True:
            query = {"after": str(entries[-1].n if entries else 0), "limit": str(_PAGE)}
            async with client.get(f"{url}/v1/ledger", params=query) as answer:
                answer.raise_for_status()
                page = _entries(orjson.loads(await answer.read())["entries"])
            if not page:
                return entries
            entries += page


def _from_file(path: Path) -> list[Entry] | None:
    if not path.is_file():
        return None
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as books:
        books.row_factory = sqlite3.Row
        found = _entries([dict(row) for row in books.execute(f"SELECT {_COLUMNS} FROM entries ORDER BY n")])
    books.close()
    return found


def _entries(lines: Iterable[Mapping[str, Any]]) -> list[Entry]:
    return [
        Entry(
            int(line["n"]),
            milliseconds(line["at"]),
            line["kind"],
            line["payment"],
            line["reference"],
            money(line["amount"]),
            line["refund_reference"],
            line["idempotency_key"],
        )
        for line in lines
    ]
