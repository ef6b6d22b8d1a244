"""What the services remember, from their changelogs: of each row what was decided last, wherever it stands."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from cli.audit import names
from cli.audit.facts import NOTHING, Row
from cli.audit.history import History
from cli.audit.wire import Record, header, money

SOURCE = "source-offset"
#: The platform's own records, the position among them, begin with a zero byte.
_OWN = b"\0"

#: A night's live holds: hold -> {revision: quantity}.
Holds = dict[str, dict[int, int]]


class BookingRow(NamedTuple):
    status: str


class PaymentRow(NamedTuple):
    captured: Decimal
    refunded: Decimal


def file_row(history: History, record: Record) -> None:
    """Keeps the row if it was decided later than what is kept; a deleted one as None."""
    service = names.CHANGELOGS[record.topic]
    source = int(header(record.headers, SOURCE) or -1)
    place = (service, record.partition)
    history.positions[place] = max(history.positions.get(place, -1), source)
    key = record.key or _OWN
    kind, _, name = key.decode("utf-8", "replace").partition("|")
    rows = history.rows.get(kind)
    if key.startswith(_OWN) or rows is None:
        return
    held = rows.get(name)
    if held is None or source >= held.source:
        rows[name] = Row(source, None if record.value is None else _content(kind, record.value))


def _content(kind: str, value: bytes) -> object:
    try:
        return _CONTENT[kind](orjson.loads(value))
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        return f"unreadable: {error}"  # equals nothing that is expected of a row


def _booking(row: dict[str, Any]) -> BookingRow:
    return BookingRow(str(row.get("status", "PENDING")))


def _night(row: dict[str, Any]) -> Holds:
    holds = row.get("holds", {})
    return {hold: {int(revision): int(units) for revision, units in live.items()} for hold, live in holds.items()}


def _payment(row: dict[str, Any]) -> PaymentRow:
    given = (refund for refund in row.get("refunds", {}).values() if refund["status"] == "refunded")
    return PaymentRow(money(row.get("captured", 0)), sum((money(refund["amount"]) for refund in given), NOTHING))


_CONTENT: dict[str, Callable[[dict[str, Any]], object]] = {"b": _booking, "n": _night, "p": _payment}
