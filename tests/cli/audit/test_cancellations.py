"""P3 recomputes what a policy gives back: to the minor unit, in every currency, at the time of the cancellation."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cli.audit import names
from tests.cli.audit.clean import booking_row
from tests.cli.audit.story import UNIT, Story

ARRIVAL = datetime(2026, 3, 28, 23, tzinfo=UTC)  # midnight in Berlin, the night clocks go forward
STAY = {"start": "2026-03-28T23:00:00Z", "end": "2026-03-31T22:00:00Z"}
#: Free until two days before at 18:00, then one night until it begins, then 80 %.
FLEXIBLE = {
    "free_until": {"days": 2, "at": "18:00"},
    "then": [{"until": {"hours": 0}, "fee": {"nights": 1}}, {"fee": {"percent": 80}}],
}
PRICE = Decimal("100.00")


def confirmed(policy: dict[str, Any] | None, price: Decimal = PRICE, currency: str = "EUR") -> Story:
    """Three nights in Berlin from 29 March."""
    story = Story()
    story.declare(2)
    terms: dict[str, Any] = {"policy": policy, "free_until": "2026-03-28T23:00:00Z", "time_zone": "Europe/Berlin"}
    story.request("z", price, lines=[{**STAY, "quantity": 1}], **{**terms, "price_currency": currency})
    story.hold("z", "2026-03-28T23:00", 3)
    story.reserved("z")
    story.authorized("z")
    story.world("z", names.CONFIRMED, cause="payment.authorized")
    story.captured("z")
    return story


def cancelled(story: Story, at: datetime, back: Decimal) -> list[str]:
    """What is found once it was cancelled at that time, and so much went back."""
    story.now = at
    story.cancel("z", back)
    if back:
        story.refunded("z", back)
    return found(story, "CANCELLED")


def found(story: Story, status: str) -> list[str]:
    booking_row(story, "z", status)
    story.settle()
    return [finding.what for finding in story.verdicts()["P3"].findings]


@pytest.mark.parametrize(
    ("policy", "price", "currency", "at", "back"),
    [
        (FLEXIBLE, "100.00", "EUR", datetime(2026, 3, 27, 16, 59, tzinfo=UTC), "100.00"),
        (FLEXIBLE, "100.00", "EUR", datetime(2026, 3, 27, 17, 0, tzinfo=UTC), "66.67"),
        (FLEXIBLE, "100.00", "EUR", ARRIVAL, "20.00"),
        (FLEXIBLE, "1001", "JPY", datetime(2026, 3, 28, tzinfo=UTC), "667"),
        ({"then": [{"fee": {"percent": 33}}]}, "1001", "JPY", datetime(2026, 3, 1, tzinfo=UTC), "671"),
        ({"then": [{"fee": {"percent": 50}}]}, "0.101", "KWD", datetime(2026, 3, 1, tzinfo=UTC), "0.050"),
        ({"then": [{"fee": {"amount": 20.5}}]}, "100.00", "EUR", datetime(2026, 3, 1, tzinfo=UTC), "79.50"),
        ({"then": [{"fee": {"amount": 500}}]}, "100.00", "EUR", datetime(2026, 3, 1, tzinfo=UTC), "0"),
        ({}, "100.00", "EUR", datetime(2026, 3, 1, tzinfo=UTC), "0"),
        (None, "100.00", "EUR", datetime(2026, 3, 28, 22, 59, tzinfo=UTC), "100.00"),
        (None, "100.00", "EUR", ARRIVAL, "0"),
    ],
)
def test_what_policy_says_is_what_is_found_right_and_one_unit_less_is_found_wrong(
    policy: dict[str, Any] | None, price: str, currency: str, at: datetime, back: str
) -> None:
    right = Decimal(back)
    assert cancelled(confirmed(policy, Decimal(price), currency), at, right) == []
    wrong = right - Decimal(1).scaleb(int(right.as_tuple().exponent)) if right else Decimal(1)
    (finding,) = cancelled(confirmed(policy, Decimal(price), currency), at, wrong)
    assert "goes back, but policy says" in finding


def test_what_an_operator_gave_before_is_taken_into_account() -> None:
    story = confirmed(FLEXIBLE)
    story.refunded("z", Decimal("50.00"), by="operator", cause=None)
    assert cancelled(story, datetime(2026, 3, 28, tzinfo=UTC), Decimal("16.67")) == []


def test_a_fee_its_caller_did_not_agree_to_is_found() -> None:
    story = confirmed(FLEXIBLE)
    story.now = datetime(2026, 3, 28, tzinfo=UTC)
    story.ask("z", "cancel", reason="ill", cancelled_by="guest", expected_fee=0)
    story.world("z", names.CANCELLED, cause="cancel", refund_amount=66.67, cancellation_reason="ill")
    story.release("z", "cancel")
    story.refunded("z", Decimal("66.67"))
    assert found(story, "CANCELLED") == ["was cancelled for 33.33, but 0 was agreed to"]


def moved(story: Story, revision: int, start: str) -> None:
    """The guest moves the stay of three nights."""
    story.ask("z", "change", revision=revision, free_until=f"{start}:00Z")
    story.hold("z", start, 3, revision=revision, cause="change")
    story.reserved("z", revision=revision)
    story.world("z", names.UPDATED, cause="line.reserved", revision=revision, price_amount=float(PRICE))
    story.release("z", "line.reserved", revision=revision - 1, unit=UNIT)


def test_a_stay_that_was_moved_later_is_judged_by_its_first_arrival() -> None:
    at = datetime(2026, 3, 28, tzinfo=UTC)
    story = confirmed(FLEXIBLE)
    moved(story, 2, "2026-05-01T22:00")
    assert cancelled(story, at, Decimal("66.67")) == []
    story = confirmed(FLEXIBLE)
    moved(story, 2, "2026-05-01T22:00")
    assert cancelled(story, at, PRICE) == ["was told 100.0 goes back, but policy says 66.67"]


def test_of_a_guest_who_never_came_the_last_tier_is_kept() -> None:
    def ended(back: float) -> list[str]:
        story = confirmed(FLEXIBLE)
        story.ask("z", "mark_no_show")
        story.world("z", names.NO_SHOW, cause="mark_no_show", refund_amount=back)
        story.refunded("z", Decimal(str(back)), cause="mark_no_show")
        return found(story, "NO_SHOW")

    assert ended(20.0) == []
    assert ended(30.0) == ["was told 30.0 goes back, but policy says 20.00"]


def test_what_goes_back_of_an_early_departure_is_recomputed() -> None:
    """Two of three nights are given up, and half of their price goes back."""

    def left(price: float) -> list[str]:
        story = confirmed({"early_departure_refund": 50})
        story.ask("z", "check_in")
        story.world("z", names.CHECKED_IN, cause="check_in")
        story.now = datetime(2026, 3, 29, 8, tzinfo=UTC)
        story.ask("z", "check_out")
        story.world("z", names.UPDATED, cause="check_out", revision=2, price_amount=price)
        story.world("z", names.COMPLETED, cause="check_out")
        story.refunded("z", PRICE - Decimal(str(price)), cause="check_out")
        return found(story, "COMPLETED")

    assert left(66.67) == []
    assert left(60.0) == ["gave back 40.0 of an early departure, but policy says 33.33"]
