"""Calls that are parked: known by one id however often they are ordered, open while they wait, and found when lost."""

from __future__ import annotations

import pytest

from cli.audit import names
from tests.cli.audit.clean import booking_row, clean, confirm, pend
from tests.cli.audit.story import PRICE, Story


def awaiting(story: Story) -> Story:
    """A booking whose capture gets no answer."""
    pend(story, "z", start="2026-07-01")
    story.world("z", names.CONFIRMED, cause="payment.authorized")
    story.pay("z", "capture", cause="payment.authorized")
    story.parked("z", "capture")
    booking_row(story, "z", "CONFIRMED")
    return story


def test_a_parked_call_is_open_until_it_is_long_due() -> None:
    story = awaiting(Story())
    story.settle()
    verdict = story.verdicts()["P7"]
    assert (verdict.findings, verdict.open) == ([], 1)
    story.wait(minutes=30)
    story.declare(2)  # a sign of life
    story.settle()
    (found,) = story.verdicts()["P7"].findings
    assert found == ("pay-z", "the call to capture was parked, and not made again when it was due")


def test_a_call_that_waits_for_another_ones_answer_is_open() -> None:
    """Two refunds: the first is made again and under way."""
    story = clean()
    confirm(story, "z", start="2026-07-01")
    booking_row(story, "z", "CONFIRMED")
    for refund in ("one", "two"):
        story.pay("z", "refund", cause=None, refund_id=refund, amount=1.0, ordered_by="operator")
        story.parked("z", "refund")
    story.wait(minutes=30)
    story.settle()
    story.ordered("z", "refund", attempt=1)  # of the second: which of the two is all the same
    verdict = story.verdicts()["P7"]
    assert (verdict.findings, verdict.open) == ([], 2)


def test_an_attempt_whose_parking_nobody_decided_is_open() -> None:
    story = Story()
    story.settle()
    awaiting(story)
    story.committed[names.PAYMENT_EFFECTS, story.partition("pay-z")] = 99
    story.wait(minutes=30)
    story.declare(2)
    assert not [each for each in story.verdicts()["P7"].findings if each.subject == "pay-z"]


@pytest.mark.proves("HTL-39")
def test_a_call_made_again_is_one_charge() -> None:
    """The provider's ledger has the id of the first order, and so has the answer."""
    story = awaiting(clean())
    story.parked("z", "capture", attempt=1)
    story.provider_again("z", "capture", "captured")
    story.answer("z", "payment.captured", cause="answer to capture", amount=float(PRICE))
    story.settle()
    story.wait(minutes=30)
    assert {name: found.findings for name, found in story.verdicts().items() if name in ("P3", "P4", "P7")} == {
        "P3": [],
        "P4": [],
        "P7": [],
    }
