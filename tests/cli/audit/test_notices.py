"""Who was told: what the auditor finds when somebody was not."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.audit import names
from cli.audit.findings import Verdict
from cli.audit.mail import read_texts
from cli.audit.notices import table_of
from config.settings import layouts
from tests.cli.audit.story import Story
from tests.cli.audit.writer import iso

INBOX = names.NOTIFICATION_INBOX


def told(story: Story, name: str, *channels: str, rows: bool = True, phone: bool = False) -> list[str]:
    """A booking of a guest is confirmed, and the guest told of it on these channels; the notices."""
    story.request(name)
    about = {"kind": "stay", "phone": phone}
    story.world(name, names.CONFIRMED, cause="request", user_id="guest|1", about=about)
    news, notices = story.bookings[name].last[names.CONFIRMED], []
    for channel in channels:
        notices.append(f"{name}-{channel}")
        data = {"notice_id": notices[-1], "user_id": "guest|1", "channel": channel, "cause_id": news}
        story.say(INBOX, "notification.notice.request", data, key="guest|1", cause=news)
        if rows:
            row(story, notices[-1], channel)
    return notices


def row(story: Story, notice: str, channel: str, status: str = "new", **more: Any) -> None:
    last = story.end(INBOX, story.partition("guest|1"))
    content = {"channel": channel, "status": status, **more}
    story.row("notification", f"n|guest%7C1|{notice}", content, partition="guest|1", source=last)


def judged(story: Story, **more: Any) -> Verdict:
    story.settle()
    return story.verdicts(**more)["notices"]


def test_whoever_was_told_on_every_channel_leaves_nothing_to_say() -> None:
    story = Story()
    for name in ("a", "b"):
        told(story, name, "mail", "app")
    verdict = judged(story)
    assert (verdict.findings, verdict.state) == ([], "ok")
    assert verdict.checked >= 4


def test_news_that_nobody_was_told_of_is_found_once_later_news_was_told() -> None:
    story = Story()
    told(story, "b", "app")
    assert judged(story).findings == []  # still on its way
    story.wait(minutes=2)
    for name in (f"c{number}" for number in range(8)):
        told(story, name, "mail", "app")
    (found,) = judged(story).findings
    assert found.what == f"{names.CONFIRMED} was not told by mail"


def test_who_left_a_number_is_to_get_a_text_message() -> None:
    story = Story()
    told(story, "a", "mail", "app", phone=True)
    story.wait(minutes=2)
    for name in (f"c{number}" for number in range(8)):
        told(story, name, "mail", "app")
    assert [found.what for found in judged(story).findings] == [f"{names.CONFIRMED} was not told by sms"]


def test_a_notice_that_was_asked_for_and_is_not_remembered_is_found() -> None:
    story = Story()
    told(story, "a", "mail", "app", rows=False)
    told(story, "b", "mail", "app")
    assert [found.subject for found in judged(story).findings] == ["a-app", "a-mail"]


def test_a_text_message_that_the_provider_never_took_is_found() -> None:
    story = Story()
    told(story, "a", "mail", "app", phone=True)
    row(story, "text-1", "sms", "sent")
    row(story, "text-2", "sms", "sent")
    assert judged(story).findings == []
    (found,) = judged(story, texts=frozenset({"text-1"})).findings
    assert found == ("text-2", "is remembered as sent, but there is no such text message")


def ordered(story: Story, notice: str) -> str:
    """It is ordered to hand a mail over; the order's id."""
    data = {"notice_id": notice, "user_id": "guest|1"}
    return story.say(
        names.NOTIFICATION_EFFECTS, "notification.effect.mail", data, key="guest|1", cause=request_of(story)
    )


def request_of(story: Story) -> str:
    told = [record for record in story.records if record.topic == INBOX]
    return str(orjson.loads(told[-1].value or b"")["event_id"])


def answered(story: Story, notice: str, order: str, kind: str = "parked") -> None:
    data = {"notice_id": notice, "user_id": "guest|1", "effect_id": order}
    story.say(INBOX, f"notification.effect.{kind}", data, key="guest|1", cause=order)


