"""Reminders: what the auditor finds when one was not planned, or not told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cli.audit import names
from cli.audit.findings import Finding
from tests.cli.audit.story import Story
from tests.cli.audit.writer import BEGINNING, iso

INBOX = names.NOTIFICATION_INBOX
DAY = timedelta(days=1)
ARRIVAL = BEGINNING + 10 * DAY


def told(story: Story, name: str, kind: str = names.CONFIRMED, *, start: datetime = ARRIVAL, plan: bool = True) -> None:
    """The world hears of a stay, and the notification service what it means for the reminder."""
    if name not in story.bookings:
        story.request(name)
    about = {"kind": "stay", "phone": False, "lines": [{"start": iso(start)}]}
    more = {"refund_amount": 0, "cancellation_reason": "ill"} if kind == names.CANCELLED else {}
    story.world(name, kind, cause="request", user_id="u1", about=about, **more)
    if plan:
        planned(story, name, kind, start)


def planned(story: Story, name: str, kind: str, start: datetime) -> None:
    news, over = story.bookings[name].last[kind], kind == names.CANCELLED
    data: dict[str, Any] = {"user_id": "u1", "booking_id": name, "told_at": iso(story.now), "over": over}
    if not over:
        data |= {"due": iso(start - DAY), "start": iso(start), "templates": {"app": "reminder"}}
    story.say(INBOX, "notification.reminder.plan", data, key="u1", cause=news)


def reminded(story: Story, name: str, start: datetime = ARRIVAL) -> None:
    cause = f"{name}/{datetime.fromisoformat(iso(start)).isoformat()}/reminder"
    content = {"channel": "app", "status": "new", "news": "notification.reminder.due", "cause_id": cause}
    last = story.end(INBOX, story.partition("u1"))
    story.row("notification", f"n|u1|{name}-reminder", content, partition="u1", source=last)


def found(story: Story, until: datetime) -> list[Finding]:
    """What is said of reminders, where the instance ran until then."""
    story.settle()
    story.now = until
    story.request("later")
    findings = story.verdicts()["notices"].findings
    return [each for each in findings if "was not told by" not in each.what]


def test_a_reminder_that_was_due_while_the_instance_ran_has_its_notices() -> None:
    story = Story()
    told(story, "a")
    told(story, "b")
    reminded(story, "b")
    assert found(story, ARRIVAL - DAY) == []
    assert found(story, ARRIVAL - DAY / 2) == [("a", "was to be reminded of, and was not")]


def test_of_what_is_over_or_was_moved_nobody_need_be_reminded() -> None:
    story = Story()
    told(story, "a")
    told(story, "a", names.CANCELLED)
    told(story, "b")
    told(story, "b", names.UPDATED, start=ARRIVAL + 5 * DAY)
    assert found(story, ARRIVAL) == []


def test_what_was_due_while_nothing_ran_is_not_found() -> None:
    story = Story()
    told(story, "a")
    story.now = ARRIVAL - timedelta(seconds=30)
    owns = {"service": "booking", "since": iso(story.now)}
    story.say(names.WORKERS, "vacancy.worker.owns", owns, key="w")
    assert found(story, ARRIVAL + DAY) == []


def test_news_between_news_that_was_taken_into_account_is_to_be_too() -> None:
    story = Story()
    for number in range(8):
        told(story, f"a{number}")
    told(story, "lost", plan=False)
    told(story, "soon", start=BEGINNING + DAY, plan=False)
    assert found(story, BEGINNING + DAY) == []  # nothing came after it
    for number in range(8):
        told(story, f"b{number}")
    (missed,) = found(story, BEGINNING + 2 * DAY)
    assert missed == (
        story.bookings["lost"].last[names.CONFIRMED],
        f"{names.CONFIRMED} was not taken into account for a reminder",
    )


def test_an_end_that_was_not_taken_into_account_is_found() -> None:
    story = Story()
    for number in range(16):
        told(story, f"a{number}")
    for number in range(16):
        told(story, f"a{number}", names.CANCELLED, plan=number != 8)
    findings = found(story, BEGINNING + DAY)
    assert [each.subject for each in findings] == [story.bookings["a8"].last[names.CANCELLED]]
