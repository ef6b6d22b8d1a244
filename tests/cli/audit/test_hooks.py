"""The audit of webhooks: an event without its delivery is found, and a delivery that says what is not so."""

from __future__ import annotations

from typing import Any

import pytest

from cli.audit import hooks, names
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
    hooks.tell(found, Record("t", 0, len(found.heard), at, None, None), Letter(event_id, kind, None, {}))


def ask(found: History, event_id: str, offset: int = 0) -> None:
    record = Record(names.WEBHOOK_INBOX, 0, offset, START, None, None)
    data = {"endpoint_id": "w1", "event_id": event_id}
    hooks.delivery_asked(found, record, Letter("d", "webhook.delivery.deliver", None, data))


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


def stopped() -> History:
    """The same of an instance that does not run."""
    found = history()
    found.started, found.newest = None, NOW
    return found


def test_on_a_stopped_instance_an_event_that_was_passed_over_is_found() -> None:
    found = stopped()
    assert (subjects(found), judged(found).open) == ([], 1)  # those who pass it on come back to it
    found.heard_upto["t", 0] = 1
    assert subjects(found) == ["e1"]


def test_on_a_stopped_instance_a_delivery_that_was_decided_has_its_row() -> None:
    found = stopped()
    found.heard_upto["t", 0] = 1
    ask(found, "e1", offset=7)
    assert (subjects(found), judged(found).open) == ([], 1)  # the service comes back to it
    found.positions["webhook", 0] = 7
    assert subjects(found) == ["e1"]


def test_what_an_endpoint_says_it_missed_is_noted_and_no_more() -> None:
    found = history()
    found.rows["endpoint"]["w1"] = Row(0, hooks.endpoint_row({**ENDPOINT, "missed": 1}))
    assert (subjects(found), "missed 1 events" in judged(found).note) == ([], True)
    tell(found, "e2")
    assert subjects(found) == ["e2"]


def test_of_many_ended_ones_only_what_has_ended_may_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_KEPT", 1)
    found = history(e4={"status": "FAILED"})
    for event_id in ("e2", "e3", "e5"):
        tell(found, event_id)
    answered(found, "e1", 204)
    answered(found, "e2", 410)
    answered(found, "e3", 500)
    assert (subjects(found), judged(found).aged) == (["e3", "e5"], 2)
    for _ in range(7):
        answered(found, "e3", None)
    assert subjects(found) == ["e5"]


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


def test_where_many_wait_their_attempts_come_later() -> None:
    planned = {"status": "PENDING", "due": "2027-01-15T08:00:00Z"}
    found = history(**{f"e{number}": planned for number in range(3_200)})
    assert subjects(found) == []
    found.started = NOW + 100 * 11_000
    assert len(subjects(found)) == 3_200


def test_endpoints_of_one_property_are_judged_by_their_rows() -> None:
    found = history()
    found.rows["endpoint"]["w1"] = Row(0, hooks.endpoint_row({**ENDPOINT, "property_id": "P1"}))
    assert (subjects(found), "one property" in judged(found).note) == ([], True)
