"""What the services remember, from their changelogs: of each row what was decided last, wherever it stands."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from cli.audit import hooks, names
from cli.audit.facts import NOTHING, ReceiptRow, Row
from cli.audit.figures import day_of
from cli.audit.history import History
from cli.audit.wire import Record, header, milliseconds, money

SOURCE = "source-offset"
#: The platform's own records, the position among them, begin with a zero byte.
_OWN = b"\0"

#: A night's live holds: hold -> {revision: quantity}.
Holds = dict[str, dict[int, int]]
Content = Callable[[dict[str, Any]], object]


class BookingRow(NamedTuple):
    status: str


class NightRow(NamedTuple):
    """A night's live holds; of stock also what was sold since it was last counted."""

    holds: Holds
    sold: int = 0


class PaymentRow(NamedTuple):
    captured: Decimal
    refunded: Decimal
    status: str = ""


class NoticeRow(NamedTuple):
    """`due`: when a parked one is tried again, in milliseconds; `cause`: of a reminder, which beginning it tells of."""

    channel: str
    status: str
    due: int | None = None
    cause: str = ""
    #: When it was made, in milliseconds.
    created: int = 0


def file_row(history: History, record: Record) -> None:
    """Keeps the row if it was decided later than what is kept; a deleted one as None."""
    service = names.CHANGELOGS[record.topic]
    source = int(header(record.headers, SOURCE) or -1)
    place = (service, record.partition)
    history.positions[place] = max(history.positions.get(place, -1), source)
    history.moved[place] = max(history.moved.get(place, 0), record.timestamp)
    key = record.key or _OWN
    kind, _, name = key.decode("utf-8", "replace").partition("|")
    known = _CONTENT.get((service, kind))
    if key.startswith(_OWN) or known is None:
        return
    what, content = known
    if what == "figures":  # every partition has rows of its own by the same name
        name = f"{name}#{record.partition}"
    if what == "user":
        name = quote(name, safe="")
    held = history.rows[what].get(name)
    if held is None or source >= held.source:
        history.rows[what][name] = Row(source, None if record.value is None else _content(content, record.value))


def _content(content: Content, value: bytes) -> object:
    try:
        return content(orjson.loads(value))
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        return f"unreadable: {error}"  # equals nothing that is expected of a row


def _booking(row: dict[str, Any]) -> BookingRow:
    return BookingRow(str(row.get("status", "PENDING")))


def _night(row: dict[str, Any]) -> NightRow:
    holds = row.get("holds", {})
    live = {hold: {int(revision): int(units) for revision, units in kept.items()} for hold, kept in holds.items()}
    return NightRow(live, int(row.get("sold", 0)))


def _payment(row: dict[str, Any]) -> PaymentRow:
    given = (refund for refund in row.get("refunds", {}).values() if refund["status"] == "refunded")
    refunded = sum((money(refund["amount"]) for refund in given), NOTHING)
    return PaymentRow(money(row.get("captured", 0)), refunded, str(row.get("status", "")))


def _notice(row: dict[str, Any]) -> NoticeRow:
    due, reminder = row.get("due"), row.get("news") == names.REMINDER
    return NoticeRow(
        str(row.get("channel", "")),
        str(row.get("status", "")),
        milliseconds(due) if due else None,
        str(row["cause_id"]) if reminder else "",
        milliseconds(row["created_at"]) if "created_at" in row else 0,
    )


def _user(row: dict[str, Any]) -> int | None:
    erased_at = row.get("erased_at")
    return milliseconds(erased_at) if erased_at else None


def _receipt(row: dict[str, Any]) -> ReceiptRow:
    return ReceiptRow(str(row["number"]), (money(row["amount"]), str(row["currency"])), bool(row.get("generated_at")))


#: By service and kind of row: where it is kept, and what of it.
_CONTENT: dict[tuple[str, str], tuple[str, Content]] = {
    ("booking", "b"): ("booking", _booking),
    ("availability", "n"): ("night", _night),
    ("payment", "p"): ("payment", _payment),
    ("notification", "n"): ("notice", _notice),
    ("analytics", "k"): ("figures", day_of),
    ("user", "u"): ("user", _user),
    ("receipt", "q"): ("receipt", _receipt),
    ("webhook", "e"): ("endpoint", hooks.endpoint_row),
    ("webhook", "w"): ("delivery", hooks.delivery_row),
}
