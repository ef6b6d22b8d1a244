"""The mail an instance keeps, as the auditor reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from adapters.letters import Letter
from adapters.mailbox import Mailbox
from cli.audit.mail import read_mail
from tests.cli.audit.layouts import NOTICE


def test_what_the_mailbox_keeps_is_read(tmp_path: Path) -> None:
    letter = Letter(subject="Confirmed", text="See you.")
    for _ in range(2):
        Mailbox(tmp_path / "mail").put(NOTICE, "guest@example.com", letter, datetime(2026, 1, 1, tzinfo=UTC))

    assert read_mail(tmp_path) == {NOTICE: [f"<{NOTICE}@vacancy>"]}


def test_where_no_mail_is_kept_there_is_none_to_read(tmp_path: Path) -> None:
    assert read_mail(tmp_path) is None


def test_a_mail_without_an_id_has_none(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / f"{NOTICE}.eml").write_bytes(b"Subject: x\r\n\r\nMessage-ID: <not@aheader>\r\n")

    assert read_mail(tmp_path) == {NOTICE: []}
