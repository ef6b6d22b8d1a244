"""The local mailbox: one file for each mail, and nothing in a header that does not belong there."""

from __future__ import annotations

import email
import email.policy
import os
import stat
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters import mailbox
from adapters.letters import Letter
from adapters.mailbox import SENDER, Mail, Mailbox

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LETTER = Letter("Your booking is confirmed", "Hello Ada,\n\nsee you soon.\n\nVacancy")


def notice(number: int) -> str:
    return str(uuid.UUID(int=number))


@pytest.fixture
def box(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path / "mail")


def fill(box: Mailbox, directory: Path, *receivers: str) -> None:
    for number, to in enumerate(receivers):
        box.put(notice(number), to, LETTER, NOW + timedelta(seconds=number))
        os.utime(directory / "mail" / f"{notice(number)}.eml", ns=(number, number))


@pytest.mark.proves("CAMP-16")
def test_a_mail_is_a_message_any_mail_program_reads(box: Mailbox, tmp_path: Path) -> None:
    message_id = box.put(notice(7), "ada@example.com", LETTER, NOW)
    (path,) = (tmp_path / "mail").iterdir()
    raw = path.read_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert path.name == f"{notice(7)}.eml"
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, "ada@example.com", LETTER.subject)
    assert message["Message-ID"] == message_id == f"<{notice(7)}@vacancy>"
    assert message["Date"].datetime == NOW
    assert message.get_content().splitlines() == LETTER.text.splitlines()
    assert b"\r\n\r\n" in raw


def test_mail_is_for_its_owners_eyes(box: Mailbox, tmp_path: Path) -> None:
    box.put(notice(7), "ada@example.com", LETTER, NOW)
    (path,) = (tmp_path / "mail").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_handed_over_twice_it_is_one_mail(box: Mailbox, tmp_path: Path) -> None:
    box.put(notice(7), "ada@example.com", LETTER, NOW)
    (first,) = ((path.name, path.read_bytes()) for path in (tmp_path / "mail").iterdir())
    box.put(notice(7), "ada@example.com", LETTER, NOW)
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "mail").iterdir()] == [first]


@pytest.mark.parametrize(
    ("notice_id", "to", "subject"),
    [
        ("../escape", "ada@example.com", "s"),
        (notice(1), "ada@example.com\r\nBcc: x@example.com", "s"),
        (notice(1), "ada@example.com", "s\r\nBcc: x@example.com"),
        (notice(1), "ada@example.com", "s\nBcc: x@example.com"),
    ],
)
def test_nothing_is_written_that_could_forge_a_header(
    box: Mailbox, tmp_path: Path, notice_id: str, to: str, subject: str
) -> None:
    with pytest.raises(ValueError, match=r".+"):
        box.put(notice_id, to, Letter(subject, "text"), NOW)
    assert not (tmp_path / "mail").exists()


def test_other_alphabets_come_through(box: Mailbox) -> None:
    box.put(notice(1), "zoë@exämple.com", Letter("Grüße ☃", "Schön\n" + "ß" * 2_000), NOW)
    (mail,) = box.newest(1)
    assert (mail.to, mail.subject, mail.text) == ("zoë@exämple.com", "Grüße ☃", "Schön\n" + "ß" * 2_000)


@pytest.mark.parametrize("text", ["Hello", "Zoë\n\nsees you\n", "one\r\ntwo", "from me\nFrom: you", ".\n"])
def test_a_mail_written_fast_says_what_the_library_would_have_it_say(text: str) -> None:
    letter = Letter("Your booking", text)
    assert mailbox._is_plain("ada@example.com", letter)
    fast, slow = (
        email.message_from_bytes(
            written("ada@example.com", letter, NOW, f"<{notice(1)}@vacancy>"), policy=email.policy.default
        )
        for written in (mailbox._plain, mailbox._any)
    )
    assert fast.get_content().splitlines() == slow.get_content().splitlines() == text.splitlines()
    assert fast.get_content_charset() in ("us-ascii", "utf-8")
    for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version"):
        assert str(fast[name]) == str(slow[name])
    assert not fast.defects


def test_the_newest_come_first_and_no_more_than_asked(box: Mailbox, tmp_path: Path) -> None:
    fill(box, tmp_path, "a@example.com", "b@example.com", "c@example.com")
    assert [mail.to for mail in box.newest(2)] == ["c@example.com", "b@example.com"]
    assert box.newest(1) == [
        Mail("c@example.com", LETTER.subject, LETTER.text, f"<{notice(2)}@vacancy>", NOW + timedelta(seconds=2))
    ]


def test_mail_is_found_by_its_whole_address(box: Mailbox, tmp_path: Path) -> None:
    fill(box, tmp_path, "ada@example.com", "xada@example.com", "ada@example.com", "bob@example.com")
    assert [mail.message_id for mail in box.newest(10, "ADA@example.com")] == [
        f"<{notice(2)}@vacancy>",
        f"<{notice(0)}@vacancy>",
    ]
    assert len(box.newest(1, "ada@example.com")) == 1


def test_what_is_half_written_or_no_mail_is_not_shown(box: Mailbox, tmp_path: Path) -> None:
    assert box.newest(10) == []
    fill(box, tmp_path, "ada@example.com")
    (tmp_path / "mail" / f".{notice(3)}.eml.0123").write_bytes(b"half")
    (tmp_path / "mail" / "note.txt").write_bytes(b"note")
    assert len(box.newest(10)) == 1
