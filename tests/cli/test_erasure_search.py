"""A person is found however the words are written, and nobody else is taken for them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.textbox import Textbox
from cli.erasure import Report, until_erased
from cli.erasure_person import Person
from cli.erasure_places import Place, search_files
from cli.erasure_report import as_dict, lines_of
from cli.erasure_search import Search
from cli.problem import Problem

ZOE = Person(
    "u-7",
    emails={"zo\u00eb.q@example.com"},
    phones={"+31 20 555 0199"},
    names={("Zo\u00eb", "Quax"), ("Li", "An")},
    texts={"a pain in the left knee"},
)
SEARCH = Search(ZOE)
EMAIL = "zo\u00eb.q@example.com"


@pytest.mark.parametrize(
    "said",
    [
        EMAIL.encode(),
        EMAIL.upper().encode(),
        json.dumps({"to": f"\n{EMAIL}"}).encode(),
        f"mailto:{quote(EMAIL)}".encode(),
        b'{"phone": "+31 20 555 0199"}',
        b"has A PAIN in the left knee.",
        json.dumps({"first_name": "Zo\u00eb", "last_name": "Quax"}).encode(),
        "Quax, Zo\u00eb".encode(),
        b'{"first_name":"Li","last_name":"An"}',
        b'{"name": "Zo\\u00eb Quax", "to": "eve@example.com", "user_id": "u-7"}',
    ],
)
def test_what_is_the_persons_is_found(said: bytes) -> None:
    assert SEARCH.finds(b"before " + said + b" after")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        f"x{EMAIL}".encode(),
        f"{EMAIL}x".encode(),
        "Zo\u00eb".encode(),
        b"Quax",
        b"the list goes on and on, and then there is an end to Li",
        b'{"name": "Zo\\u00eb Quax", "email": "another@example.com", "user_id": "u-8"}',
    ],
)
def test_what_is_somebody_elses_is_not(said: bytes) -> None:
    assert not SEARCH.finds(said)


@given(st.binary(max_size=9), st.binary(max_size=9))
def test_it_is_found_in_base64_wherever_it_stands(before: bytes, after: bytes) -> None:
    assert SEARCH.finds(base64.b64encode(before + EMAIL.encode() + after))


def test_a_mail_is_read_as_its_receiver_would(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["To"], mail["Subject"] = "other@example.com", "Hello"
    mail.set_content("You have " + "a pain in the left knee, \u00e9 " * 9, cte="base64")
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "1.eml").write_bytes(bytes(mail))
    (tmp_path / "mail" / "2.eml").write_bytes(b"To: other@example.com\n\nNothing")
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "segment").write_text("a pain in the left knee")
    (tmp_path / "note.txt").write_text(" " * (8 * 1024 * 1024 - 9) + "a pain in the left knee")
    places = {place.name: place for place in search_files(tmp_path, SEARCH)}
    assert {name: place.files for name, place in places.items()} == {"mail/": ["mail/1.eml"], "note.txt": ["note.txt"]}
    assert not any(place.is_allowed for place in places.values())


def test_what_retention_never_removes_is_not_allowed() -> None:
    assert Place("vacancy.user.inbox", "internal").is_allowed
    assert not Place("user-events.dlq", "dead letters", found=1).is_allowed


@pytest.mark.parametrize("to", ["<", '"', "a@[", ":;u:"])
def test_a_malformed_receiver_hides_nothing_of_a_mail(to: str) -> None:
    quoted = base64.b64encode(b"a pain in the left knee, they say")
    headers = f"To: {to}\nContent-Type: text/plain; charset=x-nobodys\nContent-Transfer-Encoding: base64\n\n".encode()
    assert not SEARCH.finds_in_mail(headers + base64.b64encode(b"Hello"))
    assert SEARCH.finds_in_mail(headers.replace(b"x-nobodys", b"utf-8") + quoted)
    assert SEARCH.finds_in_mail(headers + quoted)


def test_a_phone_is_found_as_a_provider_takes_it(tmp_path: Path) -> None:
    assert SEARCH.finds(b'{"to": "+31205550199"}')
    assert not SEARCH.finds(b'{"to": "+312055501990"}')
    texts = Textbox(tmp_path / "sms")
    texts.keep("notice-1f", "+31205550199", "Booked")
    (found,) = (place for place in search_files(tmp_path, SEARCH) if place.name == "sms/")
    assert found.files == ["sms/sms.sqlite-wal"]
    texts.close()  # which writes the log into the file
    (found,) = (place for place in search_files(tmp_path, SEARCH) if place.name == "sms/")
    assert found.files == ["sms/sms.sqlite"]


def test_a_report_says_how_many_files_it_does_not_name() -> None:
    files = [f"mail/{number}.eml" for number in range(7)]
    report = Report("u-7", keys=1, searchable=True, places=[Place("mail/", "files", 7, 7, files=files)])
    assert [line for line in lines_of(report) if "more" in line] == ["  and 2 more"]


def test_an_id_nobody_has_is_nothing_to_prove() -> None:
    report = Report("nobody", erased_at=datetime(2026, 12, 1, tzinfo=UTC))
    assert report.is_unknown
    assert list(lines_of(report))[-1].startswith("nothing is known of nobody")
    assert (as_dict(report)["known"], as_dict(report)["proven"]) == (False, None)
    report.keys = 1
    assert list(lines_of(report))[-1].startswith("NOT PROVEN")


class Gateway:
    """Says that the erasure ended once it was looked at so often."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    async def look(self, path: str) -> bytes:
        self.looks -= 1
        return json.dumps({"erased_at": "2026-12-01T00:00:00Z" if self.looks <= 0 else None}).encode()


async def test_an_erasure_is_waited_for_and_not_for_ever() -> None:
    assert await until_erased(Gateway(2), "/api/users/u", None) == "2026-12-01T00:00:00Z"
    assert await until_erased(Gateway(9), "/api/users/u", "now", patience=0) == "now"
    with pytest.raises(Problem, match="on by itself"):
        await until_erased(Gateway(9), "/api/users/u", None, patience=0)
