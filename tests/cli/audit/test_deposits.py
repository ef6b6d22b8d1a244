"""P3 of a booking with a deposit: the rest is owed from the check-in on, and not before."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cli.audit import names
from tests.cli.audit.clean import clean
from tests.cli.audit.story import PRICE, Story

DEPOSIT = Decimal("39.98")
REST = PRICE - DEPOSIT


def booked(taken: Decimal = DEPOSIT, **terms: Any) -> Story:
    """Stay z costs 199.90, of which a fifth is asked for at booking; `taken` is what its payment does."""
    story = clean()
    story.request("z", PRICE, deposit_amount=float(DEPOSIT), **terms)
    story.hold("z", "2026-07-01", 2)
    story.reserved("z")
    story.bookings["z"].price = taken
    story.authorized("z")
    story.world("z", names.CONFIRMED, cause="payment.authorized")
    story.captured("z")
    return story


def arrived(story: Story, *entries: str, cause: str = "check_in") -> Story:
    """Its guest checks in, and the balance does what the ledger's `entries` say."""
    story.ask("z", "check_in")
    story.world("z", names.CHECKED_IN, cause="check_in")
    return charged(story, *entries, cause=cause)


def charged(story: Story, *entries: str, cause: str) -> Story:
    ids = story.bookings["z"]
    ids.payment_id, ids.price = "pay-z-balance", REST
    if entries:
        story.pay("z", "authorize", cause=cause, amount=float(REST))
        about = {"payment_id": ids.payment_id, "booking_id": "z"}
        story.tell(names.PAYMENT_CREATED, about, key=ids.payment_id, cause=ids.last["authorize"])
        story.provider("z", "authorize", entries[0])
        story.answer("z", f"payment.{entries[0]}", cause="answer to authorize")
    for entry in entries[1:]:
        story.captured("z", entry)
    return story


def found(story: Story) -> list[str]:
    story.settle()
    return [finding.what for finding in story.verdicts()["P3"].findings if finding.subject == "z"]


@pytest.mark.parametrize(
    "story",
    [
        booked(),
        arrived(booked(), "authorized", "captured"),
        arrived(booked(), "declined"),
        arrived(booked(), "authorized", "capture_failed"),
        arrived(booked(payment_token="")),
    ],
    ids=["booked", "paid", "declined", "not captured", "nothing to pay by"],
)
def test_a_deposit_and_then_all_that_can_be_had_is_right(story: Story) -> None:
    assert found(story) == []


def test_a_deposit_taken_twice_is_found() -> None:
    story = booked()
    story.enter("captured", story.bookings["z"].payment_id, DEPOSIT, key=story.ledger[-1].idempotency_key or "")
    assert found(story) == ["captured less refunded is 79.96, but 39.98 is owed"]


def test_the_whole_price_taken_at_booking_is_found() -> None:
    assert found(booked(PRICE)) == ["captured less refunded is 199.90, but 39.98 is owed"]


def test_a_balance_never_charged_is_found() -> None:
    assert found(arrived(booked(payment_token="sealed"))) == ["captured less refunded is 39.98, but 199.9 is owed"]


def test_a_balance_authorized_and_never_taken_is_found() -> None:
    open_, owed = found(arrived(booked(), "authorized"))
    assert "left open" in open_
    assert owed == "captured less refunded is 39.98, but 199.9 is owed"


def test_a_balance_charged_without_a_check_in_is_found() -> None:
    wrong, owed = found(charged(booked(), "authorized", "captured", cause="payment.captured"))
    assert wrong == "was charged beside its deposit, but not because its guest has checked in"
    assert owed == "captured less refunded is 199.90, but 39.98 is owed"


def test_a_balance_charged_for_another_reason_than_the_check_in_is_found() -> None:
    assert found(arrived(booked(), "authorized", "captured", cause="payment.captured")) == [
        "was charged beside its deposit, but not because its guest has checked in"
    ]


def test_a_fee_of_more_than_the_deposit_is_found() -> None:
    """Non-refundable: 39.98 are kept, nothing goes back, and nothing more is taken."""
    terms: dict[str, Any] = {
        "policy": {},
        "free_until": "2026-07-01T00:00:00Z",
        "lines": [{"start": "2026-07-01T00:00:00Z", "end": "2026-07-03T00:00:00Z", "quantity": 1}],
    }
    story = booked(**terms)
    story.cancel("z", Decimal(0))
    assert found(story) == []
    story = booked(**terms)
    story.cancel("z", DEPOSIT)
    story.refunded("z", DEPOSIT)
    assert found(story) == ["was told 39.98 goes back, but policy says 0.00"]
