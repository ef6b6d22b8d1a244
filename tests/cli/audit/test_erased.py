"""Users who were erased: their mails and text messages are gone, and the audit finds nothing in that."""

from __future__ import annotations

import pytest

from cli.audit import names
from cli.audit.findings import Verdict
from tests.cli.audit.story import Story
from tests.cli.audit.writer import iso


def erase(story: Story, user: str, *, answer: bool = True, rows: bool = True) -> None:
    """A user is erased; the row says so, or only news does."""
    asked = story.say(names.USER_INBOX, "user.user.erase", {"user_id": user}, key=user)
    order = {"user_id": user, "asked_at": iso(story.now)}
    effect = story.say(names.USER_EFFECTS, "user.effect.forget", order, key=user, cause=asked)
    if not answer:
        return
    done = story.say(names.USER_INBOX, "user.effect.answered", {**order, "keys": 1}, key=user, cause=effect)
    story.tell("user.user.erased", {"user_id": user, "erased_at": iso(story.now)}, key=user, cause=done)
    row = {"user_id": user, "personal": "", **({"erased_at": iso(story.now)} if rows else {})}
    story.row("user", f"u|{user}", row, partition=user, source=story.end(names.USER_INBOX, story.partition(user)))


def sent(story: Story, notice: str, channel: str, user: str = "guest%7C1") -> None:
    """A notice is remembered as sent, and there is no mail or text message."""
    content = {"channel": channel, "status": "sent", "created_at": iso(story.now)}
    story.row("notification", f"n|{user}|{notice}", content, partition="guest|1", source=0)


def judged(story: Story, promise: str) -> Verdict:
    story.settle()
    return story.verdicts(mail={}, texts=frozenset())[promise]


@pytest.mark.parametrize("rows", [True, False])
def test_mails_of_an_erased_user_may_be_gone(rows: bool) -> None:
    story = Story()
    sent(story, "n1", "mail")
    story.wait(minutes=10)
    erase(story, "guest|1", rows=rows)
    verdict = judged(story, "P9")
    assert (verdict.findings, verdict.checked) == ([], 1)
    assert verdict.note == "1 mails went with users who were erased"


def test_text_messages_of_an_erased_user_may_be_gone() -> None:
    story = Story()
    sent(story, "n1", "sms")
    sent(story, "n2", "sms", user="eve")
    erase(story, "guest|1")
    verdict = judged(story, "notices")
    assert [found.subject for found in verdict.findings] == ["n2"]
    assert verdict.note == "1 text messages went with users who were erased"


def test_mails_of_others_and_of_who_came_back_may_not() -> None:
    story = Story()
    sent(story, "n1", "mail", user="eve")
    erase(story, "guest|1")
    story.wait(minutes=10)
    sent(story, "n2", "mail")
    assert [found.subject for found in judged(story, "P9").findings] == ["n1", "n2"]


def test_an_erasure_comes_from_outside_and_all_else_of_it_has_a_cause() -> None:
    story = Story()
    erase(story, "guest|1")
    assert judged(story, "causes").findings == []
    assert judged(story, "P7").findings == []


def test_an_erasure_that_was_ordered_and_never_answered_is_found() -> None:
    story = Story()
    erase(story, "guest|1", answer=False)
    (found,) = judged(story, "P7").findings
    assert found.what == "the order to user.effect.forget was passed, but its result is not on the log"
