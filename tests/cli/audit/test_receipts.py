"""Receipts as the auditor reads them: one for each payment, over its amount, under a number of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cli.audit import names
from cli.audit.findings import Verdict
from cli.audit.receipts import check
from tests.cli.audit.story import Story


def paid(story: Story, payment: str, *, asked: bool = True) -> str:
    """A payment that succeeded, and its receipt asked for: the id of what asked, else of the news."""
    about = {"payment_id": payment, "amount": 199.90, "currency": "EUR"}
    order = story.say(names.PAYMENT_INBOX, "payment.payment.refund", {**about, "refund_id": payment}, key=payment)
    news = story.tell(names.PAID, about, key=payment, cause=order)
    if not asked:
        return news
    return story.say(names.RECEIPT_INBOX, "receipt.receipt.request", about, key=payment, cause=news)


def told(story: Story, payment: str, cause: str, number: str, amount: float = 199.90) -> None:
    data = {"payment_id": payment, "amount": amount, "currency": "EUR", "receipt_number": number}
    story.tell(names.RECEIPT, data, key=payment, cause=cause)


def row(story: Story, payment: str, number: str, **more: Any) -> None:
    content = {"number": number, "amount": "199.90", "currency": "EUR", "generated_at": "2026-01-01T00:00:00Z", **more}
    last = story.end(names.RECEIPT_INBOX, story.partition(payment))
    story.row("receipt", f"q|{payment}", content, partition=payment, source=last)


def receipt(story: Story, payment: str, number: str) -> None:
    """All of it, as it should be."""
    told(story, payment, paid(story, payment), number)
    row(story, payment, number)


def verdict(story: Story) -> Verdict:
    return story.verdicts()["P9"]


def two() -> Story:
    story = Story()
    receipt(story, "p-1", "RCP-2026-000001")
    receipt(story, "p-2", "RCP-2026-000002")
    return story


def test_two_payments_with_a_receipt_each_pass() -> None:
    found = verdict(two())
    assert (found.state, found.checked, found.open) == ("ok", 2, 0)


def test_one_of_the_rules_1_that_is_not_written_yet_is_open() -> None:
    story = two()
    paid(story, "p-3")
    row(story, "p-3", "RCP-2026-000003", generated_at=None)
    found = verdict(story)
    assert (found.state, found.checked, found.open) == ("ok", 3, 1)


def test_one_that_nobody_decided_yet_is_open() -> None:
    story = two()
    paid(story, "p-3", asked=False)
    assert verdict(story).open == 1


def _one_number_for_two(story: Story) -> None:
    receipt(story, "p-3", "RCP-2026-000002")


def _another_amount(story: Story) -> None:
    told(story, "p-3", paid(story, "p-3"), "RCP-2026-000003", 19.99)
    row(story, "p-3", "RCP-2026-000003", amount="19.99")


def _another_number_told(story: Story) -> None:
    told(story, "p-3", paid(story, "p-3"), "RCP-2026-000009")
    row(story, "p-3", "RCP-2026-000003")


def _told_twice(story: Story) -> None:
    cause = paid(story, "p-3")
    told(story, "p-3", cause, "RCP-2026-000003")
    told(story, "p-3", cause, "RCP-2026-000003")
    row(story, "p-3", "RCP-2026-000003")


def _never_told(story: Story) -> None:
    paid(story, "p-3")
    row(story, "p-3", "RCP-2026-000003")


def _lost(story: Story) -> None:
    """Its request was decided: the position is beyond it."""
    paid(story, "p-3")
    for name in (f"after-{number}" for number in range(20)):
        if story.partition(name) == story.partition("p-3"):
            return receipt(story, name, "RCP-2026-000004")


@pytest.mark.parametrize(
    ("plant", "subjects", "says"),
    [
        (_one_number_for_two, {"p-2", "p-3"}, "and so has another"),
        (_another_amount, {"p-3"}, "but its receipt is over 19.99 EUR"),
        (_another_number_told, {"p-3"}, "RCP-2026-000009 over 199.9 EUR was told"),
        (_told_twice, {"p-3"}, "2 receipts were told"),
        (_never_told, {"p-3"}, "not told of"),
        (_lost, {"p-3"}, "has no receipt"),
    ],
)
def test_what_is_wrong_is_found(plant: Callable[[Story], None], subjects: set[str], says: str) -> None:
    story = two()
    plant(story)
    found = verdict(story)
    assert {finding.subject for finding in found.findings} == subjects
    assert all(says in finding.what for finding in found.findings)


def test_of_a_running_instance_one_that_nobody_asked_for_is_late_after_a_while() -> None:
    story = two()
    paid(story, "p-3", asked=False)
    history = story.history()
    history.started = round((story.now + timedelta(minutes=2)).timestamp() * 1000)
    assert [finding.subject for finding in check(history).findings] == ["p-3"]
