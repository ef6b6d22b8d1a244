"""The text messages that the local sandbox took, in one SQLite file: one writes, any may read."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.directories import private

FOLDER, FILE_NAME = "sms", "sms.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS texts (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, reference TEXT NOT NULL UNIQUE,
    receiver TEXT NOT NULL, said TEXT NOT NULL, at TEXT NOT NULL, times INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS attempts (reference TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""
# What a message's id follows from: asked twice, with the file lost in between, it is the same.
_IDS = uuid.UUID("e2a7c1f0-3b0f-53b1-8f0e-7c3f9c2d4b58")


class Reused(Exception):
    """The reference was used for another message."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text message as it was taken. `times`: how often it was handed over under its reference."""

    message_id: str
    reference: str
    to: str
    text: str
    at: datetime
    times: int = 1


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Textbox:
    """The file, open for writing. Every method is one transaction."""

    def __init__(self, directory: Path, clock: Callable[[], datetime] = _utc_now) -> None:
        private(directory)
        self._clock = clock
        self._db = sqlite3.connect(directory / FILE_NAME, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        # What a killed process has written, the operating system still has: only a power cut could lose it.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def keep(self, reference: str, to: str, text: str) -> str:
        """Takes a message and returns its id; one that comes again is counted, and is the same. Raises Reused."""
        message_id = f"sms_{uuid.uuid5(_IDS, reference).hex}"
        row = self._db.execute(
            "INSERT INTO texts (id, reference, receiver, said, at, times) VALUES (?, ?, ?, ?, ?, 1)"
            " ON CONFLICT (reference) DO UPDATE SET times = times + 1 WHERE receiver = excluded.receiver"
            " AND said = excluded.said RETURNING id",
            (message_id, reference, to, text, self._clock().isoformat()),
        ).fetchone()
        if row is None:
            raise Reused
        return str(row[0])

    def attempt(self, reference: str) -> int:
        """Counts one more try of `reference`; 1 for the first."""
        row = self._db.execute(
            "INSERT INTO attempts VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
            (reference,),
        ).fetchone()
        return int(row[0])


def forget(directory: Path, is_number: Callable[[str], bool]) -> list[str]:
    """Removes the messages to numbers that `is_number` names, and returns their ids. Raises sqlite3.Error."""
    file = directory / FILE_NAME
    if not file.exists():
        return []
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        # What is removed is written over, in the file and in its log.
        db.execute("PRAGMA secure_delete = ON")
        found = [
            message_id for message_id, to in db.execute("SELECT id, receiver FROM texts").fetchall() if is_number(to)
        ]
        db.executemany("DELETE FROM texts WHERE id = ?", [(message_id,) for message_id in found])
        if found:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return found


def sent_to(directory: Path, is_number: Callable[[str], bool]) -> list[str]:
    """The ids of the messages to such numbers, the oldest first. Raises sqlite3.Error."""
    return [text.message_id for text in reversed(newest(directory, -1)) if is_number(text.to)]


def newest(directory: Path, limit: int, to: str | None = None) -> list[Text]:
    """At most `limit` messages of a directory (-1: all), the newest first; with `to`, those to that number.

    Raises sqlite3.Error.
    """
    file = directory / FILE_NAME
    if not file.exists():
        return []
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT id, reference, receiver, said, at, times FROM texts WHERE ? IN ('', receiver)"
            " ORDER BY n DESC LIMIT ?",
            (to or "", limit),
        ).fetchall()
    return [
        Text(message_id, reference, receiver, said, datetime.fromisoformat(at), times)
        for message_id, reference, receiver, said, at, times in rows
    ]
