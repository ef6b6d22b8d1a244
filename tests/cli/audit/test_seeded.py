"""The auditor fails: every way a promise can be broken is seeded into a clean history and found, with whose it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from cli.audit import names
from tests.cli.audit import seeds
from tests.cli.audit.clean import NIGHT, clean
from tests.cli.audit.story import UNIT, Story


class Seed(NamedTuple):
    """What goes wrong, which promise it breaks, whose finding it is, and what that says."""

    name: str
    promise: str
    subject: str
    says: str
    plant: Callable[[Story], None]


POISON = f"{names.BOOKING_INBOX}/{Story.partition('poison')}"
SEEDS = [
    Seed("a night sold twice", "P2", "z", "2026-03-01 to 3 of 2", seeds.sold_twice),
    Seed("one night of three sold twice", "P2", "z", "2026-03-01 to 3 of 2", seeds.sold_twice_among_others),
    Seed(
        "a night sold above a capacity that was lowered",
        "P2",
        "z",
        "2026-03-02 to 2 of 1",
        seeds.sold_above_a_lowered_capacity,
    ),
    Seed("a blocked night sold", "P2", "z", "2026-03-02 to 2 of 1", seeds.sold_though_blocked),
    Seed("a group's night sold before its release", "P2", "z", "2026-07-01 to 1 of 0", seeds.sold_to_a_group_too_long),
    Seed("a night sold above its own limit", "P2", "z", "2026-07-01 to 3 of 2", seeds.sold_above_a_nights_own_limit),
    Seed("a night sold that is closed", "P2", "z", "2026-07-04, which was not", seeds.sold_though_closed),
    Seed("a slot of minutes sold twice", "P2", "z", "2026-03-01T09:00Z to 2 of 1", seeds.held_by_minutes_twice),
    Seed("an undeclared resource sold", "P2", "z", "no such time", seeds.reserved_nowhere),
    Seed("a hold reserved after its own release", "P2", "f", "after its own release", seeds.reserved_after_its_release),
    Seed("a hold both reserved and rejected", "P2", "a", "both reserved and rejected", seeds.reserved_and_rejected),
    Seed("a booking without an outcome", "P1", "z", "no outcome", seeds.no_outcome),
    Seed("one confirmation number for two", "P1", "z", "RSV-2026-000007 of y", seeds.one_number_for_two),
    Seed("two outcomes", "P1", "a", "2 outcomes", seeds.two_outcomes),
    Seed("two confirmations", "P1", "a", "2 outcomes", seeds.confirmed_twice),
    Seed(
        "a confirmation after the cancellation",
        "P1",
        "z",
        "after it had been cancelled",
        seeds.confirmed_after_cancelled,
    ),
    Seed("an outcome after the deadline", "P1", "z", "120.0 s after", seeds.late_outcome),
    Seed("a capture without confirmation", "P3", "z", "never confirmed", seeds.captured_unconfirmed),
    Seed(
        "a capture that the confirmation did not order",
        "P3",
        "z",
        "something else than its confirmation",
        seeds.captured_for_another_reason,
    ),
    Seed("a double charge", "P3", "a", "399.80, but 199.9", seeds.captured_twice),
    Seed("a charge nobody ordered", "P3", "pay-e", "no call", seeds.captured_without_a_call),
    Seed("a confirmed booking never charged", "P3", "z", "is 0, but 199.9", seeds.never_captured),
    Seed("an authorization left open", "P3", "z", "left open", seeds.left_open),
    Seed("a wrong refund", "P3", "z", "0.01, but 0", seeds.wrong_refund),
    Seed("a refund forgotten", "P3", "z", "199.90, but 0", seeds.refund_forgotten),
    Seed(
        "a refund above its capture", "P4", "pay-h", "249.90 was refunded of 199.90", seeds.refunded_above_the_capture
    ),
    Seed("changed content under one id", "P5", "", "different contents", seeds.changed_content),
    Seed("an event without a cause", "causes", "", "not on the log", seeds.no_cause),
    Seed("a booking's row that disagrees", "P6", "d", "CONFIRMED, the log says REJECTED", seeds.row_disagrees),
    Seed("a night's row that disagrees", "P6", f"{UNIT}|{NIGHT}", "of b/1 its row has nothing", seeds.night_disagrees),
    Seed("a night's row left behind", "P6", f"{UNIT}|2026-04-01", "the inbox nothing", seeds.night_left_behind),
    Seed("a payment's row that disagrees", "P6", "pay-b", "199.90 captured", seeds.payment_row_disagrees),
    Seed("a row lost", "P7", "a", "no row", seeds.no_row),
    Seed("a hold without an answer", "P7", "z", "not answered", seeds.unanswered_hold),
    Seed("an authorization forgotten", "P7", "pay-z", "neither a payment nor a refusal", seeds.no_payment),
    Seed("a call parked for ever", "P7", "pay-z", "capture was parked, and not made again", seeds.call_parked_for_ever),
    Seed("a call made again and lost", "P7", "pay-z", "call to refund was passed", seeds.call_passed_unasked),
    Seed("a provider's answer lost", "P7", "pay-z", "call to capture", seeds.answer_lost),
    Seed("a booking not told of its payment", "P7", "pay-z", "not told", seeds.booking_not_told),
    Seed("a created event lost", "P7", "a", "no booking.booking.created", seeds.no_created),
    Seed("poison without a dead letter", "P8", POISON, "no dead-letter topic", seeds.no_dead_letter),
    Seed("wrong types without a dead letter", "P8", POISON, "no dead-letter topic", seeds.wrong_types_not_buried),
    Seed("a dead letter with other bytes", "P8", "", "other bytes", seeds.dead_letter_altered),
    Seed("a dead letter without its origin", "P8", "", "without vacancy-dlq-offset", seeds.dead_letter_without_origin),
    Seed("a dead letter from nowhere", "P8", "", "where nothing stands", seeds.dead_letter_from_nowhere),
    Seed("a replay that nobody judged", "P8", names.REPLAYS, "no dead-letter topic", seeds.replay_not_judged),
    Seed("a replay to nobody", "P8", names.REPLAYS, "which reads none", seeds.replay_to_nobody),
    Seed("another letter of a replay", "P8", "", "other bytes", seeds.replay_with_another_letter),
    Seed("an edited copy of nothing", "P8", "", "where no letter lies", seeds.edited_copy_of_nothing),
]


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name.replace(" ", "-"))
def test_a_seeded_violation_is_found(seed: Seed) -> None:
    story = clean()
    seed.plant(story)
    story.settle()

    verdict = story.verdicts()[seed.promise]

    assert verdict.state == "FAILED"
    found = [finding.what for finding in verdict.findings if finding.subject.startswith(seed.subject)]
    assert any(seed.says in what for what in found), verdict.findings


@pytest.mark.parametrize("plant", [seeds.sold_to_a_group_too_long, seeds.sold_though_closed])
def test_only_the_hold_that_should_have_been_refused_is_found(plant: Callable[[Story], None]) -> None:
    story = clean()
    plant(story)
    story.settle()

    assert {finding.subject for finding in story.verdicts()["P2"].findings} == {"z"}


def test_a_lost_booking_is_found_by_the_journal() -> None:
    verdicts = clean().verdicts(acknowledged={"a", "lost"})

    assert [finding.subject for finding in verdicts["P1"].findings] == ["lost"]
    assert [finding.subject for finding in verdicts["P7"].findings] == ["lost"]


def test_an_offset_committed_ahead_of_the_rows_is_found() -> None:
    story = clean()
    story.committed[names.BOOKING_INBOX, 0] += 1

    assert [finding.subject for finding in story.verdicts()["P7"].findings] == [f"{names.BOOKING_INBOX}/0"]
