"""The auditor finds nothing where nothing is wrong, and says what it could not judge."""

from __future__ import annotations

import pytest

from cli.audit import names
from cli.audit.promises import judge
from tests.cli.audit.clean import clean, confirm, pend
from tests.cli.audit.story import Story


@pytest.mark.parametrize("promise", ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "causes"])
def test_a_clean_history_passes(promise: str) -> None:
    verdict = clean().verdicts()[promise]

    assert verdict.findings == []
    assert verdict.state == "ok"
    assert verdict.checked > 0
    assert verdict.open == 0


def test_what_does_not_exist_yet_is_not_applicable() -> None:
    assert clean().verdicts()["P9"].state == "not applicable"


def test_without_a_ledger_money_is_not_applicable() -> None:
    history = clean().history()
    history.ledger = None

    states = {verdict.promise: verdict.state for verdict in judge(history)}
    assert states["P3"] == states["P4"] == "not applicable"


def test_identical_repetitions_are_allowed() -> None:
    story = clean()
    for record in [record for record in story.records if record.topic in (names.CONFIRMED, names.CAUSES[1])]:
        story.put(record.topic, (record.key or b"").decode(), record.value, record.headers)
    story.settle()

    assert not any(verdict.findings for verdict in story.verdicts().values())


def test_a_booking_within_its_deadline_is_open() -> None:
    story = clean()
    story.request("late")

    verdicts = story.verdicts()
    assert verdicts["P1"].open == 1
    assert not any(verdict.findings for verdict in verdicts.values())


def test_what_a_service_has_not_decided_yet_is_open() -> None:
    story = clean()
    pend(story, "late", start="2026-07-01")
    story.world("late", names.CONFIRMED, cause="payment.authorized")
    story.pay("late", "capture", cause="payment.authorized")

    verdicts = story.verdicts()
    assert not any(verdict.findings for verdict in verdicts.values())
    assert verdicts["P3"].open == 1  # the booking's money
    assert verdicts["P6"].open == 1 + 3  # its payment's row, and the inboxes that nobody is through with


def test_a_stale_changelog_record_does_not_count() -> None:
    story = clean()
    story.row("booking", "b|a", {"status": "PENDING"}, partition="a", source=0)

    assert story.verdicts()["P6"].findings == []


def test_a_deadline_counts_from_the_last_takeover() -> None:
    story = Story()
    story.declare(1)
    pend(story, "a")
    story.wait(hours=3)  # nothing ran
    claim = {"service": "booking", "partition": 0, "url": "", "worker": "1", "since": story.now.isoformat()}
    story.say(names.WORKERS, "vacancy.worker.owns", claim, key="booking/0")
    story.world("a", names.EXPIRED, cause="request", reason="deadline_passed")

    assert story.verdicts()["P1"].findings == []


def test_what_the_topics_have_forgotten_is_not_judged() -> None:
    story = Story()
    story.declare(5)
    confirm(story, "old")
    story.wait(days=8)
    confirm(story, "new")
    kept = [record for record in story.records if "old" not in str(record.key) or record.topic.startswith("vacancy.")]
    forgotten = {(record.topic, record.partition): record.offset + 1 for record in story.records if record not in kept}
    story.records = kept

    week_ago = story.records[-1].timestamp - 7 * 24 * 3600 * 1000
    verdicts = story.verdicts(begins=forgotten, kept_from=dict.fromkeys(forgotten, week_ago))
    assert verdicts["P1"].findings == []
    assert verdicts["P1"].aged == 1


def test_dead_letters_that_were_edited_and_replayed_break_nothing() -> None:
    story = clean()
    letter = story.bury(story.put(names.BOOKING_INBOX, "poison", b"\xff"))
    story.edit(letter, b"{}")
    again = story.put(names.BOOKING_INBOX, "poison", b"{}", [("vacancy-replays", b"1")])
    story.bury(again)
    heard = story.bury(story.put(names.CREATED, "z", b"\x00"))
    story.edit(heard, b"\x01")
    story.bury(story.replay(names.CREATED, b"\x01"), home=names.CREATED)
    story.settle()

    verdicts = story.verdicts()
    assert verdicts["P8"].findings == []
    assert verdicts["P8"].open == 0
    assert not any(verdict.findings for verdict in verdicts.values())
