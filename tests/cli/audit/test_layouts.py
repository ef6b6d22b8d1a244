"""The auditor judges every layout: a clean history passes under each, and what breaks a rule of one is found there."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from cli.audit import names
from cli.audit.findings import clean
from cli.audit.spelling import Spelling
from tests.cli.audit import layout_seeds as seeds
from tests.cli.audit.layouts import GOODS, LAYOUTS, NOTICE
from tests.cli.audit.story import Story

#: What there is nothing of under a layout.
NOTHING_OF = {(name, promise) for name in ("orders", "clinic") for promise in ("P9", "notices")} | {("clinic", "P4")}
#: Nobody listens in these stories (`tests/cli/audit/test_hooks.py`).
WEBHOOKS = "P9 webhooks"
MAIL = {NOTICE: [f"<{NOTICE}@vacancy>"]}
MINUTE = 60_000


class Seed(NamedTuple):
    """What goes wrong, which promise it breaks, whose finding it is, and what that says."""

    promise: str
    subject: str
    says: str
    plant: Callable[[Story], None]


EVERYWHERE = [
    Seed("P1", "", "2 outcomes", seeds.two_outcomes),
    Seed("P1", "z", "no outcome", seeds.only_another_program_confirms),
    Seed("P8", "", "another program's booking.booking.confirmed, was passed", seeds.another_program_s_outcome),
    Seed("P8", "", "holds no message, was passed", seeds.no_message),
    Seed("P8", f"{names.EVENTS}/", "holds no message, was passed", seeds.news_in_the_wrong_place),
    Seed("P8", "", "other bytes", seeds.letter_altered),
    Seed("P8", "", "holds no message, was passed", seeds.buried_by_another_group),
    Seed("P7", "", "booking.booking.created was passed, but nothing became of it", seeds.request_lost),
    Seed("P1", "z", "announced again", seeds.announced_again),
    Seed("P5", "", "booking.booking.created stands on the log with different contents", seeds.said_otherwise_beside),
]
STAYS = [
    Seed("P3", "z", "is 199.90, but 139.9 is owed", seeds.difference_kept),
    Seed("P6", "stayed", "CONFIRMED, the log says COMPLETED", seeds.stayed_but_forgotten),
    Seed("P6", "z", "NO_SHOW, the log says CONFIRMED", seeds.never_missing),
    Seed("P7", f"{names.NOTIFICATION_EFFECTS}/", "its result is not on the log", seeds.order_lost),
]
ORDERS = [
    Seed("P3", "z", "was held before the money was there", seeds.held_before_the_money),
    Seed("P3", "z", "something else than its authorization", seeds.captured_without_authorization),
    Seed("P3", "z", "something else than its authorization", seeds.captured_unasked),
    Seed("P3", "z", "is 199.90, but 0 is owed", seeds.money_kept),
    Seed("P2", "z", "stock to 8 of 7", seeds.sold_out_twice),
    Seed("P2", "z", "stock to 3 of 2", seeds.sold_beside_what_is_held),
    Seed("P2", "z", "stock to 8 of 7", seeds.returned_twice),
    Seed("P6", f"{GOODS}|stock", "its row has 6 sold, the inbox 7", seeds.stock_miscounted),
]
APPOINTMENTS = [
    Seed("P3", "z", "199.90 was captured, but it is not paid here", seeds.taken_at_the_desk),
    Seed("P2", "z", "2026-03-01T09:00Z to 2 of 1", seeds.slot_sold_twice),
    Seed("P6", "clinic/dr-who|2026-03-02T09:00Z", "the inbox nothing", seeds.never_gave_back),
]
OF_LAYOUT = {"catalogue": STAYS, "campsite": STAYS, "hotel": STAYS, "orders": ORDERS, "clinic": APPOINTMENTS}
SEEDS = [
    pytest.param(layout, seed, id=f"{layout}-{seed.plant.__name__}")
    for layout in LAYOUTS
    for seed in (*EVERYWHERE, *OF_LAYOUT[layout])
]


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_a_clean_history_passes_under_every_layout(name: str) -> None:
    verdicts = LAYOUTS[name]().verdicts(mail=MAIL)

    assert {promise: verdict.findings for promise, verdict in verdicts.items() if verdict.findings} == {}
    assert {promise for promise, verdict in verdicts.items() if verdict.open} == set()
    unchecked = {(name, promise) for promise, verdict in verdicts.items() if not verdict.checked} - {(name, WEBHOOKS)}
    assert unchecked <= NOTHING_OF


@pytest.mark.parametrize(("layout", "seed"), SEEDS)
def test_a_seeded_violation_is_found(layout: str, seed: Seed) -> None:
    story = LAYOUTS[layout]()
    seed.plant(story)
    story.settle()

    verdict = story.verdicts(mail=MAIL)[seed.promise]

    found = [finding.what for finding in verdict.findings if finding.subject.startswith(seed.subject)]
    assert any(seed.says in what for what in found), verdict.findings


def test_of_what_is_not_paid_here_nothing_is_owed_whatever_is_announced() -> None:
    story = LAYOUTS["clinic"]()
    seeds.nothing_owed(story)
    story.settle()

    assert story.verdicts()["P3"].findings == []


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_a_namespace_is_not_part_of_what_is_judged(name: str) -> None:
    verdicts = LAYOUTS[name]("shop").verdicts(mail=MAIL)

    assert {promise: verdict.findings for promise, verdict in verdicts.items() if verdict.findings} == {}


def test_a_dead_letter_of_another_instance_is_from_nowhere() -> None:
    story = LAYOUTS["orders"]()
    story.bury(story.put("order_created", "z", b"\x00"))
    story.settle()

    verdict = story.verdicts(spelling=Spelling("shop"))["P8"]

    assert any("where nothing stands" in finding.what for finding in verdict.findings)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_what_another_group_could_not_use_was_said_all_the_same(name: str) -> None:
    story = LAYOUTS[name]()
    for record in [record for record in story.records if dict(record.headers).get("vacancy-sig")]:
        story.bury(record, by="vacancy-bridge")

    verdicts = story.verdicts(mail=MAIL)

    assert {promise: verdict.findings for promise, verdict in verdicts.items() if verdict.findings} == {}


# --- what a running instance owes within a minute ---


def _running(story: Story, after: int) -> dict[str, int]:
    return {"started": story.records[-1].timestamp + after}


def test_what_the_gate_has_not_passed_yet_is_open() -> None:
    story = LAYOUTS["campsite"]()
    seeds.no_message(story)
    seeds.request_lost(story)

    verdicts = story.verdicts(**_running(story, MINUTE // 2))

    assert verdicts["P8"].findings == []
    assert (verdicts["P7"].open, verdicts["P8"].open) == (1, 1)


def test_what_the_gate_never_looks_at_is_found() -> None:
    story = LAYOUTS["campsite"]()
    seeds.no_message(story)

    verdict = story.verdicts(**_running(story, MINUTE + 1_000))["P8"]

    assert [finding.what for finding in verdict.findings] == ["holds no message, and nothing has looked at it"]


@pytest.mark.parametrize("service", names.SERVICES)
def test_a_service_that_stands_still_is_found(service: str) -> None:
    story = LAYOUTS["hotel"]()
    inbox = names.inbox_of(service)
    story.put(inbox, "z", b"waits")

    early = story.verdicts(**_running(story, MINUTE // 2))["P6"]
    late = story.verdicts(**_running(story, MINUTE + 1_000))["P6"]

    assert (early.findings, early.open) == ([], 1)
    assert [finding.subject for finding in late.findings] == [f"{inbox}/{story.partition('z')}"]


def test_a_stopped_instance_has_time() -> None:
    story = LAYOUTS["hotel"]()
    story.put(names.BOOKING_INBOX, "z", b"waits")
    story.wait(hours=1)
    story.declare(2)

    verdict = story.verdicts()["P6"]

    assert (verdict.findings, verdict.open) == ([], 2)


# --- producers that may lose things ---


def test_what_a_weak_producer_loses_is_excepted() -> None:
    story = LAYOUTS["campsite"]()
    seeds.request_lost(story)
    story.settle()

    verdicts = story.verdicts(mail=MAIL, weak=True, acknowledged={"lost"})

    assert verdicts["P7"].state == "excepted (weak producer profile)"
    assert verdicts["P7"].findings[0].subject == "lost"
    assert clean(verdicts.values())


# --- mail ---


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        (None, "there is no such mail"),
        ([], "the Message-IDs none"),
        (["<other@vacancy>"], "the Message-IDs <other@vacancy>"),
        ([f"<{NOTICE}@vacancy>"] * 2, f"<{NOTICE}@vacancy>, <{NOTICE}@vacancy>"),
    ],
)
def test_a_mail_that_is_not_as_it_is_remembered_is_found(ids: list[str] | None, says: str) -> None:
    found = LAYOUTS["catalogue"]().verdicts(mail={} if ids is None else {NOTICE: ids})["P9"].findings

    assert [finding.subject for finding in found] == [NOTICE]
    assert says in found[0].what


def test_mail_that_is_kept_elsewhere_is_not_judged() -> None:
    verdict = LAYOUTS["catalogue"]().verdicts()["P9"]

    assert (verdict.state, verdict.note) == ("not applicable", "no mail is kept here: it went to a server outside")
