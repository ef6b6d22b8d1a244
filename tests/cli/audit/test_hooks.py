"""The audit of webhooks: an event without its delivery is found, and a delivery that says what is not so."""

from __future__ import annotations

from typing import Any

from cli.audit import hooks
from cli.audit.facts import Row
from cli.audit.findings import Verdict
from cli.audit.history import GRACE, SLACK, History
from cli.audit.wire import Letter, Record

START = 1_800_000_000_000
NOW = START + 10 * GRACE
ENDPOINT = {"endpoint_id": "w1", "types": ["payment.*"], "wants_since": "2027-01-15T08:00:00Z"}


def history(**deliveries: dict[str, Any]) -> History:
    """An endpoint, its deliveries by event, and an event e1 it wants."""
    found = History(started=NOW)
    found.rows["endpoint"]["w1"] = Row(0, hooks.endpoint_row(ENDPOINT))
    for event_id, row in deliveries.items():
        found.rows["delivery"][f"w1|{START:015}.{event_id}"] = Row(0, hooks.delivery_row(row))
    tell(found, "e1")
    return found


def tell(found: History, event_id: str, kind: str = "payment.payment.failed", at: int = START + 2 * SLACK) -> None:
    hooks.tell(found, Record("t", 0, 0, at, None, None), Letter(event_id, kind, None, {}))


def answered(found: History, event_id: str, status: int | None) -> None:
    data = {"endpoint_id": "w1", "delivery_id": f"{START:015}.{event_id}", "status": status}
    hooks.answered(found, Record("t", 0, 0, START, None, None), Letter("a", "webhook.effect.answered", None, data))


def subjects(found: History) -> list[str]:
    return [finding.subject for finding in judged(found).findings]


def judged(found: History) -> Verdict:
    return hooks.check(found)


def test_where_there_are_no_endpoints_nothing_is_judged() -> None:
    found = History(started=NOW)
    tell(found, "e1")
    assert (judged(found).applicable, found.heard) == (False, [])


def test_a_delivered_event_is_in_order() -> None:
    found = history(e1={"status": "DELIVERED"})
    answered(found, "e1", 204)
    assert (subjects(found), judged(found).checked) == ([], 2)


def test_an_event_without_its_delivery_is_found_once_it_is_overdue() -> None:
    assert subjects(history()) == ["e1"]
    found = history(e1={"status": "PENDING"})
    tell(found, "e2", at=NOW - 1)
    assert (subjects(found), judged(found).open) == ([], 1)


def test_what_an_endpoint_does_not_want_or_did_not_want_yet_is_not_missed() -> None:
    found = history(e1={"status": "PENDING"})
    tell(found, "e2", "booking.booking.created")
    tell(found, "e3", at=START - 1)
    tell(found, "e4", "webhook.endpoint.paused")
    assert subjects(found) == []


def test_a_delivery_that_nobody_took_is_found() -> None:
    found = history(e1={"status": "DELIVERED"})
    answered(found, "e1", 500)
    assert subjects(found) == [f"w1|{START:015}.e1"]


def test_an_attempt_that_nobody_makes_is_found() -> None:
    assert subjects(history(e1={"status": "PENDING", "due": "2027-01-15T08:00:00Z"})) == [f"w1|{START:015}.e1"]


def test_endpoints_of_one_property_are_judged_by_their_rows() -> None:
    found = history()
    found.rows["endpoint"]["w1"] = Row(0, hooks.endpoint_row({**ENDPOINT, "property_id": "P1"}))
    assert (subjects(found), "one property" in judged(found).note) == ([], True)
