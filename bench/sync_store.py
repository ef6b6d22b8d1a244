"""What each synchronous service keeps, in SQLite: on the disk before the service answers (synchronous=FULL)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: By service.
SCHEMAS = {
    "reservation": """
        create table if not exists reservation (
            booking_id text primary key, guest text not null, property_id text not null, unit_type text not null,
            check_in text not null, check_out text not null, quantity integer not null, price text not null,
            status text not null, reason text
        ) without rowid""",
    "availability": """
        create table if not exists night (
            resource text not null, night text not null, held integer not null, primary key (resource, night)
        ) without rowid;
        create table if not exists hold (
            booking_id text primary key, resource text not null, first text not null, last text not null,
            quantity integer not null
        ) without rowid""",
    "payment": """
        create table if not exists payment (
            payment_id text primary key, amount text not null, currency text not null, status text not null,
            provider_payment_id text, reason text
        ) without rowid""",
    "rate": """
        create table if not exists applied (
            booking_id text primary key, resource text not null, price text not null
        ) without rowid;
        create table if not exists usage (
            resource text primary key, bookings integer not null
        ) without rowid""",
    "notification": """
        create table if not exists notice (
            notice_id text primary key, booking_id text not null, message_id text not null
        ) without rowid""",
    "analytics": """
        create table if not exists observed (booking_id text primary key) without rowid;
        create table if not exists day (
            property_id text not null, day text not null, bookings integer not null, revenue_cents integer not null,
            primary key (property_id, day)
        ) without rowid""",
}


class Store:
    """One service's database. Only one task of its process is ever in a transaction: none waits inside one."""

    def __init__(self, path: Path, schema: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.executescript(schema)

    @contextmanager
    def committed(self) -> Iterator[sqlite3.Connection]:
        """What is done in the block is on the disk after it, all of it or, if it raises, nothing."""
        self._db.execute("begin immediate")
        try:
            yield self._db
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def close(self) -> None:
        self._db.close()


def commits(directory: Path, count: int) -> list[float]:
    """How long each of so many commits of one small row takes on this disk, in seconds."""
    store = Store(directory / "commits.sqlite", "create table if not exists row (n integer primary key)")
    took = []
    for number in range(count):
        began = time.perf_counter()
        with store.committed() as db:
            db.execute("insert into row values (?)", (number,))
        took.append(time.perf_counter() - began)
    store.close()
    return took
