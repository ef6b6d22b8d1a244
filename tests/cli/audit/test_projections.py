"""P6 of the SQL tables: what differs from the rows is found at rest, and open while they follow."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cli.audit import projections
from cli.audit.changelog import BookingRow, NightRow, PaymentRow
from cli.audit.facts import Row, Tables
from cli.audit.findings import Verdict
from cli.audit.history import History


def history(**tables: object) -> History:
    found = History()
    found.rows["booking"] = {"b1": Row(1, BookingRow("CONFIRMED")), "b2": Row(2, None)}
    found.rows["payment"] = {"p1": Row(1, PaymentRow(Decimal("20"), Decimal(0), "CAPTURED"))}
    found.rows["night"] = {"P/u|2026-12-24": Row(1, NightRow({"b1/1": {1: 1, 2: 3}}, 2))}
    found.positions = {("booking", 0): 9}
    found.tables = Tables(
        **{
            "bookings": {"b1": "CONFIRMED"},
            "payments": {"p1": (Decimal("20.00"), Decimal(0), "CAPTURED")},
            "nights": {"P/u|2026-12-24": 5},
            "decided": {("booking", 0): 9},
            **tables,
        }  # type: ignore[arg-type]  # as a test gives them
    )
    return found


def judged(found: History) -> Verdict:
    verdict = Verdict("P6", "")
    projections.check(found, verdict)
    return verdict


def test_equal_tables_are_clean() -> None:
    verdict = judged(history())
    assert (verdict.checked, verdict.open, verdict.findings) == (3, 0, [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"bookings": {"b1": "PENDING"}},
        {"bookings": {}},
        {"bookings": {"b1": "CONFIRMED", "b2": "CONFIRMED"}},
        {"payments": {"p1": (Decimal("19.99"), Decimal(0), "CAPTURED")}},
        {"nights": {"P/u|2026-12-24": 4}},
    ],
)
def test_what_differs_at_rest_is_found(wrong: dict[str, object]) -> None:
    assert len(judged(history(**wrong)).findings) == 1


def test_tables_that_follow_are_open() -> None:
    verdict = judged(history(bookings={}, decided={("booking", 0): 8}))
    assert (verdict.open, verdict.findings) == (1, [])


def test_without_a_database_it_is_not_applicable() -> None:
    found = history()
    found.tables = None
    assert "no database" in judged(found).note