def waiting(story: Story, kind: str, **more: Any) -> Verdict:
    """Judged two minutes after a mail was ordered and answered so, with what its row then says."""
    told(story, "a", "mail", "app")
    order = ordered(story, "a-mail")
    if kind:
        answered(story, "a-mail", order, kind)
    row(story, "a-mail", "mail", "waiting", **more)
    story.settle()
    if not kind:
        story.committed = {place: 0 for place in story.committed if place[0] == names.NOTIFICATION_EFFECTS}
    story.wait(minutes=2)
    story.request("later")  # a sign of life
    return story.verdicts()["notices"]


def test_a_notice_that_waits_for_its_order_or_its_time_is_open() -> None:
    assert waiting(Story(), "").findings == []
    story = Story()
    verdict = waiting(story, "parked", due=iso(story.now + timedelta(hours=1)))
    assert (verdict.findings, verdict.open) == ([], 1)


def test_a_notice_that_waits_for_nothing_is_found() -> None:
    for kind in ("parked", "answered"):
        (found,) = waiting(Story(), kind).findings
        assert found == ("a-mail", "still waits, and nothing is under way to hand its mail over")


def test_a_parked_notice_that_nobody_tried_again_is_found() -> None:
    story = Story()
    (found,) = waiting(story, "parked", due=iso(story.now + timedelta(seconds=30))).findings
    assert found == ("a-mail", "was parked, and not tried again when it was due")


def test_a_waiting_notice_that_nothing_was_ordered_for_is_found() -> None:
    story = Story()
    told(story, "a", "mail", "app")
    row(story, "a-mail", "mail", "waiting")
    assert [found.subject for found in judged(story).findings] == ["a-mail"]


def test_where_nobody_is_told_there_is_nothing_to_judge() -> None:
    assert judged(Story()).state == "not applicable"


@pytest.mark.parametrize("layout", layouts())
def test_the_tables_are_the_layouts(layout: str) -> None:
    table = table_of(layout)
    assert "notification.reminder.due" not in table
    assert all(channels <= {"mail", "sms", "app"} for channels in table.values())
    assert table["waitlist.entry.offered"] >= {"mail"}


def test_what_the_sandbox_took_is_read(tmp_path: Path) -> None:
    assert read_texts(tmp_path) is None
    (tmp_path / "sms").mkdir()
    with sqlite3.connect(tmp_path / "sms" / "sms.sqlite") as db:
        db.execute("CREATE TABLE texts (reference TEXT)")
        db.execute("INSERT INTO texts VALUES ('n1')")
    assert read_texts(tmp_path) == frozenset({"n1"})


def test_an_order_that_was_refused_is_a_letter_and_its_answer_has_a_cause() -> None:
    """So has the answer to its replay, which stands in the effects topic under the same id."""
    story = Story()
    (notice,) = told(story, "a", "mail")
    before = findings(story)
    asked, cause = "notification.effect.mail", story.bookings["a"].last[names.CONFIRMED]
    for _ in range(2):
        order = {"notice_id": notice, "user_id": "guest|1", "template": "booking_confirmed"}
        event_id = story.say(
            names.NOTIFICATION_EFFECTS,
            asked,
            order,
            key="guest|1",
            cause=cause,
            event_id="order-1",
        )
        story.bury(story.records[-1], kind="refused")
        answer = {"notice_id": notice, "user_id": "guest|1", "effect_id": event_id, "error": "refused"}
        story.say(INBOX, "notification.effect.answered", answer, key="guest|1", cause=event_id)
    row(story, notice, "mail", "unsent")
    assert findings(story) == before


def test_a_breaker_that_changed_has_no_cause_and_needs_none() -> None:
    story = Story()
    told(story, "a", "app")
    before = findings(story)
    changed = {"dependency": "mail", "state": "open", "failures": 10, "part": "worker-0", "changed_at": iso(story.now)}
    story.tell("platform.breaker.changed", changed, key="mail")
    assert findings(story) == before


def findings(story: Story) -> set[tuple[str, str]]:
    """What the audit finds, by promise; a story that is not told to its end breaks some."""
    story.settle()
    return {(name, found.what) for name, verdict in story.verdicts().items() for found in verdict.findings}
