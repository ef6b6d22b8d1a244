"""The mail an instance keeps, as the auditor reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.letters import Letter
from adapters.mailbox import Mailbox
from adapters.messages import Envelope, compose
from cli.audit.changelog import NoticeRow
from cli.audit.facts import Row
from cli.audit.findings import Verdict
from cli.audit.history import History
from cli.audit.mail import check, read_again, read_mail
from tests.cli.audit.layouts import NOTICE

MESSAGE_ID = f"<{NOTICE}@vacancy>"


def deliver(data: Path, times: int = 1) -> None:
    sent = Envelope(notice_id=NOTICE, sender="a@example.com", to="b@example.com", at=datetime(2026, 1, 1, tzinfo=UTC))
    for _ in range(times):
        Mailbox(data / "mail").keep(compose(Letter("Confirmed", "See you."), sent).as_bytes())


def judged(data: Path) -> Verdict:
    """The verdict on one mail that is remembered as sent."""
    history = History()
    history.rows["notice"][f"n|u1|{NOTICE}"] = Row(0, NoticeRow("mail", "sent"))
    history.mail, history.mail_again = read_mail(data), read_again(data)
    return check(history)


def test_what_the_mailbox_keeps_is_read(tmp_path: Path) -> None:
    deliver(tmp_path, times=3)
    assert read_mail(tmp_path) == {NOTICE: [MESSAGE_ID]}
    assert read_again(tmp_path) == {(NOTICE, MESSAGE_ID): 2}


def test_where_no_mail_is_kept_there_is_none_to_read(tmp_path: Path) -> None:
    assert read_mail(tmp_path) is None
    assert not read_again(tmp_path)


def test_a_mail_without_an_id_has_none(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / f"{NOTICE}.eml").write_bytes(b"Subject: x\r\n\r\nMessage-ID: <not@aheader>\r\n")

    assert read_mail(tmp_path) == {NOTICE: []}


@pytest.mark.parametrize(("times", "note"), [(1, ""), (2, "1 deliveries were repetitions"), (3, "2 deliveries")])
def test_a_repeated_delivery_is_noted_and_breaks_nothing(tmp_path: Path, times: int, note: str) -> None:
    deliver(tmp_path, times)
    verdict = judged(tmp_path)
    assert (verdict.state, verdict.checked) == ("ok", 1)
    assert verdict.note.startswith(note)


def test_a_repetition_under_another_name_breaks_the_promise(tmp_path: Path) -> None:
    deliver(tmp_path)
    (tmp_path / "mail" / f"{NOTICE}.2.again").write_bytes(b"Message-ID: <other@vacancy>\r\n\r\n")
    assert judged(tmp_path).state == "FAILED"


def test_a_mail_that_is_missing_breaks_the_promise(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    assert judged(tmp_path).state == "FAILED"
