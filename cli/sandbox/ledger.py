"""The sandbox's books in one SQLite file: payments, refunds, an append-only list of entries, and the answers given.

An answer stands in the same transaction as its effect, so a key that comes again finds either both or neither.
What may be done to a payment is decided in `operations`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import orjson

EntryKind = Literal["authorized", "declined", "captured", "capture_failed", "voided", "refunded"]
Status = Literal["authorized", "declined", "captured", "capture_failed", "voided"]

# Amounts are text: SQLite has no exact decimals.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    n INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, kind TEXT NOT NULL, payment TEXT NOT NULL,
    reference TEXT NOT NULL, refund_reference TEXT, amount TEXT NOT NULL, currency TEXT NOT NULL,
    idempotency_key TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY, reference TEXT NOT NULL, status TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL,
    captured TEXT NOT NULL, refunded TEXT NOT NULL, token TEXT NOT NULL, error_code TEXT, error_message TEXT
);
CREATE INDEX IF NOT EXISTS payments_by_reference ON payments (reference);
CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY, payment TEXT NOT NULL, reference TEXT NOT NULL, amount TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS refunds_by_payment ON refunds (payment);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS attempts (reference TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""
_ENTRY = ("n", "at", "kind", "payment", "reference", "refund_reference", "amount", "currency", "idempotency_key")
_ENTRIES = f"SELECT {', '.join(_ENTRY)} FROM entries WHERE n > ? ORDER BY n LIMIT ?"
# Two payments may carry one reference, as with real providers; the one that holds money is the one meant.
_BY_REFERENCE = "SELECT * FROM payments WHERE reference = ? ORDER BY status = 'declined', rowid DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a caller is told: a status and a JSON body."""

    status: int
    body: bytes


def reply(status: int, body: object) -> Reply:
    return Reply(status, orjson.dumps(body))


def refused(status: int, code: str, message: str) -> Reply:
    return reply(status, {"error": {"code": code, "message": message}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment as it stands. `id` is ours ("pi_..."), `reference` the caller's."""

    id: str
    reference: str
    status: Status
    amount: Decimal
    currency: str
    token: str
    captured: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One refund ("re_...") of a payment, under the caller's reference."""

    id: str
    payment: str
    reference: str
    amount: Decimal


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """The books of one sandbox. Every method is one transaction, or part of the one `once` opened."""

    def __init__(self, path: Path, clock: Callable[[], datetime] = _utc_now) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        # What a killed process has written, the operating system still has: only a power cut could lose it.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def once(self, key: str, fingerprint: str, work: Callable[[], Reply]) -> Reply:
        """The answer to `key`: `work`'s, done and remembered together, or the one given before."""
        with self._transaction():
            found = self._db.execute("SELECT fingerprint, status, body FROM answers WHERE key = ?", (key,)).fetchone()
            if found is not None:
                if found["fingerprint"] != fingerprint:
                    return refused(422, "idempotency_key_reused", "This Idempotency-Key was used for another request.")
                return Reply(found["status"], found["body"])
            answer = work()
            self._db.execute("INSERT INTO answers VALUES (?, ?, ?, ?)", (key, fingerprint, answer.status, answer.body))
            return answer

    def attempt(self, reference: str) -> int:
        """Counts one more try of `reference`; 1 for the first."""
        row = self._db.execute(
            "INSERT INTO attempts VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
            (reference,),
        ).fetchone()
        return int(row["count"])

    def put(self, payment: Payment) -> None:
        self._db.execute(
            "INSERT INTO payments (id, reference, status, amount, currency, captured, refunded, token, error_code,"
            " error_message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " status = excluded.status, captured = excluded.captured, refunded = excluded.refunded,"
            " error_code = excluded.error_code, error_message = excluded.error_message",
            (
                payment.id,
                payment.reference,
                payment.status,
                text(payment.amount),
                payment.currency,
                text(payment.captured),
                text(payment.refunded),
                payment.token,
                payment.error_code,
                payment.error_message,
            ),
        )

    def add_refund(self, refund: Refund) -> None:
        values = (refund.id, refund.payment, refund.reference, text(refund.amount))
        self._db.execute("INSERT INTO refunds VALUES (?, ?, ?, ?)", values)

    def enter(
        self, kind: EntryKind, payment: Payment, amount: Decimal, key: str, refund_reference: str | None = None
    ) -> None:
        """Appends one entry; entries are never changed."""
        self._db.execute(
            "INSERT INTO entries (at, kind, payment, reference, refund_reference, amount, currency, idempotency_key)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._clock().isoformat(),
                kind,
                payment.id,
                payment.reference,
                refund_reference,
                text(amount),
                payment.currency,
                key,
            ),
        )

    def payment(self, payment_id: str) -> Payment | None:
        return _payment(self._db.execute("SELECT * FROM payments WHERE id = ?", (payment_id,)).fetchone())

    def by_reference(self, reference: str) -> Payment | None:
        return _payment(self._db.execute(_BY_REFERENCE, (reference,)).fetchone())

    def refunds(self, payment_id: str) -> list[Refund]:
        rows = self._db.execute("SELECT * FROM refunds WHERE payment = ? ORDER BY rowid", (payment_id,))
        return [Refund(**{**dict(row), "amount": Decimal(row["amount"])}) for row in rows]

    def entries(self, after: int = 0, limit: int | None = None) -> list[Mapping[str, Any]]:
        """The entries with `n > after`, oldest first, amounts as decimal strings."""
        return [dict(row) for row in self._db.execute(_ENTRIES, (after, -1 if limit is None else limit))]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def text(amount: Decimal) -> str:
    """An amount as it travels and is kept: plain digits, never an exponent."""
    return format(amount, "f")


def _payment(row: sqlite3.Row | None) -> Payment | None:
    if row is None:
        return None
    amounts = {name: Decimal(row[name]) for name in ("amount", "captured", "refunded")}
    return Payment(**{**dict(row), **amounts})
