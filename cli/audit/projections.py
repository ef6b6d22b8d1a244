"""P6, of the SQL projections: the tables have what the changelogs say.

Read as: the bookings, payments and nights of the tables are those whose newest changelog row (`cli.audit.changelog`)
is not a deletion, with the same status and the same sums. Where the tables have not reached what the service decided
last, and while an instance runs, what differs is open: they follow.
"""

from __future__ import annotations

from collections.abc import Mapping

from cli.audit.changelog import BookingRow, NightRow, PaymentRow
from cli.audit.findings import Verdict
from cli.audit.history import History


def check(history: History, verdict: Verdict) -> None:
    """Adds to the verdict what the tables have and the rows do not say, or the other way round."""
    tables = history.tables
    if tables is None:
        verdict.note = "the archive: not applicable yet; the SQL projections: no database to read"
        return
    verdict.note = "the archive: not applicable yet"
    rows = history.rows
    bookings = {name: row.content for name, row in rows["booking"].items() if row.content is not None}
    payments = {name: row.content for name, row in rows["payment"].items() if row.content is not None}
    nights = {name: row.content for name, row in rows["night"].items() if row.content is not None}
    _compare(
        history, verdict, "booking", "booking", tables.bookings, {name: _status(row) for name, row in bookings.items()}
    )
    _compare(
        history, verdict, "payment", "payment", tables.payments, {name: _sums(row) for name, row in payments.items()}
    )
    _compare(
        history, verdict, "availability", "night", tables.nights, {name: _units(row) for name, row in nights.items()}
    )


def _compare(
    history: History,
    verdict: Verdict,
    service: str,
    what: str,
    tables: Mapping[str, object],
    rows: Mapping[str, object],
) -> None:
    behind = history.started is not None or _behind(history, service)
    for name in sorted(tables.keys() | rows.keys()):
        if tables.get(name) == rows.get(name):
            verdict.checked += 1
        elif behind:
            verdict.open += 1
        else:
            verdict.find(name, f"its {what} in the tables is {tables.get(name)}, its row says {rows.get(name)}")


def _behind(history: History, service: str) -> bool:
    """Whether something of the service is decided that is not in the tables yet."""
    decided = history.tables.decided if history.tables is not None else {}
    return any(decided.get(place, -1) < last for place, last in history.positions.items() if place[0] == service)


def _status(row: object) -> object:
    return row.status if isinstance(row, BookingRow) else row


def _sums(row: object) -> object:
    return (row.captured, row.refunded, row.status) if isinstance(row, PaymentRow) else row


def _units(row: object) -> object:
    """Of several revisions of a hold the greatest counts."""
    return row.sold + sum(max(units.values()) for units in row.holds.values()) if isinstance(row, NightRow) else row
