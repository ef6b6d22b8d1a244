"""The local mailbox: one file for each delivery, one mail for each Message-ID."""

from __future__ import annotations

import os
import stat
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters import mailbox
from adapters.letters import Letter
from adapters.mailbox import Mail, Mailbox
from adapters.messages import Envelope, compose

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LETTER = Letter("Your booking is confirmed", "Hello Ada,\n\nsee you soon.\n\nVacancy")


def notice(number: int) -> str:
    return str(uuid.UUID(int=number))


def mail(number: int, to: str = "ada@example.com", letter: Letter = LETTER, at: datetime = NOW) -> bytes:
    envelope = Envelope(notice_id=notice(number), sender="Rooms <rooms@example.com>", to=to, at=at)
    return compose(letter, envelope).as_bytes()


@pytest.fixture
def box(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path / "mail")


def fill(box: Mailbox, *receivers: str) -> None:
    for number, to in enumerate(receivers):
        os.utime(box.keep(mail(number, to, at=NOW + timedelta(seconds=number))), ns=(number, number))


@pytest.mark.proves("CAMP-16")
def test_a_mail_is_kept_as_it_came_for_its_owners_eyes(box: Mailbox) -> None:
    path = box.keep(mail(7))
    assert (path.name, path.read_bytes()) == (f"{notice(7)}.eml", mail(7))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_delivered_again_it_is_one_mail_and_both_are_there(box: Mailbox) -> None:
    paths = [box.keep(mail(7)) for _ in range(3)]
    assert [path.name for path in paths] == [f"{notice(7)}{end}" for end in (".eml", ".2.again", ".3.again")]
    assert {path.read_bytes() for path in paths} == {mail(7)}
    assert len(box.newest(10)) == 1


def test_repetitions_do_not_fill_the_disk(box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MOST_AGAIN", 3)
    for _ in range(6):
        path = box.keep(mail(7))
    assert len(list(path.parent.iterdir())) == 3


@pytest.mark.parametrize(
    "raw",
    [
        b"Message-ID: <../../escape@vacancy>\r\nTo: a@example.com\r\n\r\nHi",
        b"Message-ID: <somebody@else>\r\n\r\n",
        b"no header at all",
        b"Date: never\r\nContent-Type: text/plain; charset=klingon\r\n\r\nqapla",
        b"Date: Tue, 01 Dec 2026 12:00:00 -0000\r\n\r\n",
        b"",
    ],
)
def test_what_is_not_ours_is_kept_under_a_name_of_its_own(box: Mailbox, tmp_path: Path, raw: bytes) -> None:
    path = box.keep(raw)
    assert path.parent == tmp_path / "mail"
    assert str(uuid.UUID(path.stem)) == path.stem
    assert box.keep(raw).name == f"{path.stem}.2.again"
    assert [mail.at.tzinfo is not None for mail in box.newest(10)] == [True]


def test_other_alphabets_and_pages_come_through(box: Mailbox) -> None:
    letter = Letter("Grüße ☃", "Schön\n" + "ß" * 2_000, "<p>\nSchön\n</p>")
    box.keep(mail(1, "zoe@example.com", letter))
    (found,) = box.newest(1)
    assert (found.to, found.subject, found.text, found.page) == ("zoe@example.com", *_parts(letter))
    assert found.html


def _parts(letter: Letter) -> tuple[str, str, str]:
    return letter.subject, letter.text, letter.html


def test_the_newest_come_first_and_no_more_than_asked(box: Mailbox) -> None:
    fill(box, "a@example.com", "b@example.com", "c@example.com")
    assert [mail.to for mail in box.newest(2)] == ["c@example.com", "b@example.com"]
    assert box.newest(1) == [
        Mail("c@example.com", LETTER.subject, LETTER.text, f"<{notice(2)}@vacancy>", NOW + timedelta(seconds=2))
    ]


def test_mail_is_found_by_its_whole_address_or_its_id(box: Mailbox) -> None:
    fill(box, "ada@example.com", "xada@example.com", "ada@example.com", "bob@example.com")
    assert [mail.message_id for mail in box.newest(10, "ADA@example.com")] == [
        f"<{notice(2)}@vacancy>",
        f"<{notice(0)}@vacancy>",
    ]
    assert len(box.newest(1, "ada@example.com")) == 1
    found = box.find(f"<{notice(3)}@vacancy>")
    assert found is not None
    assert found.to == "bob@example.com"
    assert box.find(f"<{notice(9)}@vacancy>") is box.find("<../../x>") is None


def test_what_is_half_written_or_no_mail_is_not_shown(box: Mailbox, tmp_path: Path) -> None:
    assert box.newest(10) == []
    fill(box, "ada@example.com")
    (tmp_path / "mail" / f".{notice(3)}.eml.0123").write_bytes(b"half")
    (tmp_path / "mail" / "note.txt").write_bytes(b"note")
    assert len(box.newest(10)) == 1


@pytest.mark.parametrize(
    "header",
    ["To: <", 'To: "', "To: a@[", "To: :;u:", "Subject: =?x?b?!?=", "Date: soon", "Content-Type: ;", "Message-ID: <"],
)
def test_a_malformed_header_hides_no_mail(box: Mailbox, header: str) -> None:
    box.keep(f"{header}\r\nX-Other: 1\r\n\r\nHello\r\n".encode())
    box.keep(mail(1))
    assert len(box.newest(10)) == 2
    assert [found.to for found in box.newest(10, "ada@example.com")] == ["ada@example.com"]


def test_encoded_and_folded_headers_are_read(box: Mailbox) -> None:
    box.keep(
        b"To: ada@example.com\r\nSubject: =?utf-8?q?Zo=C3=AB?=\r\n =?utf-8?q?_Quax?= and\r\n more\r\n\r\nHello\r\n"
    )
    (found,) = box.newest(1)
    assert (found.to, found.subject) == ("ada@example.com", "Zo\u00eb Quax and more")
