"""P3 of a booking with several payments: a change that costs more has one of its own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cli.audit import names
from tests.cli.audit.clean import clean, confirm
from tests.cli.audit.story import PRICE, Story

DEARER = PRICE + Decimal("60.00")


def lengthened(*, entry: str = "captured", cause: str = "line.reserved", refund: Decimal | None = None) -> Story:
    """Stay z costs 60.00 more since its change, and a second payment does `entry`; cancelled for `refund`."""
    story = clean()
    confirm(story, "z", start="2026-07-01")
    first = story.bookings["z"].payment_id
    story.ask("z", "change", revision=2)
    story.hold("z", "2026-08-01", 1, revision=2, cause="change")
    story.reserved("z", revision=2)
    money = {"price_amount": float(DEARER), "price_currency": "EUR"}
    story.world("z", names.UPDATED, cause="line.reserved", revision=2, status="CONFIRMED", **money)
    story.release("z", "line.reserved")
    ids = story.bookings["z"]
    ids.payment_id, ids.price = "pay-z-2", DEARER - PRICE
    story.pay("z", "authorize", cause="change", amount=60.0, revision=2)
    story.tell(
        names.PAYMENT_CREATED, {"payment_id": "pay-z-2", "booking_id": "z"}, key="pay-z-2", cause=ids.last["authorize"]
    )
    story.provider("z", "authorize", "authorized")
    if entry:
        story.pay("z", "capture", cause=cause, revision=2)
        story.provider("z", "capture", entry)
    if refund is not None:
        story.cancel("z", refund)
        story.refunded("z", DEARER - PRICE)
        ids.payment_id = first
        story.refunded("z", refund - (DEARER - PRICE), why="rest")
    return story


def found(story: Story) -> list[str]:
    story.settle()
    return [finding.what for finding in story.verdicts()["P3"].findings if finding.subject == "z"]


@pytest.mark.parametrize("story", [lengthened(), lengthened(entry="capture_failed"), lengthened(refund=DEARER)])
def test_all_payments_of_a_booking_count(story: Story) -> None:
    """259.90 are 199.90 and 60.00; a difference that cannot be captured is not owed to the audit, either."""
    assert found(story) == []


def test_a_difference_never_taken_is_found() -> None:
    open_, owed = found(lengthened(entry=""))
    assert "left open" in open_
    assert owed == "captured less refunded is 199.90, but 259.9 is owed"


def test_a_refund_that_forgets_one_payment_is_found() -> None:
    """The guest was told of 259.90, and only what the change cost went back."""
    story = lengthened()
    story.cancel("z", DEARER)
    story.refunded("z", DEARER - PRICE)
    assert found(story) == ["captured less refunded is 199.90, but 0.0 is owed"]


def test_a_capture_that_its_change_did_not_order_is_found() -> None:
    (why,) = found(lengthened(cause="change"))
    assert why == "the capture of pay-z-2 was ordered by something else than its change"
